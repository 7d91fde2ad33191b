import type { z } from 'zod'
import { dayAfter } from '../calendar.ts'
import type { EventOf } from '../kernel.ts'
import { pairOf } from '../ledger/lines.ts'
import type { Posting } from '../ledger/request.ts'
import { currencyOf } from '../money.ts'
import type { loanEvents } from './events.ts'
import { DEFAULT_AFTER_DAYS, type Instalment, spread } from './schedules.ts'

export type LoanEvent = EventOf<typeof loanEvents>
export type Data<Type extends keyof typeof loanEvents> = z.infer<(typeof loanEvents)[Type]>
export type LoanRequest = Data<'LoanRequested'>

type Repayment = Pick<
  Data<'LoanRepaymentAccepted'>,
  'repayment' | 'account' | 'amount' | 'interest' | 'principal' | 'recovered'
>

/** Something that is to be booked, and what becomes of the loan when it is. */
export type Step = {
  /** Such as `repay:3`: the last part of the key that the ledger is asked under. */
  readonly name: string
  readonly kind: 'loan_disbursement' | 'loan_repayment' | 'loan_write_off'
  readonly lines: Posting['lines']
  readonly outcome:
    | { readonly type: 'LoanDisbursed'; readonly account: string }
    | { readonly type: 'LoanRepaid'; readonly repayment: Repayment }
    | { readonly type: 'LoanWrittenOff'; readonly amount: string }
}

type Failure = { readonly step: Step; readonly code: string; readonly detail: string }

export type LoanState = {
  /** approved: on its way to the borrower's account. */
  readonly status:
    | 'unknown'
    | 'pending'
    | 'approved'
    | 'rejected'
    | 'active'
    | 'paid_off'
    | 'defaulted'
    | 'written_off'
  readonly request: LoanRequest | null
  readonly approvedBy: string | null
  readonly instalments: readonly Instalment[]
  /** Minor units. */
  readonly paid: bigint
  /** How many repayments were accepted. */
  readonly repayments: number
  /** The number of the last instalment that is recorded as missed. */
  readonly missed: number
  /** On its way to the ledger; one at a time. */
  readonly step: Step | null
  readonly failure: Failure | null
}

export const initialLoan = (): LoanState => ({
  ...{ status: 'unknown', request: null, approvedBy: null, instalments: [], paid: 0n },
  ...{ repayments: 0, missed: 0, step: null, failure: null },
})

/** The request of a loan that exists. */
export const requestOf = ({ request }: Pick<LoanState, 'request'>): LoanRequest => {
  if (!request) throw new Error('a loan without a request')
  return request
}

type Kept = Pick<LoanRequest, 'number' | 'asset'>

/** The bank's own accounts of a loan; the first is the loan's alone. */
export const loanAccounts = ({ number, asset }: Kept) => {
  const currency = currencyOf(asset)
  return {
    receivable: `loans:receivable:${number}`,
    interest: `income:loan-interest:${currency}`,
    recoveries: `income:loan-recoveries:${currency}`,
    losses: `expenses:loan-losses:${currency}`,
  }
}

export const disbursementOf = (request: LoanRequest, account: string): Step => ({
  ...{ name: 'disburse', kind: 'loan_disbursement' },
  lines: pairOf(loanAccounts(request).receivable, account, request.amount),
  outcome: { type: 'LoanDisbursed', account },
})

export const repaymentOf = (request: LoanRequest, repayment: Repayment): Step => {
  const { receivable, interest, recoveries } = loanAccounts(request)
  const parts = [
    { account: interest, amount: repayment.interest },
    { account: receivable, amount: repayment.principal },
    { account: recoveries, amount: repayment.recovered },
  ]
  return {
    ...{ name: `repay:${repayment.repayment}`, kind: 'loan_repayment' },
    lines: [
      { account: repayment.account, direction: 'debit', amount: repayment.amount },
      ...parts
        .filter(({ amount }) => amount !== '0')
        .map((part) => ({ ...part, direction: 'credit' as const })),
    ],
    outcome: { type: 'LoanRepaid', repayment },
  }
}

export const writeOffOf = (request: LoanRequest, amount: string): Step => {
  const { losses, receivable } = loanAccounts(request)
  return {
    ...{ name: 'write-off', kind: 'loan_write_off', lines: pairOf(losses, receivable, amount) },
    outcome: { type: 'LoanWrittenOff', amount },
  }
}

const sum = (amounts: readonly bigint[]): bigint =>
  amounts.reduce((total, amount) => total + amount, 0n)

const sizeOf = ({ principal, interest }: Instalment): bigint => BigInt(principal) + BigInt(interest)

/** What is owed, of the whole schedule. */
export const leftOf = ({ instalments, paid }: Pick<LoanState, 'instalments' | 'paid'>): bigint =>
  sum(instalments.map(sizeOf)) - paid

/** What of an amount paid in all is interest. */
export const interestWithin = (instalments: readonly Instalment[], paid: bigint): bigint =>
  sum(spread(instalments, paid).map((instalment) => instalment.paid.interest))

/** What is not paid of each instalment that is not paid in full, by its number from 1 on. */
export const openInstalments = ({
  instalments,
  paid,
}: Pick<LoanState, 'instalments' | 'paid'>): readonly {
  readonly instalment: number
  readonly due: string
  readonly amount: bigint
}[] =>
  spread(instalments, paid)
    .map(({ paid: part, ...instalment }, index) => ({
      ...{ instalment: index + 1, due: instalment.due },
      amount: sizeOf(instalment) - part.principal - part.interest,
    }))
    .filter(({ amount }) => amount > 0n)

/** The first day on which something is to be recorded, unless something is paid before. */
export const nextCheckOn = (
  state: Pick<LoanState, 'status' | 'instalments' | 'paid' | 'missed'>,
): string | null => {
  const open = openInstalments(state)
  const unrecorded = open.find(({ instalment }) => instalment > state.missed)
  const oldest = state.status === 'active' ? open[0] : undefined
  const days = [
    ...(unrecorded ? [dayAfter(unrecorded.due, 1)] : []),
    ...(oldest ? [dayAfter(oldest.due, DEFAULT_AFTER_DAYS + 1)] : []),
  ]
  return days.sort()[0] ?? null
}
