import { dayAfter } from '../calendar.ts'
import { type Decision, type Refusal, refuse } from '../kernel.ts'
import { DEFAULT_AFTER_DAYS, scheduleOf } from './schedules.ts'
import {
  type Data,
  interestWithin,
  type LoanEvent,
  type LoanRequest,
  type LoanState,
  leftOf,
  nextCheckOn,
  openInstalments,
  requestOf,
  type Step,
} from './state.ts'

/** So that what it comes to, with all its interest, still is an amount. */
const MOST_DIGITS = 20

export const request = (_state: LoanState, data: LoanRequest): Decision<LoanEvent> =>
  data.amount.length > MOST_DIGITS
    ? refuse('BALANCE_TOO_LARGE', `A loan has at most ${MOST_DIGITS} digits.`, { field: 'amount' })
    : [{ type: 'LoanRequested', data }]

/** Minor units: from so much on, it takes more than those who approve small loans. */
export const SMALL_LOAN_BELOW = '100000'

/** The refusal when `by` has a part in it himself. */
const hasPart = ({ request }: LoanState, by: string): Refusal | undefined => {
  if (by === request?.requested_by) {
    return refuse('MAKER_IS_CHECKER', 'Whoever filed a loan does not decide about it.')
  }
  return by === request?.borrower
    ? refuse('MAKER_IS_CHECKER', 'Nobody decides about a loan of his own.')
    : undefined
}

const notPending = ({ status }: LoanState): Refusal | undefined =>
  status === 'pending'
    ? undefined
    : refuse('LOAN_NOT_PENDING', 'The loan does not wait to be decided about.')

type Approval = Omit<Data<'LoanApproved'>, 'account'> & {
  /** null: the borrower has none. */
  readonly account: string | null
  /** Minor units: he approves only what is below it; null: anything. */
  readonly below: string | null
}

const aboveLimit = (state: LoanState, below: string | null): Refusal | undefined =>
  below !== null && BigInt(requestOf(state).amount) >= BigInt(below)
    ? refuse('LOAN_ABOVE_LIMIT', 'Somebody of a higher rank has to approve this amount.', { below })
    : undefined

export const approve = (
  state: LoanState,
  { below, account, ...data }: Approval,
): Decision<LoanEvent> => {
  const refused = hasPart(state, data.approved_by) ?? aboveLimit(state, below) ?? notPending(state)
  if (refused) return refused
  return account === null
    ? refuse('LOAN_ACCOUNT_UNFIT', 'The borrower has no active account to pay out to.')
    : [{ type: 'LoanApproved', data: { ...data, account } }]
}

export const reject = (state: LoanState, data: Data<'LoanRejected'>): Decision<LoanEvent> =>
  hasPart(state, data.rejected_by) ?? notPending(state) ?? [{ type: 'LoanRejected', data }]

const busy = ({ step }: LoanState): Refusal | undefined =>
  step
    ? refuse('LOAN_STEP_UNDER_WAY', 'Something else of this loan is just being booked.')
    : undefined

const owing: ReadonlySet<LoanState['status']> = new Set(['active', 'defaulted', 'written_off'])

type Repaying = Pick<
  Data<'LoanRepaymentAccepted'>,
  'loan' | 'account' | 'amount' | 'accepted_by' | 'accepted_at'
>

/** The oldest instalment first, interest before principal; never more than is owed. */
export const repay = (state: LoanState, asked: Repaying): Decision<LoanEvent> => {
  const { status, instalments, paid, repayments } = state
  const left = leftOf(state)
  if (!owing.has(status) || left === 0n) {
    return refuse('LOAN_NOT_RUNNING', 'Nothing is owed on this loan.')
  }
  const refused = busy(state)
  if (refused) return refused
  const amount = BigInt(asked.amount)
  if (amount > left) {
    const facts = { field: 'amount', left: left.toString() }
    return refuse('REPAYMENT_TOO_LARGE', 'This is more than is owed on the loan.', facts)
  }
  const isWrittenOff = status === 'written_off'
  const interest = isWrittenOff
    ? 0n
    : interestWithin(instalments, paid + amount) - interestWithin(instalments, paid)
  const split = {
    interest: interest.toString(),
    principal: isWrittenOff ? '0' : (amount - interest).toString(),
    recovered: isWrittenOff ? asked.amount : '0',
  }
  const data = { ...asked, ...split, repayment: repayments + 1 }
  return [{ type: 'LoanRepaymentAccepted', data }]
}

