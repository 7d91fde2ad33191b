import { z } from 'zod'
import { isRefusal } from '../../domain/kernel.ts'
import { AccountCode, Identifier } from '../../domain/ledger/events.ts'
import { Loan, SMALL_LOAN_BELOW } from '../../domain/loans/index.ts'
import { reachOf } from '../../domain/permissions.ts'
import type { Ports } from '../ports.ts'
import { loanCommand, lookAtLoan, noLoan, openLoanAccounts, unfitAccount } from './bookings.ts'

const ByLoan = { loan: Identifier }

/** Lets a loan be paid out to an account of its borrower; carrying it out comes next. */
export const approveLoan = loanCommand({
  name: 'loans.approve',
  permission: 'loans:approve',
  /** `account`: null where the borrower has none, which is refused last. */
  input: z.strictObject({ ...ByLoan, account: AccountCode.nullable() }),
  enrich: async ({ loan, account }, enrichment) => {
    const { ports, context, at } = enrichment
    const isTrusted = reachOf(context.actor.roles, 'loans:approve_large') !== undefined
    const approval = {
      ...{ loan, account, below: isTrusted ? null : SMALL_LOAN_BELOW },
      ...{ approved_by: context.actor.id, approved_at: at },
    }
    if (await enrichment.isRepeated()) return approval
    const state = await lookAtLoan(ports, loan)
    if (!state.request) return noLoan(loan)
    // Nothing is opened for what is refused.
    const tried = Loan.decide.approve(state, approval)
    if (isRefusal(tried)) return tried
    const unfit = account && (await unfitAccount(ports, state.request, account))
    if (unfit) return unfit
    const opened = await openLoanAccounts(enrichment, state.request)
    return isRefusal(opened) ? opened : approval
  },
  decide: Loan.decide.approve,
  answer: (_events, { loan }) => ({ loan, step: 'disburse' }),
})

/** What is written about a borrower lies in the log sealed, as all that is personal. */
const sealReason = async (ports: Ports, loan: string, reason: string): Promise<string> => {
  const { request } = await lookAtLoan(ports, loan)
  return request ? ports.vault.seal(request.borrower, { reason }) : ''
}

export const rejectLoan = loanCommand({
  name: 'loans.reject',
  permission: 'loans:approve',
  input: z.strictObject({ ...ByLoan, reason: z.string().trim().max(256).default('') }),
  enrich: async ({ loan, reason }, { ports, context, at }) => ({
    ...{ loan, reason: context.dryRun ? '' : await sealReason(ports, loan, reason) },
    ...{ rejected_by: context.actor.id, rejected_at: at },
  }),
  decide: Loan.decide.reject,
  answer: (_events, { loan }) => ({ loan, status: 'rejected' as const }),
})

/** Takes the principal of a loan in default for lost; booking it comes next. */
export const writeOffLoan = loanCommand({
  name: 'loans.write_off',
  permission: 'loans:write_off',
  input: z.strictObject({ ...ByLoan, reason: z.string().trim().min(1).max(256) }),
  enrich: async ({ loan, reason }, { ports, context, at }) => ({
    ...{ loan, reason: context.dryRun ? '' : await sealReason(ports, loan, reason) },
    ...{ accepted_by: context.actor.id, accepted_at: at },
  }),
  decide: Loan.decide.writeOff,
  answer: (_events, { loan }) => ({ loan, step: 'write-off' }),
})
