import { decider } from '../kernel.ts'
import {
  age,
  approve,
  complete,
  fail,
  reject,
  repay,
  request,
  SMALL_LOAN_BELOW,
  writeOff,
} from './decisions.ts'
import { loanEvents } from './events.ts'
import {
  disbursementOf,
  initialLoan,
  type LoanState,
  repaymentOf,
  requestOf,
  writeOffOf,
} from './state.ts'

export { loanEvents, SMALL_LOAN_BELOW }

/** Nothing is on its way to the ledger, or was refused there. */
const settled = { step: null, failure: null } as const

/** Money lent: filed, decided about, paid out, and repaid by a schedule or not. */
export const Loan = decider({
  category: 'loan',
  schemas: loanEvents,
  initial: initialLoan,
  evolve: {
    LoanRequested: (state, request): LoanState => ({ ...state, status: 'pending', request }),
    LoanApproved: (state, { account, approved_by }): LoanState => ({
      ...state,
      ...{ status: 'approved', approvedBy: approved_by },
      step: disbursementOf(requestOf(state), account),
    }),
    LoanRejected: (state): LoanState => ({ ...state, status: 'rejected' }),
    LoanDisbursed: (state, { instalments }): LoanState => ({
      ...state,
      ...settled,
      ...{ status: 'active', instalments },
    }),
    LoanRepaymentAccepted: (state, { repayment, ...data }): LoanState => ({
      ...state,
      repayments: repayment,
      step: repaymentOf(requestOf(state), { ...data, repayment }),
    }),
    LoanRepaid: (state, { amount }): LoanState => ({
      ...state,
      ...settled,
      paid: state.paid + BigInt(amount),
    }),
    LoanPaidOff: (state): LoanState => ({ ...state, status: 'paid_off' }),
    LoanWriteOffAccepted: (state, { amount }): LoanState => ({
      ...state,
      step: writeOffOf(requestOf(state), amount),
    }),
    LoanWrittenOff: (state): LoanState => ({ ...state, ...settled, status: 'written_off' }),
    LoanStepFailed: (state, { code, detail }): LoanState => ({
      ...state,
      // What was not paid out waits to be decided about again.
      ...(state.status === 'approved' && { status: 'pending', approvedBy: null }),
      ...{ step: null, failure: state.step && { step: state.step, code, detail } },
    }),
    LoanInstalmentMissed: (state, { instalment }): LoanState => ({ ...state, missed: instalment }),
    LoanDefaulted: (state): LoanState => ({ ...state, status: 'defaulted' }),
  },
  decide: { request, approve, reject, repay, writeOff, complete, fail, age },
})
