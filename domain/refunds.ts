import { z } from 'zod'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { AccountCode, BookId, Identifier, Instant } from './ledger/events.ts'
import { Amount, Asset, formatAmount } from './money.ts'

export const RefundReason = z.enum([
  ...(['duplicate_charge', 'unauthorized', 'service_issue', 'product_return'] as const),
  ...(['billing_error', 'other'] as const),
])
export type RefundReason = z.infer<typeof RefundReason>

const ByRefund = { payment: Identifier, refund: Identifier }
/** Sealed under the key of the refund's `subject`; empty: nothing was said. */
const SealedText = z.string().max(4096)

export const refundEvents = {
  RefundRequested: z.object({
    ...ByRefund,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    book: BookId,
    amount: Amount,
    asset: Asset,
    /** Of the payment: no more than that is ever given back. */
    payment_amount: Amount,
    /** The payment's own, the other way round. */
    debit: AccountCode,
    credit: AccountCode,
    /** Whose accounts the payment was between. */
    from_owner: Identifier.nullable(),
    to_owner: Identifier.nullable(),
    reason: RefundReason,
    /** Whom it is about. */
    subject: Identifier,
    description: SealedText,
    requested_by: Identifier,
    requested_at: Instant,
  }),
  RefundApproved: z.object({ ...ByRefund, approved_by: Identifier, approved_at: Instant }),
  RefundRejected: z.object({
    ...ByRefund,
    reason: SealedText,
    rejected_by: Identifier,
    rejected_at: Instant,
  }),
  /** The money is back: the book has the entry. */
  RefundProcessed: z.object({ ...ByRefund, entry: Identifier, processed_at: Instant }),
  /** It was approved, and the ledger refused it: no money has moved. */
  RefundFailed: z.object({
    ...ByRefund,
    code: z.string().max(64),
    detail: z.string().max(512),
    failed_at: Instant,
  }),
} as const

type RefundEvent = EventOf<typeof refundEvents>
type Data<Type extends keyof typeof refundEvents> = z.infer<(typeof refundEvents)[Type]>
export type RefundRequest = Data<'RefundRequested'>
type Ids = Pick<RefundRequest, 'refund'>

type Refund = {
  /** approved: on its way to the ledger. */
  readonly status: 'pending' | 'approved' | 'processed' | 'rejected' | 'failed'
  readonly request: RefundRequest
  readonly failure: Pick<Data<'RefundFailed'>, 'code' | 'detail'> | null
}

/** All refunds of one payment, by their ids, so that together they are never more than it. */
export type RefundState = { readonly refunds: Readonly<Record<string, Refund>> }

const givenUp: ReadonlySet<Refund['status']> = new Set(['rejected', 'failed'])

/** What of a payment is neither given back nor asked back, in minor units. */
const leftOf = ({ refunds }: RefundState, payment_amount: string): bigint =>
  Object.values(refunds)
    .filter(({ status }) => !givenUp.has(status))
    .reduce((left, { request }) => left - BigInt(request.amount), BigInt(payment_amount))

const request = (state: RefundState, data: RefundRequest): Decision<RefundEvent> => {
  const left = leftOf(state, data.payment_amount)
  if (BigInt(data.amount) <= left) return [{ type: 'RefundRequested', data }]
  const shown = formatAmount(left.toString(), data.asset)
  return refuse('REFUND_EXCEEDS_PAYMENT', `Of this payment, ${shown} can still be refunded.`, {
    field: 'amount',
    left: left.toString(),
  })
}

/** The refusal unless `by` may decide about it: neither who asked for it, nor whose money it is. */
const undecidable = (
  { refunds }: RefundState,
  { refund }: Ids,
  by: string,
): Refusal | undefined => {
  const found = refunds[refund]
  if (!found) return refuse('REFUND_NOT_FOUND', `There is no refund ${refund}.`)
  const { requested_by, from_owner, to_owner } = found.request
  if (by === requested_by) {
    return refuse('MAKER_IS_CHECKER', 'Whoever asked for a refund does not decide about it.')
  }
  if (by === from_owner || by === to_owner) {
    return refuse('MAKER_IS_CHECKER', 'Nobody decides about a refund of his own payment.')
  }
  return found.status === 'pending'
    ? undefined
    : refuse('REFUND_NOT_PENDING', `The refund is ${found.status}, it does not wait.`)
}

const approve = (state: RefundState, data: Data<'RefundApproved'>): Decision<RefundEvent> =>
  undecidable(state, data, data.approved_by) ?? [{ type: 'RefundApproved', data }]

const reject = (state: RefundState, data: Data<'RefundRejected'>): Decision<RefundEvent> =>
  undecidable(state, data, data.rejected_by) ?? [{ type: 'RefundRejected', data }]

/** As of a payment: where the money is, nobody can argue with, whatever somebody else was told. */
const complete = (
  { refunds }: RefundState,
  data: Data<'RefundProcessed'>,
): Decision<RefundEvent> => {
  const status = refunds[data.refund]?.status
  return status === 'approved' || status === 'failed' ? [{ type: 'RefundProcessed', data }] : []
}

const fail = ({ refunds }: RefundState, data: Data<'RefundFailed'>): Decision<RefundEvent> =>
  refunds[data.refund]?.status === 'approved' ? [{ type: 'RefundFailed', data }] : []

const changed = (state: RefundState, refund: string, change: Partial<Refund>): RefundState => {
  const known = state.refunds[refund]
  if (!known) throw new Error(`the stream knows no refund ${refund}`)
  return { refunds: { ...state.refunds, [refund]: { ...known, ...change } } }
}

/** Payments that are given back, whole or in part: asked for, decided about by another, booked. */
export const Refund = decider({
  category: 'refund',
  schemas: refundEvents,
  initial: (): RefundState => ({ refunds: {} }),
  evolve: {
    RefundRequested: ({ refunds }, request): RefundState => ({
      refunds: { ...refunds, [request.refund]: { status: 'pending', request, failure: null } },
    }),
    RefundApproved: (state, { refund }) => changed(state, refund, { status: 'approved' }),
    RefundRejected: (state, { refund }) => changed(state, refund, { status: 'rejected' }),
    RefundProcessed: (state, { refund }) =>
      changed(state, refund, { status: 'processed', failure: null }),
    RefundFailed: (state, { refund, code, detail }) =>
      changed(state, refund, { status: 'failed', failure: { code, detail } }),
  },
  decide: { request, approve, reject, complete, fail },
})