/** By somebody else than who approved it. */
export const writeOff = (
  state: LoanState,
  asked: Omit<Data<'LoanWriteOffAccepted'>, 'amount'>,
): Decision<LoanEvent> => {
  const { status, instalments, paid, approvedBy } = state
  if (asked.accepted_by === approvedBy) {
    return refuse('MAKER_IS_CHECKER', 'Whoever approved a loan does not write it off.')
  }
  const refused = hasPart(state, asked.accepted_by)
  if (refused) return refused
  if (status !== 'defaulted') {
    return refuse('LOAN_NOT_DEFAULTED', 'Only a loan in default is written off.')
  }
  const underWay = busy(state)
  if (underWay) return underWay
  const principal = BigInt(requestOf(state).amount)
  const amount = principal - (paid - interestWithin(instalments, paid))
  if (amount === 0n) {
    return refuse('NOTHING_TO_WRITE_OFF', 'The principal of this loan has been repaid.')
  }
  return [{ type: 'LoanWriteOffAccepted', data: { ...asked, amount: amount.toString() } }]
}

export type Booked = {
  readonly loan: string
  readonly step: string
  readonly entry: string
  readonly booked_at: string
  /** The day of the entry where the book is kept. */
  readonly day: string
}

type Booking<Type extends Step['outcome']['type']> = {
  readonly state: LoanState
  readonly outcome: Extract<Step['outcome'], { type: Type }>
  readonly booked: Booked
}

const disbursed = ({ state, outcome, booked }: Booking<'LoanDisbursed'>): LoanEvent[] => {
  const { loan, entry, booked_at: disbursed_at, day } = booked
  const instalments = scheduleOf(requestOf(state), day)
  const next_check_on = nextCheckOn({ status: 'active', instalments, paid: 0n, missed: 0 })
  const data = { loan, entry, account: outcome.account, instalments: [...instalments] }
  return [{ type: 'LoanDisbursed', data: { ...data, disbursed_at, next_check_on } }]
}

const repaid = ({ state, outcome, booked }: Booking<'LoanRepaid'>): LoanEvent[] => {
  const { loan, entry, booked_at: repaid_at } = booked
  const { repayment, account, amount, interest, principal, recovered } = outcome.repayment
  const after = { ...state, paid: state.paid + BigInt(amount) }
  const left = leftOf(after).toString()
  const next_check_on = state.status === 'written_off' ? null : nextCheckOn(after)
  const split = { amount, interest, principal, recovered }
  const data = { loan, repayment, entry, account, ...split, left, next_check_on, repaid_at }
  const event: LoanEvent = { type: 'LoanRepaid', data }
  if (left !== '0' || state.status === 'written_off') return [event]
  return [event, { type: 'LoanPaidOff', data: { loan, paid_off_at: repaid_at } }]
}

const writtenOff = ({ outcome, booked }: Booking<'LoanWrittenOff'>): LoanEvent[] => {
  const { loan, entry, booked_at: written_off_at } = booked
  return [{ type: 'LoanWrittenOff', data: { loan, entry, amount: outcome.amount, written_off_at } }]
}

const outcomes: {
  readonly [Type in Step['outcome']['type']]: (booking: Booking<Type>) => LoanEvent[]
} = { LoanDisbursed: disbursed, LoanRepaid: repaid, LoanWrittenOff: writtenOff }

/**
 * The ledger has booked a step. That counts also after somebody else, who carried it out at the
 * same time, was refused: where the money is, nobody can argue with.
 */
export const complete = (state: LoanState, booked: Booked): Decision<LoanEvent> => {
  const open = [state.step, state.failure?.step].find((step) => step?.name === booked.step)
  if (!open) return []
  const become = outcomes[open.outcome.type] as (booking: object) => LoanEvent[]
  return become({ state, outcome: open.outcome, booked })
}

export const fail = ({ step }: LoanState, data: Data<'LoanStepFailed'>): Decision<LoanEvent> =>
  step?.name === data.step ? [{ type: 'LoanStepFailed', data }] : []

type Looking = { readonly loan: string; readonly day: string; readonly at: string }

/** Records what was not paid by its day, and a default, once each. */
export const age = (state: LoanState, { loan, day, at }: Looking): Decision<LoanEvent> => {
  const { status } = state
  if (status !== 'active' && status !== 'defaulted') return []
  const open = openInstalments(state)
  const missed = open.filter(({ instalment, due }) => instalment > state.missed && due < day)
  const [oldest] = open
  const isDefault =
    status === 'active' && oldest !== undefined && dayAfter(oldest.due, DEFAULT_AFTER_DAYS) < day
  const next_check_on = nextCheckOn({
    ...state,
    status: isDefault ? 'defaulted' : status,
    missed: missed.at(-1)?.instalment ?? state.missed,
  })
  const found: LoanEvent[] = missed.map(({ amount, ...instalment }) => ({
    type: 'LoanInstalmentMissed',
    data: { loan, ...instalment, amount: amount.toString(), next_check_on, missed_at: at },
  }))
  if (!isDefault) return found
  const data = { loan, due: oldest.due, next_check_on, defaulted_at: at }
  return [...found, { type: 'LoanDefaulted', data }]
}
