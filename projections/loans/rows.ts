import { z } from 'zod'
import { LoanApplication } from '../../domain/loans/application.ts'
import { ageingOf, costOf, type LoanProduct } from '../../domain/loans/schedules.ts'
import type { Vault } from '../../domain/vault.ts'
import type { Asker } from '../kernel.ts'
import { onlyReached } from '../reach.ts'
import type { Conditions } from '../select.ts'
import type { Database } from '../table.ts'

/** approved: on its way to the borrower's account. */
export const LoanStatus = z.enum([
  ...['pending', 'approved', 'rejected', 'active', 'paid_off', 'defaulted', 'written_off'],
] as const)

type Row = {
  loan: string
  book: string
  asset: string
  borrower: string
  product: LoanProduct
  amount: string
  rate_basis_points: number
  term_months: number
  status: z.infer<typeof LoanStatus>
  requested_by: string
  requested_at: Date
  /** What it is paid out to. */
  account: string | null
  decided_by: string | null
  decided_at: Date | null
  disbursed_at: Date | null
  /** Principal and interest that are not paid; null before it is paid out. */
  left: string | null
  written_off: string | null
  closed_at: Date | null
  next_due: string | null
  next_amount: string | null
  days_past_due: number
  in_arrears: string
}

type Numbers<Value> = {
  number: Value
  /** What contracts with integer ids call the borrower and the account. */
  borrower_number: Value | null
  account_id: Value | null
}

/** Nobody's application and nothing that was written about him. */
export type LoanView = Row &
  Numbers<number> & {
    ageing: ReturnType<typeof ageingOf>
    /** By the terms: what each month takes, and what it comes to. */
    instalment: string
    interest: string
    total: string
  }

/** Null where the borrower was forgotten. */
export type LoanFileView = LoanView & {
  readonly application: LoanApplication | null
  readonly reason: string | null
}

type Sealed = { application: string; reason: string | null }

/** What depends on the day is worked out as of the moment of asking. */
export const selectLoans = async (
  sql: Database,
  where: Conditions,
  asker: Asker,
  rest: string,
): Promise<(LoanView & Sealed)[]> => {
  const now = `${where.value(asker.at)}::timestamptz`
  onlyReached(where, asker, 'l.borrower')
  const { rows } = await sql.query<Row & Numbers<string> & Sealed>(
    `select l.loan, l.number, l.book, l.asset, l.borrower, u.number as borrower_number, l.product,
       l.amount, l.rate_basis_points, l.term_months, l.status, l.requested_by, l.requested_at,
       l.account, a.metadata->>'id' as account_id, l.decided_by, l.decided_at, l.disbursed_at,
       l.left_amount as left, l.written_off, l.closed_at, l.application, l.reason,
       n.due::text as next_due, n.amount as next_amount,
       greatest(0, coalesce(t.today - n.due, 0)) as days_past_due,
       greatest(0, coalesce(o.through - (l.total - l.left_amount), 0))::text as in_arrears
     from loans l join books b on b.book = l.book
       cross join lateral (select (${now} at time zone b.time_zone)::date as today) t
       left join users u on u.id = l.borrower
       left join accounts a on a.book = l.book and a.account = l.account
       left join lateral (
         select i.due, i.through - (l.total - l.left_amount) as amount from loan_instalments i
         where i.loan = l.loan and i.through > l.total - l.left_amount
           and l.status in ('active', 'defaulted')
         order by i.instalment limit 1) n on true
       left join lateral (
         select i.through from loan_instalments i
         where i.loan = l.loan and i.due < t.today and l.status in ('active', 'defaulted')
         order by i.instalment desc limit 1) o on true
     ${where.where()} ${rest}`,
    where.values,
  )
  const numberOf = (text: string | null): number | null => (text === null ? null : Number(text))
  return rows.map((row) => ({
    ...row,
    ...{ number: Number(row.number), borrower_number: numberOf(row.borrower_number) },
    ...{ account_id: numberOf(row.account_id), ageing: ageingOf(row.days_past_due) },
    ...costOf(row),
  }))
}

export const withoutFile = ({
  application: _application,
  reason: _reason,
  ...loan
}: LoanView & Sealed) => loan

export const openFiles = async (
  vault: Vault,
  loans: readonly (LoanView & Sealed)[],
): Promise<LoanFileView[]> => {
  const sealed = loans.flatMap(({ borrower: subject, application, reason }) => [
    { subject, sealed: application },
    ...(reason === null ? [] : [{ subject, sealed: reason }]),
  ])
  const opened = [...(await vault.openAll(sealed))]
  return loans.map((loan) => {
    const written = opened.shift()?.application
    const reason = loan.reason === null ? null : (opened.shift()?.reason ?? null)
    const application = written === undefined ? null : LoanApplication.parse(JSON.parse(written))
    return { ...loan, application, reason }
  })
}
