import type { z } from '@hono/zod-openapi'
import {
  approveLoan,
  carryOutLoan,
  rejectLoan,
  repayLoan,
  requestLoan,
  writeOffLoan,
} from '../../commands/loans/index.ts'
import { findDeposit, findHolder } from '../../projections/deposit_pages.ts'
import {
  findLoan,
  findLoanAccount,
  getLoanSchedule,
  pageLoans,
} from '../../projections/loans/queries.ts'
import type { LoanFileView } from '../../projections/loans/rows.ts'
import { ask, route, tell } from '../contract.ts'
import { answerOnce } from '../kept_answers.ts'
import { numberedPage, numberedPageOf } from '../numbered_pages.ts'
import { invalidField, ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { ADMIN, afterwards, found, kept, noSuch, STAFF } from './accounts.ts'
import { ById, Filing, Listing, Rejection, Repayment, WriteOff } from './loan_inputs.ts'
import { Loan, loanShownTo, Schedule, scheduleOf } from './loan_views.ts'

const tag = 'Loans'
const headers = ['X-Idempotency-Key'] as const

const find = (call: Call, number: number): Promise<LoanFileView> =>
  ask(call, findLoan, { ...kept, number })

const show = async (call: Call, number: number) => ({
  body: loanShownTo(call.identity)(await find(call, number)),
})

/** Has the ledger book what was decided on. The key belongs to the request, not to what follows. */
const settle = async (call: Call, step: { readonly loan: string; readonly step: string }) => {
  const { loan, step: name } = step
  await tell({ ...call, key: undefined }, carryOutLoan, { loan, step: name })
}

const borrowerOf = async (call: Call, number: number): Promise<string> => {
  const holder = await found(ask({ ...call, reach: 'all' }, findHolder, { number }))
  if (!holder) throw new ProblemError(invalidField('user', noSuch(number)))
  // Whoever may file only for himself learns nothing of others.
  if (call.reach === 'own' && holder.user !== call.identity.id) {
    throw new ProblemError(problem('CLIENT_NOT_ASSIGNED', 'You file loans for yourself.'))
  }
  return holder.user
}

const file = async (call: Call<z.infer<typeof Filing>>) => {
  const {
    user,
    loan_type: product,
    amount,
    interest_rate,
    term_months,
    ...application
  } = call.input
  const borrower = user ? await borrowerOf(call, user) : call.identity.id
  const terms = { ...{ product, amount, term_months }, rate_basis_points: interest_rate }
  const asked = { ...kept, borrower, ...terms, application }
  const { answer } = await tell(call, requestLoan, asked)
  return show(afterwards(call), answer.number)
}

const approve = async (call: Call<z.infer<typeof ById>>) => {
  const { loan, number } = await find(call, call.input.id)
  const { account } = await ask(call, findLoanAccount, { loan })
  const { answer } = await tell(call, approveLoan, { loan, account })
  await settle(call, answer)
  return show(afterwards(call), number)
}

const reject = async (call: Call<z.infer<typeof Rejection>>) => {
  const { loan, number } = await find(call, call.input.id)
  await tell(call, rejectLoan, { loan, reason: call.input.reason })
  return show(afterwards(call), number)
}

const accountOf = async (call: Call, { account }: LoanFileView, id: number | null | undefined) => {
  if (!id) {
    // Before it is paid out there is none, and nothing to repay.
    if (account !== null) return account
    throw new ProblemError(problem('LOAN_NOT_RUNNING', 'Nothing is owed on this loan.'))
  }
  const given = await found(ask(call, findDeposit, { ...kept, id }))
  if (!given) throw new ProblemError(invalidField('account', noSuch(id)))
  return given.account
}

const repay = async (call: Call<z.infer<typeof Repayment>>) => {
  const { id, amount, account: given } = call.input
  const before = await find(call, id)
  const account = await accountOf(call, before, given)
  const { answer } = await tell(call, repayLoan, { loan: before.loan, account, amount })
  await settle(call, answer)
  return show(afterwards(call), id)
}

const writeOff = async (call: Call<z.infer<typeof WriteOff>>) => {
  const { loan, number } = await find(call, call.input.id)
  const { answer } = await tell(call, writeOffLoan, { loan, reason: call.input.reason })
  await settle(call, answer)
  return show(afterwards(call), number)
}

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const { status, user, page, page_size } = call.input
  const asked = {
    ...{ ...kept, page, page_size },
    ...(status !== undefined && { statuses: [status] }),
    ...(user !== undefined && { borrower_number: user }),
  }
  const loans = await ask(call, pageLoans, asked)
  return { body: numberedPage(call, call.input, loans, loanShownTo(call.identity)) }
}

