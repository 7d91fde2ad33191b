import { z } from 'zod'
import { dayOf } from '../../domain/calendar.ts'
import { fold, isRefusal } from '../../domain/kernel.ts'
import { AccountCode, Identifier } from '../../domain/ledger/events.ts'
import { Loan } from '../../domain/loans/index.ts'
import type { Data, LoanState } from '../../domain/loans/state.ts'
import { Amount } from '../../domain/money.ts'
import { unservable } from '../assignments.ts'
import { bookAsItStands, dataOf } from '../ledger/kernel.ts'
import { bookStep, loanCommand, lookAtLoan, noLoan, unfitAccount } from './bookings.ts'

type Accepted = Data<'LoanRepaymentAccepted'>
type Asked = Pick<Accepted, 'loan' | 'account' | 'amount' | 'accepted_by' | 'accepted_at'>

/**
 * Pays from an account of the borrower. What could not be booked now is refused before anything is
 * written; booking it comes next.
 */
export const repayLoan = loanCommand({
  name: 'loans.repay',
  permission: 'loans:repay',
  input: z.strictObject({ loan: Identifier, account: AccountCode, amount: Amount }),
  enrich: async (input, enrichment) => {
    const { ports, context, at } = enrichment
    // Of the first request; the money of it may be what is lacking now.
    if (await enrichment.isRepeated()) return null
    const state = await lookAtLoan(ports, input.loan)
    const { request } = state
    if (!request) return noLoan(input.loan)
    const isOwn = request.borrower === context.actor.id
    // Of whom one does not serve, one knows no loans.
    if (!isOwn && (await unservable(enrichment, request.borrower))) return noLoan(input.loan)
    const asked = { ...input, accepted_by: context.actor.id, accepted_at: at }
    const tried = Loan.decide.repay(state, asked)
    if (isRefusal(tried)) return tried
    const unfit = await unfitAccount(ports, request, input.account)
    if (unfit) return unfit
    const [first] = tried
    const { step } = first ? fold(Loan, state, first, 0) : state
    if (!step) throw new Error('a repayment is no step')
    const unbookable = await bookStep(enrichment, request, step, true)
    return isRefusal(unbookable) ? unbookable : asked
  },
  decide: (state: LoanState, asked: Asked | null) =>
    asked === null ? [] : Loan.decide.repay(state, asked),
  answer: (events) => {
    const accepted = dataOf<Accepted>(events, 'LoanRepaymentAccepted')
    const { loan, repayment, account, amount, interest, principal, recovered } = accepted
    const split = { amount, interest, principal, recovered }
    return { loan, repayment, step: `repay:${repayment}`, account, ...split }
  },
})

/** The clock's look at what has become due and is not paid. */
export const ageLoan = loanCommand({
  name: 'loans.age',
  permission: 'clock:work',
  input: z.strictObject({ loan: Identifier }),
  enrich: async ({ loan }, { ports, at }) => {
    const { request } = await lookAtLoan(ports, loan)
    if (!request) return noLoan(loan)
    const { timeZone } = (await bookAsItStands(ports, request.book)).state
    return { loan, at, day: dayOf(at, timeZone) }
  },
  decide: Loan.decide.age,
  answer: (events, { loan }) => ({ loan, recorded: events.length }),
})
