import { z } from '@hono/zod-openapi'
import type { LoanApplication } from '../../domain/loans/application.ts'
import { AgeingBucket, LoanProduct } from '../../domain/loans/schedules.ts'
import type { getLoanSchedule } from '../../projections/loans/queries.ts'
import { type LoanFileView, LoanStatus } from '../../projections/loans/rows.ts'
import { instant } from '../formats.ts'
import type { Identity } from '../services.ts'
import { Cedis, cedis } from './amounts.ts'
import { masks } from './masking.ts'
import { seesPersonal } from './views.ts'

const Supporter = z.object({
  ...{ name: z.string(), phone: z.string(), relationship: z.string() },
  ...{ address: z.string(), id_number: z.string() },
})

export const Loan = z
  .object({
    id: z.int(),
    user: z.int().nullable(),
    loan_type: LoanProduct,
    amount: Cedis,
    interest_rate: z.string().openapi({ example: '12.50', description: 'percent a year' }),
    term_months: z.int(),
    status: LoanStatus,
    purpose: z.string(),
    id_type: z.string(),
    id_number: z.string(),
    date_of_birth: z.string(),
    next_of_kin: Supporter.nullable(),
    guarantors: z.array(Supporter),
    monthly_income: z.string(),
    employment_status: z.string(),
    employer: z.string(),
    occupation: z.string(),
    monthly_payment: Cedis,
    total_interest: Cedis,
    total_payable: Cedis,
    amount_paid: Cedis,
    outstanding_balance: Cedis,
    written_off_amount: Cedis.nullable(),
    disbursed_to: z.int().nullable(),
    disbursed_at: z.string().nullable(),
    next_payment_date: z.string().nullable(),
    next_payment_amount: Cedis.nullable(),
    days_past_due: z.int(),
    amount_in_arrears: Cedis,
    ageing_bucket: AgeingBucket,
    rejection_reason: z.string().nullable(),
    created_at: z.string(),
    decided_at: z.string().nullable(),
    closed_at: z.string().nullable(),
  })
  .openapi('CoastalLoan')

type Masks = typeof masks
const plainly = (given: string): string => given
const unmasked: Masks = {
  ...{ idNumber: plainly, phone: plainly, birthDate: plainly, income: plainly },
  ...{ name: plainly, text: plainly },
}

const supporterBy =
  (shown: Masks) =>
  (supporter: LoanApplication['guarantors'][number]): z.infer<typeof Supporter> => ({
    name: shown.name(supporter.name),
    phone: shown.phone(supporter.phone ?? ''),
    relationship: shown.text(supporter.relationship ?? ''),
    address: shown.text(supporter.address ?? ''),
    id_number: shown.idNumber(supporter.id_number ?? ''),
  })

const personalOf = (application: LoanApplication | null, shown: Masks) => {
  const known: LoanApplication = application ?? { guarantors: [] }
  const income = known.monthly_income
  return {
    purpose: shown.text(known.purpose ?? ''),
    id_type: known.id_type ?? '',
    id_number: shown.idNumber(known.id_number ?? ''),
    date_of_birth: shown.birthDate(known.date_of_birth ?? ''),
    next_of_kin: known.next_of_kin ? supporterBy(shown)(known.next_of_kin) : null,
    guarantors: known.guarantors.map(supporterBy(shown)),
    monthly_income: income === undefined ? '' : shown.income(cedis(income)),
    employment_status: shown.text(known.employment_status ?? ''),
    employer: shown.text(known.employer ?? ''),
    occupation: shown.text(known.occupation ?? ''),
  }
}

/** `1250` basis points as `12.50` percent. */
const percent = (basisPoints: number): string => (basisPoints / 100).toFixed(2)

const whenKnown = <Known, Shown>(known: Known | null, show: (known: Known) => Shown) =>
  known === null ? null : show(known)

/** What is still to be paid: nothing of a loan that is not paid out, or that is done with. */
const balancesOf = ({ left, total }: LoanFileView) => ({
  amount_paid: cedis(left === null ? '0' : (BigInt(total) - BigInt(left)).toString()),
  outstanding_balance: cedis(left ?? '0'),
})

/** A loan as it is shown to somebody. What is personal is masked below managers. */
export const loanShownTo = (identity: Pick<Identity, 'roles'>) => {
  const shown = seesPersonal(identity) ? unmasked : masks
  return (loan: LoanFileView): z.infer<typeof Loan> => ({
    id: loan.number,
    user: loan.borrower_number,
    loan_type: loan.product,
    amount: cedis(loan.amount),
    interest_rate: percent(loan.rate_basis_points),
    term_months: loan.term_months,
    status: loan.status,
    ...personalOf(loan.application, shown),
    monthly_payment: cedis(loan.instalment),
    total_interest: cedis(loan.interest),
    total_payable: cedis(loan.total),
    ...balancesOf(loan),
    written_off_amount: whenKnown(loan.written_off, cedis),
    disbursed_to: loan.account_id,
    disbursed_at: whenKnown(loan.disbursed_at, instant),
    next_payment_date: loan.next_due,
    next_payment_amount: whenKnown(loan.next_amount, cedis),
    days_past_due: loan.days_past_due,
    amount_in_arrears: cedis(loan.in_arrears),
    ageing_bucket: loan.ageing,
    rejection_reason: loan.status === 'rejected' ? shown.text(loan.reason ?? '') : null,
    created_at: instant(loan.requested_at),
    decided_at: whenKnown(loan.decided_at, instant),
    closed_at: whenKnown(loan.closed_at, instant),
  })
}

export const Schedule = z
  .object({
    loan: z.int(),
    instalments: z.array(
      z.object({
        ...{ number: z.int(), due_date: z.string(), principal: Cedis, interest: Cedis },
        ...{ amount: Cedis, paid: Cedis, left: Cedis },
        status: z.enum(['paid', 'due', 'overdue']),
      }),
    ),
  })
  .openapi('CoastalLoanSchedule')

type Found = NonNullable<Awaited<ReturnType<typeof getLoanSchedule.run>>>
type Part = Found['instalments'][number]

const statusOf = ({ left, overdue }: Part) => {
  if (left === '0') return 'paid'
  return overdue ? 'overdue' : 'due'
}

export const scheduleOf = (number: number, { instalments }: Found): z.infer<typeof Schedule> => ({
  loan: number,
  instalments: instalments.map((part) => ({
    ...{ number: part.instalment, due_date: part.due },
    ...{ principal: cedis(part.principal), interest: cedis(part.interest) },
    ...{ amount: cedis(part.amount), paid: cedis(part.paid), left: cedis(part.left) },
    status: statusOf(part),
  })),
})
