import { z } from 'zod'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { AccountCode, BookId, Identifier, Instant } from './ledger/events.ts'
import { Balance } from './money.ts'

export const ClosureReason = z.enum([
  ...(['customer_request', 'account_inactive', 'fraud_suspected', 'compliance', 'other'] as const),
])

const ByClosure = { closure: Identifier }

export const closureEvents = {
  ClosureRequested: z.object({
    ...ByClosure,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    book: BookId,
    account: AccountCode,
    /** Whose account it is. */
    owner: Identifier,
    reason: ClosureReason,
    /** Sealed under the owner: what the reason is, when it is another, and his phone. */
    remarks: z.string().max(4096),
    /** Whoever requested it says that the owner has told a code. */
    otp_verified: z.boolean(),
    requested_by: Identifier,
    requested_at: Instant,
  }),
  ClosureApproved: z.object({ ...ByClosure, approved_by: Identifier, approved_at: Instant }),
  /** The ledger has closed the account, for good. */
  ClosureCompleted: z.object({ ...ByClosure, final_balance: Balance, completed_at: Instant }),
  /** It was approved, and the ledger would not close the account: it waits again. */
  ClosureReturned: z.object({
    ...ByClosure,
    code: z.string().max(64),
    detail: z.string().max(512),
    returned_at: Instant,
  }),
  ClosureRejected: z.object({
    ...ByClosure,
    /** Sealed under the owner. */
    reason: z.string().max(2048),
    rejected_by: Identifier,
    rejected_at: Instant,
  }),
} as const

type ClosureEvent = EventOf<typeof closureEvents>
type Data<Type extends keyof typeof closureEvents> = z.infer<(typeof closureEvents)[Type]>
export type ClosureRequest = Data<'ClosureRequested'>

export type ClosureState = {
  /** accepted: approved, and on its way to the ledger. */
  readonly status: 'unknown' | 'pending' | 'accepted' | 'approved' | 'rejected'
  readonly request: ClosureRequest | null
}

const request = ({ status }: ClosureState, data: ClosureRequest): Decision<ClosureEvent> =>
  status === 'unknown'
    ? [{ type: 'ClosureRequested', data }]
    : refuse('CLOSURE_EXISTS', `There is a closure ${data.closure} already.`)

/** The refusal unless `by` may decide about it: neither who asked for it, nor whose account it is. */
const undecidable = ({ status, request }: ClosureState, by: string): Refusal | undefined => {
  if (by === request?.requested_by) {
    return refuse('MAKER_IS_CHECKER', 'Whoever asked for a closure does not decide about it.')
  }
  if (by === request?.owner) {
    return refuse('MAKER_IS_CHECKER', 'Nobody decides about his own account.')
  }
  return status === 'pending'
    ? undefined
    : refuse('CLOSURE_NOT_PENDING', 'The closure does not wait to be decided about.')
}

const approve = (state: ClosureState, data: Data<'ClosureApproved'>): Decision<ClosureEvent> =>
  undecidable(state, data.approved_by) ?? [{ type: 'ClosureApproved', data }]

const reject = (state: ClosureState, data: Data<'ClosureRejected'>): Decision<ClosureEvent> =>
  undecidable(state, data.rejected_by) ?? [{ type: 'ClosureRejected', data }]

const complete = (
  { status }: ClosureState,
  data: Data<'ClosureCompleted'>,
): Decision<ClosureEvent> => (status === 'accepted' ? [{ type: 'ClosureCompleted', data }] : [])

const giveBack = (
  { status }: ClosureState,
  data: Data<'ClosureReturned'>,
): Decision<ClosureEvent> => (status === 'accepted' ? [{ type: 'ClosureReturned', data }] : [])

/** An account that is to be closed: one asks for it, another decides, the ledger has to agree. */
export const Closure = decider({
  category: 'closure',
  schemas: closureEvents,
  initial: (): ClosureState => ({ status: 'unknown', request: null }),
  evolve: {
    ClosureRequested: (_state, request): ClosureState => ({ status: 'pending', request }),
    ClosureApproved: (state): ClosureState => ({ ...state, status: 'accepted' }),
    ClosureCompleted: (state): ClosureState => ({ ...state, status: 'approved' }),
    ClosureReturned: (state): ClosureState => ({ ...state, status: 'pending' }),
    ClosureRejected: (state): ClosureState => ({ ...state, status: 'rejected' }),
  },
  decide: { request, approve, reject, complete, giveBack },
})
