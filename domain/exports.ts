import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { BookId, Day, Identifier, Instant } from './ledger/events.ts'
import { Asset, Balance } from './money.ts'

export const ExportFormat = z.enum(['csv', 'ndjson', 'both'])
export type ExportFormat = z.infer<typeof ExportFormat>

/** A log position as text: decimal digits. */
export const LogPosition = z.string().regex(/^\d{1,20}$/, 'a log position is digits, at most 20')

export const Digest = z.string().regex(/^[0-9a-f]{64}$/)
const Bytes = z.int().min(0)

export const ExportedFile = z.object({
  name: z.string().max(64),
  /** Without the header line of a CSV file. */
  rows: z.int().min(0),
  bytes: Bytes,
  sha256: Digest,
})
export type ExportedFile = z.infer<typeof ExportedFile>

const Sides = z.object({ debit: Balance, credit: Balance })

/**
 * What an asset's accounts sum up to, in minor units: on which sides they stood before the period,
 * what was debited and credited in it, on which sides they stood after it. In each pair both are
 * equal.
 */
export const ControlTotals = z.object({
  asset: Asset,
  opening: Sides,
  movements: Sides,
  closing: Sides,
})
export type ControlTotals = z.infer<typeof ControlTotals>

/** A book's journal and trial balance of a period, by value date, as the log had it at a position. */
export const ExportRequest = z.object({
  export: Identifier,
  book: BookId,
  /** First and last value date, both included. */
  from: Day,
  to: Day,
  format: ExportFormat,
  /** Nothing that was recorded later is in it, so that it can be made again, byte for byte. */
  position: LogPosition,
  requested_at: Instant,
})
export type ExportRequest = z.infer<typeof ExportRequest>

/** An export has the stream `export-<id>`. */
export const exportEvents = {
  ExportRequested: ExportRequest,
  ExportCompleted: z.object({
    export: Identifier,
    /** Of the zip file. */
    sha256: Digest,
    bytes: Bytes,
    files: z.array(ExportedFile).max(16),
    totals: z.array(ControlTotals).max(4096),
    completed_at: Instant,
  }),
  ExportFailed: z.object({
    export: Identifier,
    reason: z.string().max(512),
    failed_at: Instant,
  }),
} as const

export type ExportEvent = EventOf<typeof exportEvents>
type Data<Type extends keyof typeof exportEvents> = z.infer<(typeof exportEvents)[Type]>

export type ExportState = {
  readonly status: 'unknown' | 'requested' | 'completed' | 'failed'
  readonly request: ExportRequest | null
}

const request = (state: ExportState, data: ExportRequest): Decision<ExportEvent> =>
  state.status === 'unknown'
    ? [{ type: 'ExportRequested', data }]
    : refuse('EXPORT_EXISTS', `There is an export ${data.export} already.`)

const notRunning = (id: string, { status }: ExportState) =>
  refuse('EXPORT_NOT_RUNNING', `Export ${id} is ${status}.`, { status })

// An export that ended is ended once: the same made twice is no news.
const complete = (state: ExportState, data: Data<'ExportCompleted'>): Decision<ExportEvent> => {
  if (state.status === 'completed') return []
  if (state.status !== 'requested') return notRunning(data.export, state)
  return [{ type: 'ExportCompleted', data }]
}

const fail = (state: ExportState, data: Data<'ExportFailed'>): Decision<ExportEvent> => {
  if (state.status === 'failed') return []
  if (state.status !== 'requested') return notRunning(data.export, state)
  return [{ type: 'ExportFailed', data }]
}

export const Export = decider({
  category: 'export',
  schemas: exportEvents,
  initial: (): ExportState => ({ status: 'unknown', request: null }),
  evolve: {
    ExportRequested: (_state, request): ExportState => ({ status: 'requested', request }),
    ExportCompleted: (state): ExportState => ({ ...state, status: 'completed' }),
    ExportFailed: (state): ExportState => ({ ...state, status: 'failed' }),
  },
  decide: { request, complete, fail },
})
