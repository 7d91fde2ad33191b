import { z } from '@hono/zod-openapi'
import {
  approveLoan,
  carryOutLoan,
  rejectLoan,
  repayLoan,
  requestLoan,
  writeOffLoan,
} from '../../commands/loans/index.ts'
import { LoanApplication } from '../../domain/loans/application.ts'
import { AgeingBucket, LoanProduct } from '../../domain/loans/schedules.ts'
import {
  findLoanAccount,
  getLoan,
  getLoanApplication,
  getLoanSchedule,
  listLoans,
} from '../../projections/loans/queries.ts'
import { LoanStatus } from '../../projections/loans/rows.ts'
import { tell } from '../contract.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Loans'
const book = 'main'

const Loan = z
  .object({
    loan: z.string(),
    number: z.int(),
    book: z.string(),
    asset: z.string(),
    borrower: z.string(),
    borrower_number: z.int().nullable(),
    product: LoanProduct,
    amount: views.Minor,
    rate_basis_points: z.int().openapi({ description: 'a year', example: 1250 }),
    term_months: z.int(),
    status: LoanStatus,
    requested_by: z.string(),
    requested_at: views.Timestamp,
    account: views.Code.nullable(),
    account_id: z.int().nullable(),
    decided_by: z.string().nullable(),
    decided_at: views.Timestamp.nullable(),
    disbursed_at: views.Timestamp.nullable(),
    instalment: views.Minor.openapi({ description: 'each month, but for the rounding' }),
    interest: views.Minor.openapi({ description: 'of the whole term' }),
    total: views.Minor.openapi({ description: 'principal and interest' }),
    left: views.Minor.nullable().openapi({ description: 'of the total' }),
    written_off: views.Minor.nullable().openapi({ description: 'principal taken for lost' }),
    closed_at: views.Timestamp.nullable(),
    next_due: z.string().nullable(),
    next_amount: views.Minor.nullable(),
    days_past_due: z.int(),
    in_arrears: views.Minor,
    ageing: AgeingBucket,
  })
  .openapi('Loan')

const Schedule = z
  .object({
    loan: z.string(),
    instalments: z.array(
      z.object({
        ...{ instalment: z.int(), due: z.string(), principal: views.Minor },
        ...{ interest: views.Minor, amount: views.Minor, paid: views.Minor, left: views.Minor },
        overdue: z.boolean(),
      }),
    ),
  })
  .openapi('LoanSchedule')

const Application = z
  .object({
    loan: z.string(),
    application: LoanApplication.nullable(),
    reason: z.string().nullable(),
  })
  .openapi('LoanFile')

const Stepped = z.object({ loan: z.string(), step: z.string() })

const Repaid = Stepped.extend({
  ...{ repayment: z.int(), account: views.Code, amount: views.Minor },
  ...{ interest: views.Minor, principal: views.Minor, recovered: views.Minor },
})

/** Has the ledger book what was decided on; a repetition goes on where the first one ended. */
const carriedOut = (asking: Route): Route => ({
  ...asking,
  run: async (call) => {
    const answer = await asking.run(call)
    if (call.dryRun) return answer
    const { loan, step } = answer.body as z.infer<typeof Stepped>
    // The key and the revision belong to what was asked for, not to what follows.
    const following = { ...call, key: undefined, ifMatch: undefined }
    const receipt = await tell(following, carryOutLoan, { loan, step })
    return { ...answer, headers: { ...answer.headers, ...call.services.receiptHeaders(receipt) } }
  },
})

const deciding = ['LOAN_NOT_FOUND', 'LOAN_NOT_PENDING', 'MAKER_IS_CHECKER'] as const
const booking = ['LOAN_ACCOUNT_UNFIT', 'ACCOUNT_FROZEN', 'ACCOUNT_CLOSED'] as const

const account = 'customers:2231-0001'
const filed = {
  ...{ book, asset: 'GHS/2', borrower: '{holder}', amount: '50000', rate_basis_points: 1250 },
  ...{ term_months: 12, application: { purpose: 'A sewing machine' } },
}
const byId = { params: { loan: '{loan}' } }

