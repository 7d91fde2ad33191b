import { z } from 'zod'
import { Digest } from './exports.ts'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { AccountCode, BookId, Day, Identifier, Instant } from './ledger/events.ts'
import { Balance } from './money.ts'

export const StatementFormat = z.enum(['pdf', 'camt.053'])
export type StatementFormat = z.infer<typeof StatementFormat>

/** An account's movements over some days, as a file for its owner. */
export const StatementRequest = z.object({
  statement: Identifier,
  book: BookId,
  account: AccountCode,
  customer: Identifier,
  /** First and last day, both included, by booking time in the book's time zone. */
  from: Day,
  to: Day,
  /** The file's name: the same account and days again replace the file. */
  file: z.string().regex(/^[\w.-]{1,128}\.(?:pdf|xml)$/),
  /** Absent: a PDF. */
  format: StatementFormat.optional(),
  requested_at: Instant,
})
export type StatementRequest = z.infer<typeof StatementRequest>

const ByStatement = { statement: Identifier }

export const statementEvents = {
  StatementRequested: StatementRequest,
  StatementCompleted: z.object({
    ...ByStatement,
    transactions: z.int().min(0),
    opening: Balance,
    closing: Balance,
    sha256: Digest,
    bytes: z.int().min(0),
    pages: z.int().min(1),
    completed_at: Instant,
  }),
  StatementFailed: z.object({ ...ByStatement, reason: z.string().max(512), failed_at: Instant }),
} as const

export type StatementMade = z.infer<typeof statementEvents.StatementCompleted>
type StatementEvent = EventOf<typeof statementEvents>
type Data<Type extends keyof typeof statementEvents> = z.infer<(typeof statementEvents)[Type]>

export type StatementState = {
  readonly status: 'unknown' | 'requested' | 'completed' | 'failed'
  readonly request: StatementRequest | null
}

const request = (state: StatementState, data: StatementRequest): Decision<StatementEvent> =>
  state.status === 'unknown'
    ? [{ type: 'StatementRequested', data }]
    : refuse('STATEMENT_EXISTS', `There is a statement ${data.statement} already.`)

// A statement ends once; whoever else made it at the same time has made the same.
const complete = (
  { status }: StatementState,
  data: Data<'StatementCompleted'>,
): Decision<StatementEvent> =>
  status === 'requested' ? [{ type: 'StatementCompleted', data }] : []

const fail = (
  { status }: StatementState,
  data: Data<'StatementFailed'>,
): Decision<StatementEvent> => (status === 'requested' ? [{ type: 'StatementFailed', data }] : [])

export const Statement = decider({
  category: 'statement',
  schemas: statementEvents,
  initial: (): StatementState => ({ status: 'unknown', request: null }),
  evolve: {
    StatementRequested: (_state, data): StatementState => ({ status: 'requested', request: data }),
    StatementCompleted: (state): StatementState => ({ ...state, status: 'completed' }),
    StatementFailed: (state): StatementState => ({ ...state, status: 'failed' }),
  },
  decide: { request, complete, fail },
})