const showSchedule = async (call: Call<z.infer<typeof ById>>) => {
  const { loan, number } = await find(call, call.input.id)
  return { body: scheduleOf(number, await ask(call, getLoanSchedule, { loan })) }
}

const deciding = ['RESOURCE_NOT_FOUND', 'LOAN_NOT_PENDING', 'MAKER_IS_CHECKER'] as const
const booking = ['LOAN_ACCOUNT_UNFIT', 'ACCOUNT_FROZEN', 'ACCOUNT_CLOSED'] as const
const byId = { params: { id: '{coastal_loan}' } }
const filed = { user: '{ada_number}', amount: '500.00', interest_rate: '10.0', term_months: 12 }

export const loanRoutes: readonly Route[] = [
  route('post', '/api/loans/', 'loans:request', {
    tag,
    summary: "File a loan: customers their own, staff also a customer's",
    description: 'Interest is `simple` (on the whole amount) or on a `declining_balance`.',
    status: 201,
    headers,
    input: Filing,
    response: Loan,
    problems: ['CLIENT_NOT_ASSIGNED', 'BOOK_NOT_FOUND', 'ASSET_UNKNOWN', 'BALANCE_TOO_LARGE'],
    example: {
      ...{ ...STAFF, capture: { coastal_loan: 'id' } },
      body: { ...filed, purpose: 'Stock for the shop', monthly_income: '2750.00' },
    },
    furtherExamples: [{ ...STAFF, body: filed, capture: { coastal_other_loan: 'id' } }],
    run: (call) => answerOnce(call, file),
  }),
  route('get', '/api/loans/', 'loans:read', {
    tag,
    summary: 'List loans, newest first: staff see all, customers their own',
    input: Listing,
    response: numberedPageOf(Loan, 'CoastalLoan'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, query: { status: 'pending' } },
    run: list,
  }),
  route('get', '/api/loans/{id}/', 'loans:read', {
    tag,
    summary: 'Show a loan, with what is overdue of it now',
    input: ById,
    response: Loan,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, ...byId },
    run: (call) => show(call, call.input.id),
  }),
  route('get', '/api/loans/{id}/schedule/', 'loans:read', {
    tag,
    summary: 'Show what has to be paid when, and what of it is paid',
    input: ById,
    response: Schedule,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, ...byId },
    run: showSchedule,
  }),
  route('post', '/api/loans/{id}/approve/', 'loans:approve', {
    tag,
    summary: 'Approve a loan, which pays it out: never by whoever filed it, or borrows',
    description:
      "To the borrower's oldest active savings account, or else any that is active. An operations " +
      'manager approves less than 1,000.00.',
    headers,
    input: ById,
    response: Loan,
    problems: [...deciding, ...booking, 'LOAN_ABOVE_LIMIT'],
    example: { ...ADMIN, ...byId, body: {} },
    run: (call) => answerOnce(call, approve),
  }),
  route('post', '/api/loans/{id}/reject/', 'loans:approve', {
    tag,
    summary: 'Reject a loan: never by whoever filed it, or borrows',
    headers,
    input: Rejection,
    response: Loan,
    problems: deciding,
    example: {
      ...{ ...ADMIN, params: { id: '{coastal_other_loan}' } },
      body: { reason: 'The income does not carry it' },
    },
    run: (call) => answerOnce(call, reject),
  }),
  route('post', '/api/loans/{id}/repay/', 'loans:repay', {
    tag,
    summary: 'Repay a loan from an account of its borrower',
    description: 'The oldest instalment first, interest before principal; never more than is owed.',
    headers,
    input: Repayment,
    response: Loan,
    problems: [
      ...[...booking, 'RESOURCE_NOT_FOUND', 'LOAN_NOT_RUNNING', 'LOAN_STEP_UNDER_WAY'],
      ...['REPAYMENT_TOO_LARGE', 'INSUFFICIENT_FUNDS', 'VELOCITY_LIMIT'],
    ] as const,
    example: { ...STAFF, ...byId, body: { amount: '45.83' } },
    run: (call) => answerOnce(call, repay),
  }),
  route('post', '/api/loans/{id}/write-off/', 'loans:write_off', {
    tag,
    summary: 'Take the principal of a loan in default for lost: never by whoever approved it',
    headers,
    input: WriteOff,
    response: Loan,
    problems: [
      ...['RESOURCE_NOT_FOUND', 'LOAN_NOT_DEFAULTED', 'LOAN_STEP_UNDER_WAY'],
      ...['NOTHING_TO_WRITE_OFF', 'MAKER_IS_CHECKER'],
    ] as const,
    example: {
      ...{ ...ADMIN, params: { id: '{coastal_other_loan}' } },
      ...{ body: { reason: 'Moved away' }, refused: 'LOAN_NOT_DEFAULTED' },
    },
    run: (call) => answerOnce(call, writeOff),
  }),
]
