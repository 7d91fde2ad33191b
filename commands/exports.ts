import { z } from 'zod'
import {
  ControlTotals,
  Digest,
  Export,
  ExportedFile,
  ExportFormat,
  type ExportRequest,
  LogPosition,
} from '../domain/exports.ts'
import { refuse } from '../domain/kernel.ts'
import { BookId, Day, Identifier } from '../domain/ledger/events.ts'
import type { EventStore } from '../domain/log.ts'
import { command, onExisting } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'

const RequestExport = z
  .strictObject({
    book: BookId,
    from: Day,
    to: Day,
    format: ExportFormat.default('both'),
    /** To have an earlier export made again; absent, or after the log's end: as of now. */
    position: LogPosition.optional(),
  })
  .refine(({ from, to }) => from <= to, { path: ['to'], message: 'to lies before from' })

const isThere = async (store: EventStore, stream: string): Promise<boolean> => {
  for await (const _first of store.readStream(stream, { limit: 1 })) return true
  return false
}

/** Asks for an export, which is then made in the background. */
export const requestExport = command({
  name: 'exports.request',
  permission: 'compliance:export',
  input: RequestExport,
  decider: Export,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'EXPORT_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ position, ...input }, { ports, at, newId }) => {
    if (!(await isThere(ports.store, `book-${input.book}`))) {
      return refuse('BOOK_NOT_FOUND', `There is no book-${input.book}.`)
    }
    const end = (await ports.store.head())?.commit ?? 0n
    const isPast = position !== undefined && BigInt(position) < end
    const fixed = isPast ? BigInt(position) : end
    return { ...input, export: newId(), position: fixed.toString(), requested_at: at }
  },
  decide: Export.decide.request,
  answer: (events) => dataOf<ExportRequest>(events, 'ExportRequested'),
})

const exportCommand = onExisting({
  decider: Export,
  field: 'export',
  otherwise: 'EXPORT_NOT_FOUND',
})

const OfExport = { export: Identifier }

const CompleteExport = z.strictObject({
  ...OfExport,
  sha256: Digest,
  bytes: z.int().min(0),
  files: z.array(ExportedFile),
  totals: z.array(ControlTotals),
})

/** What the exporter says when a file is in its place. */
export const completeExport = exportCommand({
  name: 'exports.complete',
  permission: 'compliance:export',
  input: CompleteExport,
  enrich: (input, { at }) => ({ ...input, completed_at: at }),
  decide: Export.decide.complete,
  answer: (_events, input) => ({ export: input.export, status: 'completed' as const }),
})

const FailExport = z.strictObject({ ...OfExport, reason: z.string().min(1).max(512) })

/** What the exporter says when a file cannot be made, and trying again would be no use. */
export const failExport = exportCommand({
  name: 'exports.fail',
  permission: 'compliance:export',
  input: FailExport,
  enrich: (input, { at }) => ({ ...input, failed_at: at }),
  decide: Export.decide.fail,
  answer: (_events, input) => ({ export: input.export, status: 'failed' as const }),
})
