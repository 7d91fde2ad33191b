import { z } from 'zod'
import { dayOf } from './calendar.ts'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { codePartOf } from './ledger/codes.ts'
import { BookId, Day, Identifier, Instant } from './ledger/events.ts'
import { Amount, Asset, currencyOf } from './money.ts'
import { paymentAccounts } from './payments.ts'

/** What moves money: out of the counter's cash, and back into it. */
const AdvanceStep = z.enum(['disbursement', 'repayment'])
export type AdvanceStep = z.infer<typeof AdvanceStep>

const ByAdvance = { advance: Identifier }
/** Sealed under the key of whoever asked for it; empty: nothing was said. */
const SealedText = z.string().max(8192)

export const cashAdvanceEvents = {
  CashAdvanceRequested: z.object({
    ...ByAdvance,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    book: BookId,
    asset: Asset,
    amount: Amount,
    repayment_date: Day,
    reason: SealedText,
    notes: SealedText,
    requested_by: Identifier,
    requested_at: Instant,
  }),
  CashAdvanceApproved: z.object({ ...ByAdvance, approved_by: Identifier, approved_at: Instant }),
  CashAdvanceRejected: z.object({
    ...ByAdvance,
    reason: SealedText,
    rejected_by: Identifier,
    rejected_at: Instant,
  }),
  /** Handed out; the ledger books it next. */
  CashAdvanceDisbursed: z.object({ ...ByAdvance, disbursed_by: Identifier, disbursed_at: Instant }),
  /** Handed back; the ledger books it next. */
  CashAdvanceRepaid: z.object({ ...ByAdvance, repaid_to: Identifier, repaid_at: Instant }),
  CashAdvanceBooked: z.object({
    ...ByAdvance,
    step: AdvanceStep,
    entry: Identifier,
    booked_at: Instant,
  }),
} as const

type CashAdvanceEvent = EventOf<typeof cashAdvanceEvents>
type Data<Type extends keyof typeof cashAdvanceEvents> = z.infer<(typeof cashAdvanceEvents)[Type]>
export type CashAdvanceRequest = Data<'CashAdvanceRequested'>

export const CashAdvanceStatus = z.enum(['pending', 'approved', 'rejected', 'disbursed', 'repaid'])
type Status = z.infer<typeof CashAdvanceStatus>

export type CashAdvanceState = {
  readonly status: Status | 'unknown'
  readonly request: CashAdvanceRequest | null
  /** What has happened and the ledger has not booked yet. */
  readonly unbooked: AdvanceStep | null
}

/** What a member of staff owes, and the drawers that it is lent from. */
export const advanceAccounts = (user: string, asset: string) => ({
  receivable: `receivables:cash-advances:${currencyOf(asset)}:${codePartOf(user)}`,
  counter: paymentAccounts(asset).counter,
})

/** Whether it is out, and was to be back before this day. */
export const isOverdue = (status: Status, repayment_date: string, today: string): boolean =>
  status === 'disbursed' && repayment_date < today

const request = (_state: CashAdvanceState, data: CashAdvanceRequest): Decision<CashAdvanceEvent> =>
  data.repayment_date < dayOf(data.requested_at, 'UTC')
    ? refuse('REPAYMENT_DATE_PAST', 'The repayment date lies in the past.', {
        field: 'repayment_date',
      })
    : [{ type: 'CashAdvanceRequested', data }]

/** The refusal unless somebody other than its submitter takes it further, from this status. */
const stuck = (
  { status, request, unbooked }: CashAdvanceState,
  by: string,
  from: Status,
): Refusal | undefined => {
  if (by === request?.requested_by) {
    return refuse('MAKER_IS_CHECKER', 'Whoever asked for an advance does not take it further.')
  }
  if (status !== from) {
    return refuse('CASH_ADVANCE_STATUS_UNFIT', `The advance is ${status}, not ${from}.`)
  }
  return unbooked === null
    ? undefined
    : refuse('CASH_ADVANCE_STATUS_UNFIT', `The ${unbooked} is still being booked.`)
}

const approve = (state: CashAdvanceState, data: Data<'CashAdvanceApproved'>) =>
  stuck(state, data.approved_by, 'pending') ?? [{ type: 'CashAdvanceApproved', data } as const]

const reject = (state: CashAdvanceState, data: Data<'CashAdvanceRejected'>) =>
  stuck(state, data.rejected_by, 'pending') ?? [{ type: 'CashAdvanceRejected', data } as const]

const disburse = (state: CashAdvanceState, data: Data<'CashAdvanceDisbursed'>) =>
  stuck(state, data.disbursed_by, 'approved') ?? [{ type: 'CashAdvanceDisbursed', data } as const]

const repay = (state: CashAdvanceState, data: Data<'CashAdvanceRepaid'>) =>
  stuck(state, data.repaid_to, 'disbursed') ?? [{ type: 'CashAdvanceRepaid', data } as const]

/** The ledger has booked a step; once. */
const book = ({ unbooked }: CashAdvanceState, data: Data<'CashAdvanceBooked'>) =>
  unbooked === data.step ? [{ type: 'CashAdvanceBooked', data } as const] : []

/** Cash of the counter lent to a member of staff until a day. */
export const CashAdvance = decider({
  category: 'cash_advance',
  schemas: cashAdvanceEvents,
  initial: (): CashAdvanceState => ({ status: 'unknown', request: null, unbooked: null }),
  evolve: {
    CashAdvanceRequested: (state, request): CashAdvanceState => ({
      ...{ ...state, request, status: 'pending' },
    }),
    CashAdvanceApproved: (state): CashAdvanceState => ({ ...state, status: 'approved' }),
    CashAdvanceRejected: (state): CashAdvanceState => ({ ...state, status: 'rejected' }),
    CashAdvanceDisbursed: (state): CashAdvanceState => ({
      ...{ ...state, status: 'disbursed', unbooked: 'disbursement' },
    }),
    CashAdvanceRepaid: (state): CashAdvanceState => ({
      ...{ ...state, status: 'repaid', unbooked: 'repayment' },
    }),
    CashAdvanceBooked: (state): CashAdvanceState => ({ ...state, unbooked: null }),
  },
  decide: { request, approve, reject, disburse, repay, book },
})