export const loanRoutes: readonly Route[] = [
  write('post', '/v1/loans', requestLoan, {
    tag,
    summary: 'File a loan, for oneself or for a customer',
    response: z.object({ loan: z.string(), number: z.int(), status: z.literal('pending') }),
    problems: [
      'BOOK_NOT_FOUND',
      'ASSET_UNKNOWN',
      'CUSTOMER_NOT_FOUND',
      'CLIENT_NOT_ASSIGNED',
      'BALANCE_TOO_LARGE',
    ],
    location: ({ loan }) => `/v1/loans/${loan}`,
    example: { body: filed, capture: { loan: 'loan' } },
    furtherExamples: [
      {
        body: { ...filed, product: 'declining_balance' },
        capture: { other_loan: 'loan' },
      },
    ],
  }),
  read('/v1/loans', listLoans, {
    tag,
    summary: 'List loans, newest first',
    response: views.pageOf(Loan, 'Loan'),
    problems: ['BAD_CURSOR'],
    example: { query: { book, status: 'pending' } },
  }),
  read('/v1/loans/{loan}', getLoan, {
    tag,
    summary: 'Show a loan, with what is overdue of it now',
    response: Loan,
    problems: ['RESOURCE_NOT_FOUND'],
    example: byId,
  }),
  read('/v1/loans/{loan}/application', getLoanApplication, {
    tag,
    summary: 'Show what the borrower said of himself, and what was written about him',
    response: Application,
    problems: ['RESOURCE_NOT_FOUND'],
    example: byId,
  }),
  read('/v1/loans/{loan}/account', findLoanAccount, {
    tag,
    summary: 'Show which account a loan would be paid out to',
    description: "The borrower's oldest active savings account, or else any that is active.",
    response: z.object({ account: views.Code.nullable() }),
    example: byId,
  }),
  carriedOut(
    write('post', '/v1/loans/{loan}/approve', approveLoan, {
      tag,
      summary: 'Approve a loan, which pays it out; never by whoever filed it, or borrows',
      status: 200,
      response: Stepped,
      problems: [...deciding, ...booking, 'LOAN_ABOVE_LIMIT'],
      example: { ...byId, body: { account }, by: 'another' },
    }),
  ),
  write('post', '/v1/loans/{loan}/reject', rejectLoan, {
    tag,
    summary: 'Reject a loan; never by whoever filed it, or borrows',
    status: 200,
    response: z.object({ loan: z.string(), status: z.literal('rejected') }),
    problems: deciding,
    example: {
      params: { loan: '{other_loan}' },
      body: { reason: 'The income does not carry it' },
      by: 'another',
    },
  }),
  read('/v1/loans/{loan}/schedule', getLoanSchedule, {
    tag,
    summary: 'Show what has to be paid when, and what of it is paid',
    response: Schedule,
    problems: ['RESOURCE_NOT_FOUND'],
    example: byId,
  }),
  carriedOut(
    write('post', '/v1/loans/{loan}/repay', repayLoan, {
      tag,
      summary: 'Repay from an account of the borrower',
      description:
        'The oldest instalment first, interest before principal; never more than is owed.',
      response: Repaid,
      problems: [
        ...[...booking, 'LOAN_NOT_FOUND', 'LOAN_NOT_RUNNING', 'LOAN_STEP_UNDER_WAY'],
        ...['REPAYMENT_TOO_LARGE', 'INSUFFICIENT_FUNDS', 'VELOCITY_LIMIT'],
      ] as const,
      example: { ...byId, body: { account, amount: '5000' } },
    }),
  ),
  carriedOut(
    write('post', '/v1/loans/{loan}/write-off', writeOffLoan, {
      tag,
      summary: 'Take the principal of a loan in default for lost; never by whoever approved it',
      status: 200,
      response: Stepped,
      problems: [
        ...['LOAN_NOT_FOUND', 'LOAN_NOT_DEFAULTED', 'LOAN_STEP_UNDER_WAY'],
        ...['NOTHING_TO_WRITE_OFF', 'MAKER_IS_CHECKER'],
      ] as const,
      example: {
        ...{ ...byId, body: { reason: 'Moved away' } },
        refused: 'MAKER_IS_CHECKER',
      },
    }),
  ),
]
