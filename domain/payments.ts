import { z } from 'zod'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { AccountCode, BookId, Day, Identifier, Instant } from './ledger/events.ts'
import { Amount, Asset, currencyOf } from './money.ts'
import { Screening } from './screening.ts'

export const PaymentKind = z.enum([
  ...['deposit', 'withdrawal', 'transfer', 'payment', 'repayment', 'fee'],
] as const)
export type PaymentKind = z.infer<typeof PaymentKind>

/** online: its owner asked for it; counter: somebody serves him, with cash in his hands. */
export const PaymentChannel = z.enum(['online', 'counter'])
type PaymentChannel = z.infer<typeof PaymentChannel>

/** Minor units: from so much on, a second person has to approve it before any money moves. */
const APPROVED_FROM = 500_000n

export const needsApproval = (amount: string): boolean => BigInt(amount) >= APPROVED_FROM

/** Whether a kind of payment is from, or to, a customer's account. */
const parties: Readonly<
  Record<PaymentKind, { readonly from: boolean; readonly to: 'always' | 'perhaps' | 'never' }>
> = {
  deposit: { from: false, to: 'always' },
  withdrawal: { from: true, to: 'never' },
  transfer: { from: true, to: 'always' },
  payment: { from: true, to: 'perhaps' },
  repayment: { from: true, to: 'perhaps' },
  fee: { from: true, to: 'never' },
}

type Parties = {
  readonly kind: PaymentKind
  /** Customers' accounts; null: the bank's own side. */
  readonly from: string | null
  readonly to: string | null
}

/** The refusal when a kind of payment lacks a side, or has one too many. */
export const unfitParties = ({ kind, from, to }: Parties): Refusal | undefined => {
  const wanted = parties[kind]
  const unfit = (field: string, what: string) =>
    refuse('PAYMENT_PARTIES_UNFIT', `A ${kind} ${what}.`, { field })
  if (wanted.from && from === null) return unfit('from', 'is from an account')
  if (!wanted.from && from !== null) return unfit('from', 'is from no account')
  if (wanted.to === 'always' && to === null) return unfit('to', 'is to an account')
  if (wanted.to === 'never' && to !== null) return unfit('to', 'is to no account')
  return from !== null && from === to
    ? refuse('SAME_ACCOUNT', `Both are ${from}.`, { account: from })
    : undefined
}

/** The bank's own side of payments in an asset. */
export const paymentAccounts = (asset: string) => {
  const currency = currencyOf(asset)
  return {
    /** Cash in the drawers of the counters. */
    counter: `cash:counter:${currency}`,
    /** Money on its way from and to elsewhere. */
    clearing: `clearing:payments:${currency}`,
    /** What customers paid back, until the loan it belongs to takes it. */
    repayments: `clearing:repayments:${currency}`,
    fees: `income:fees:${currency}`,
  }
}

type Routed = Parties & {
  readonly channel: PaymentChannel
  readonly asset: string
  /** Where the cash lies, if not in one for all counters. */
  readonly drawer?: string | undefined
}

/** The account that is debited, and the one that is credited. */
export const legsOf = ({ kind, from, to, channel, asset, drawer }: Routed) => {
  const own = paymentAccounts(asset)
  const outside = channel === 'counter' ? (drawer ?? own.counter) : own.clearing
  const takers: Readonly<Record<PaymentKind, string>> = {
    ...{ deposit: outside, withdrawal: outside, transfer: outside, payment: outside },
    ...{ repayment: own.repayments, fee: own.fees },
  }
  return { debit: from ?? outside, credit: to ?? takers[kind] }
}

const ByPayment = { payment: Identifier }
const Reason = z.string().max(256)

export const paymentEvents = {
  PaymentRequested: z.object({
    ...ByPayment,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    reference: z.string().max(128),
    book: BookId,
    kind: PaymentKind,
    channel: PaymentChannel,
    from: AccountCode.nullable(),
    to: AccountCode.nullable(),
    /** Whose accounts they are. */
    from_owner: Identifier.nullable(),
    to_owner: Identifier.nullable(),
    amount: Amount,
    asset: Asset,
    description: z.string().max(256),
    /** It waits until somebody else approves or rejects it. */
    approval: z.enum(['needed', 'none']),
    /** The day from which the money counts, where that is not the day on which it is booked. */
    value_date: Day.optional(),
    /** What the risk gate said, where it was asked. */
    screening: Screening.optional(),
    /** The mobile banker who took the money in, which earns him a commission. */
    collector: Identifier.optional(),
    requested_by: Identifier,
    requested_at: Instant,
  }),
  PaymentApproved: z.object({ ...ByPayment, approved_by: Identifier, approved_at: Instant }),
  PaymentRejected: z.object({
    ...ByPayment,
    reason: Reason,
    rejected_by: Identifier,
    rejected_at: Instant,
  }),
  /** The money has moved: the book has the entry. */
  PaymentCompleted: z.object({ ...ByPayment, entry: Identifier, completed_at: Instant }),
  /** It was let pass, and the ledger or the risk gate refused it: no money has moved. */
  PaymentFailed: z.object({
    ...ByPayment,
    code: z.string().max(64),
    detail: z.string().max(512),
    failed_at: Instant,
  }),
} as const

