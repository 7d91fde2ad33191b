import { z } from 'zod'
import { AccountCode, BookId, Day, Identifier, Instant } from '../ledger/events.ts'
import { Amount, AmountOrZero, Asset } from '../money.ts'
import { Instalment, LoanProduct, MOST_MONTHS, RateBasisPoints, TermMonths } from './schedules.ts'

const ByLoan = { loan: Identifier }
/** What somebody wrote about the borrower. */
const SealedReason = z.string().max(4096)

/** What has to be booked: paying out, a repayment by its number, writing off. */
export const LoanStep = z.string().regex(/^(?:disburse|repay:[1-9]\d{0,8}|write-off)$/)

/** The first day on which the clock has something to record, if nothing is paid until then. */
const Check = { next_check_on: Day.nullable() }

/** A part of a repayment: interest and principal, or what comes in after a loan was written off. */
const Split = { interest: AmountOrZero, principal: AmountOrZero, recovered: AmountOrZero }

export const loanEvents = {
  LoanRequested: z.object({
    ...ByLoan,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    book: BookId,
    asset: Asset,
    borrower: Identifier,
    product: LoanProduct,
    amount: Amount,
    rate_basis_points: RateBasisPoints,
    term_months: TermMonths,
    /** Sealed under the borrower: what for, who he is, his kin, guarantors, income and work. */
    application: z.string().max(65_536),
    requested_by: Identifier,
    requested_at: Instant,
  }),
  /** It is to be paid out to the account. */
  LoanApproved: z.object({
    ...ByLoan,
    account: AccountCode,
    approved_by: Identifier,
    approved_at: Instant,
  }),
  LoanRejected: z.object({
    ...ByLoan,
    reason: SealedReason,
    rejected_by: Identifier,
    rejected_at: Instant,
  }),
  /** The money has moved: the book has the entry. */
  LoanDisbursed: z.object({
    ...{ ...ByLoan, ...Check, entry: Identifier, account: AccountCode },
    instalments: z.array(Instalment).min(1).max(MOST_MONTHS),
    disbursed_at: Instant,
  }),
  LoanRepaymentAccepted: z.object({
    ...{ ...ByLoan, ...Split, repayment: z.int().min(1), account: AccountCode, amount: Amount },
    accepted_by: Identifier,
    accepted_at: Instant,
  }),
  LoanRepaid: z.object({
    ...{ ...ByLoan, ...Split, ...Check, repayment: z.int().min(1), entry: Identifier },
    ...{ account: AccountCode, amount: Amount },
    /** What is owed after it: principal and interest of the whole schedule. */
    left: AmountOrZero,
    repaid_at: Instant,
  }),
  LoanPaidOff: z.object({ ...ByLoan, paid_off_at: Instant }),
  LoanWriteOffAccepted: z.object({
    ...ByLoan,
    /** The principal that is not paid; interest counts as income only when it is. */
    amount: Amount,
    reason: SealedReason,
    accepted_by: Identifier,
    accepted_at: Instant,
  }),
  LoanWrittenOff: z.object({
    ...{ ...ByLoan, entry: Identifier, amount: Amount },
    written_off_at: Instant,
  }),
  /** The ledger refused what was to be booked: no money has moved. */
  LoanStepFailed: z.object({
    ...{ ...ByLoan, step: LoanStep, code: z.string().max(64), detail: z.string().max(512) },
    failed_at: Instant,
  }),
  LoanInstalmentMissed: z.object({
    ...{ ...ByLoan, ...Check, instalment: z.int().min(1), due: Day },
    /** What of it is not paid. */
    amount: Amount,
    missed_at: Instant,
  }),
  /** An instalment has not been paid for more than 90 days. */
  LoanDefaulted: z.object({ ...ByLoan, ...Check, due: Day, defaulted_at: Instant }),
} as const
