import { loanEvents } from '../../domain/loans/index.ts'
import { projection } from '../kernel.ts'
import type { Table } from '../table.ts'

/** `step`: what is on its way to the ledger, and since when. */
const loans: Table = {
  name: 'loans',
  columns: {
    loan: 'text',
    number: 'bigint',
    book: 'text',
    asset: 'text',
    borrower: 'text',
    product: 'text',
    amount: 'numeric',
    rate_basis_points: 'integer',
    term_months: 'integer',
    application: 'text',
    status: 'text',
    requested_by: 'text',
    requested_at: 'timestamptz',
    account: 'text',
    decided_by: 'text',
    decided_at: 'timestamptz',
    reason: 'text',
    disbursed_at: 'timestamptz',
    total: 'numeric',
    left_amount: 'numeric',
    written_off: 'numeric',
    closed_at: 'timestamptz',
    step: 'text',
    step_since: 'timestamptz',
    next_check_on: 'date',
  },
  key: ['loan'],
  indexes: [
    ['number'],
    ['borrower', 'number'],
    ['book', 'number'],
    { columns: ['step_since'], where: 'step_since is not null' },
    { columns: ['next_check_on'], where: 'next_check_on is not null' },
  ],
}

/** `through`: what has to be paid up to and with this one. */
const instalments: Table = {
  name: 'loan_instalments',
  columns: {
    loan: 'text',
    instalment: 'integer',
    due: 'date',
    principal: 'numeric',
    interest: 'numeric',
    through: 'numeric',
  },
  key: ['loan', 'instalment'],
}

const undecided = { account: null, decided_by: null, decided_at: null, reason: null }
const unpaid = { disbursed_at: null, total: null, left_amount: null, written_off: null }
const idle = { step: null, step_since: null }

export const loanBook = projection({
  name: 'loans',
  version: 1,
  tables: [loans, instalments],
  schemas: loanEvents,
  on: {
    LoanRequested: ({ data }, rows) =>
      rows.put(loans, {
        ...{ ...data, ...undecided, ...unpaid, ...idle, status: 'pending' },
        ...{ closed_at: null, next_check_on: null },
      }),
    LoanApproved: ({ data: { loan, account, approved_by, approved_at } }, rows) =>
      rows.patch(
        loans,
        { loan },
        {
          ...{ status: 'approved', account, decided_by: approved_by, decided_at: approved_at },
          ...{ step: 'disburse', step_since: approved_at },
        },
      ),
    LoanRejected: ({ data: { loan, reason, rejected_by, rejected_at } }, rows) =>
      rows.patch(
        loans,
        { loan },
        { status: 'rejected', reason, decided_by: rejected_by, decided_at: rejected_at },
      ),
    LoanDisbursed: ({ data }, rows) => {
      const { loan, account, disbursed_at, next_check_on } = data
      let through = 0n
      for (const [index, { due, principal, interest }] of data.instalments.entries()) {
        through += BigInt(principal) + BigInt(interest)
        const instalment = { loan, instalment: index + 1, due, principal, interest }
        rows.put(instalments, { ...instalment, through: through.toString() })
      }
      const total = through.toString()
      rows.patch(
        loans,
        { loan },
        {
          ...{ status: 'active', account, disbursed_at, next_check_on, ...idle },
          ...{ total, left_amount: total },
        },
      )
    },
    LoanRepaymentAccepted: ({ data: { loan, repayment, accepted_at } }, rows) =>
      rows.patch(loans, { loan }, { step: `repay:${repayment}`, step_since: accepted_at }),
    LoanRepaid: ({ data: { loan, left, next_check_on } }, rows) =>
      rows.patch(loans, { loan }, { left_amount: left, next_check_on, ...idle }),
    LoanPaidOff: ({ data: { loan, paid_off_at } }, rows) =>
      rows.patch(loans, { loan }, { status: 'paid_off', closed_at: paid_off_at }),
    LoanWriteOffAccepted: ({ data: { loan, reason, accepted_at } }, rows) =>
      rows.patch(loans, { loan }, { reason, step: 'write-off', step_since: accepted_at }),
    LoanWrittenOff: ({ data: { loan, amount, written_off_at } }, rows) =>
      rows.patch(
        loans,
        { loan },
        {
          ...{ status: 'written_off', written_off: amount, closed_at: written_off_at },
          ...{ next_check_on: null, ...idle },
        },
      ),
    LoanStepFailed: ({ data: { loan, step } }, rows) =>
      rows.patch(
        loans,
        { loan },
        // What was not paid out waits to be decided about again.
        { ...idle, ...(step === 'disburse' && { status: 'pending', ...undecided }) },
      ),
    LoanInstalmentMissed: ({ data: { loan, next_check_on } }, rows) =>
      rows.patch(loans, { loan }, { next_check_on }),
    LoanDefaulted: ({ data: { loan, next_check_on } }, rows) =>
      rows.patch(loans, { loan }, { status: 'defaulted', next_check_on }),
  },
})