type PaymentEvent = EventOf<typeof paymentEvents>
type Data<Type extends keyof typeof paymentEvents> = z.infer<(typeof paymentEvents)[Type]>
export type PaymentRequest = Data<'PaymentRequested'>

export type PaymentState = {
  /** accepted: let pass, and on its way to the ledger. */
  readonly status: 'unknown' | 'pending' | 'accepted' | 'completed' | 'failed' | 'cancelled'
  readonly request: PaymentRequest | null
  readonly entry: string | null
  readonly failure: Pick<Data<'PaymentFailed'>, 'code' | 'detail'> | null
}

const request = (_state: PaymentState, data: PaymentRequest): Decision<PaymentEvent> => {
  const { payment, requested_by, requested_at: failed_at } = data
  if (data.channel === 'counter' && requested_by === (data.from_owner ?? data.to_owner)) {
    return refuse('MAKER_IS_CHECKER', 'Nobody serves himself at the counter.')
  }
  const requested = { type: 'PaymentRequested', data } as const
  if (data.screening?.outcome !== 'refuse') return [requested]
  const detail = 'It looks too much like fraud to be booked.'
  const failed = { payment, code: 'TRANSFER_DECLINED', detail, failed_at }
  return [requested, { type: 'PaymentFailed', data: failed }]
}

/** The refusal unless `by` may decide about it: neither who asked for it, nor whose money it is. */
const undecidable = ({ status, request }: PaymentState, by: string): Refusal | undefined => {
  if (by === request?.requested_by) {
    return refuse('MAKER_IS_CHECKER', 'Whoever asked for a payment does not decide about it.')
  }
  if (by === request?.from_owner || by === request?.to_owner) {
    return refuse('MAKER_IS_CHECKER', 'Nobody decides about a payment of his own account.')
  }
  return status === 'pending'
    ? undefined
    : refuse('PAYMENT_NOT_PENDING', 'The payment does not wait to be decided about.')
}

const approve = (state: PaymentState, data: Data<'PaymentApproved'>): Decision<PaymentEvent> =>
  undecidable(state, data.approved_by) ?? [{ type: 'PaymentApproved', data }]

const reject = (state: PaymentState, data: Data<'PaymentRejected'>): Decision<PaymentEvent> =>
  undecidable(state, data.rejected_by) ?? [{ type: 'PaymentRejected', data }]

/**
 * The ledger has booked it. That counts also after somebody else, who carried it out at the same
 * time, was refused: where the money is, nobody can argue with.
 */
const complete = (
  { status }: PaymentState,
  data: Data<'PaymentCompleted'>,
): Decision<PaymentEvent> =>
  status === 'accepted' || status === 'failed' ? [{ type: 'PaymentCompleted', data }] : []

const fail = ({ status }: PaymentState, data: Data<'PaymentFailed'>): Decision<PaymentEvent> =>
  status === 'accepted' ? [{ type: 'PaymentFailed', data }] : []

/** Money of customers on its way: asked for, perhaps approved, then booked or not. */
export const Payment = decider({
  category: 'payment',
  schemas: paymentEvents,
  initial: (): PaymentState => ({
    status: 'unknown',
    request: null,
    entry: null,
    failure: null,
  }),
  evolve: {
    PaymentRequested: (state, data): PaymentState => ({
      ...state,
      status: data.approval === 'needed' ? 'pending' : 'accepted',
      request: data,
    }),
    PaymentApproved: (state): PaymentState => ({ ...state, status: 'accepted' }),
    PaymentRejected: (state): PaymentState => ({ ...state, status: 'cancelled' }),
    PaymentCompleted: (state, { entry }): PaymentState => ({
      ...state,
      ...{ status: 'completed', entry, failure: null },
    }),
    PaymentFailed: (state, { code, detail }): PaymentState => ({
      ...state,
      ...{ status: 'failed', failure: { code, detail } },
    }),
  },
  decide: { request, approve, reject, complete, fail },
})
