import { z } from 'zod'
import { BookId, Identifier } from '../../domain/ledger/events.ts'
import { LoanApplication } from '../../domain/loans/application.ts'
import {
  ageingOf,
  costOf,
  type Instalment,
  type LoanProduct,
  spread,
} from '../../domain/loans/schedules.ts'
import type { Vault } from '../../domain/vault.ts'
import { type Asker, query } from '../kernel.ts'
import { decodeCursor, type NumberedPage, pageOf, paging } from '../paging.ts'
import { type Conditions, conditions } from '../select.ts'
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

const onlyOwn = (where: Conditions, { reach, id }: Asker): void => {
  if (reach === 'own') where.add('l.borrower = ?', id)
}

type Sealed = { application: string; reason: string | null }

/** What depends on the day is worked out as of the moment of asking. */
const selectLoans = async (
  sql: Database,
  where: Conditions,
  asker: Asker,
  rest: string,
): Promise<(LoanView & Sealed)[]> => {
  const now = `${where.value(asker.at)}::timestamptz`
  onlyOwn(where, asker)
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

const withoutFile = ({ application: _application, reason: _reason, ...loan }: LoanView & Sealed) =>
  loan

const openFiles = async (
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

const reads = ['loans', 'accounts', 'users']

/** Newest first. */
export const listLoans = query({
  name: 'loans.list',
  permission: 'loans:read',
  input: z.strictObject({
    ...{ book: BookId, status: LoanStatus.optional(), borrower: Identifier.optional() },
    ...paging,
  }),
  reads,
  run: async (sql, { book, status, borrower, cursor, limit }, asker) => {
    const where = conditions()
    where.add('l.book = ?', book)
    where.addIf('l.status = ?', status)
    where.addIf('l.borrower = ?', borrower)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('l.number < ?::bigint', ...after)
    const rows = await selectLoans(sql, where, asker, `order by l.number desc limit ${limit + 1}`)
    return pageOf(rows.map(withoutFile), limit, ({ number }) => [`${number}`])
  },
})

export const getLoan = query({
  name: 'loans.get',
  permission: 'loans:read',
  input: z.strictObject({ loan: Identifier }),
  reads,
  run: async (sql, { loan }, asker) => {
    const where = conditions()
    where.add('l.loan = ?', loan)
    const [found] = await selectLoans(sql, where, asker, '')
    return found && withoutFile(found)
  },
})

/** What the borrower said of himself, and what was written about him. */
export const getLoanApplication = query({
  name: 'loans.application',
  permission: 'members:personal',
  input: z.strictObject({ loan: Identifier }),
  reads,
  run: async (sql, { loan }, asker, vault) => {
    const where = conditions()
    where.add('l.loan = ?', loan)
    const [found] = await openFiles(vault, await selectLoans(sql, where, asker, ''))
    return found && { loan, application: found.application, reason: found.reason }
  },
})

/** By the number that contracts with integer ids call it. */
export const findLoan = query({
  name: 'loans.find',
  permission: 'loans:read',
  input: z.strictObject({ book: BookId, asset: z.string(), number: z.int() }),
  reads,
  run: async (sql, { book, asset, number }, asker, vault) => {
    const where = conditions()
    where.add('l.book = ? and l.asset = ? and l.number = ?', book, asset, number)
    return (await openFiles(vault, await selectLoans(sql, where, asker, '')))[0]
  },
})

/** A numbered page, newest first. */
export const pageLoans = query({
  name: 'loans.page',
  permission: 'loans:read',
  input: z.strictObject({
    ...{ book: BookId, asset: z.string(), statuses: z.array(LoanStatus).optional() },
    ...{ borrower_number: z.int().optional() },
    ...{ page: z.int().min(1), page_size: z.int().min(1).max(100) },
  }),
  reads,
  run: async (sql, input, asker, vault): Promise<NumberedPage<LoanFileView>> => {
    const { book, asset, statuses, borrower_number, page, page_size } = input
    const wanted = (): Conditions => {
      const where = conditions()
      where.add('l.book = ? and l.asset = ?', book, asset)
      where.addIf('l.status = any(?)', statuses)
      where.addIf('u.number = ?', borrower_number)
      return where
    }
    const counting = wanted()
    onlyOwn(counting, asker)
    const { rows } = await sql.query<{ count: string }>(
      `select count(*) as count from loans l left join users u on u.id = l.borrower
       ${counting.where()}`,
      counting.values,
    )
    const rest = `order by l.number desc limit ${page_size} offset ${(page - 1) * page_size}`
    const results = await openFiles(vault, await selectLoans(sql, wanted(), asker, rest))
    return { count: Number(rows[0]?.count ?? 0), results }
  },
})

/** What of each instalment is paid; there are none before the loan is paid out. */
export const getLoanSchedule = query({
  name: 'loans.schedule',
  permission: 'loans:read',
  input: z.strictObject({ loan: Identifier }),
  reads: ['loans', 'accounts'],
  run: async (sql, { loan }, asker) => {
    const where = conditions()
    where.add('l.loan = ?', loan)
    onlyOwn(where, asker)
    const found = await sql.query<{ paid: string; today: string }>(
      `select coalesce(l.total - l.left_amount, 0)::text as paid,
         (${where.value(asker.at)}::timestamptz at time zone b.time_zone)::date::text as today
       from loans l join books b on b.book = l.book${where.where()}`,
      where.values,
    )
    const [row] = found.rows
    if (!row) return undefined
    const { rows } = await sql.query<Instalment>(
      `select due::text as due, principal, interest from loan_instalments
       where loan = $1 order by instalment`,
      [loan],
    )
    const instalments = spread(rows, BigInt(row.paid)).map(({ paid, ...one }, index) => {
      const amount = BigInt(one.principal) + BigInt(one.interest)
      const done = paid.principal + paid.interest
      const amounts = { amount: `${amount}`, paid: `${done}`, left: `${amount - done}` }
      const overdue = done < amount && one.due < row.today
      return { instalment: index + 1, ...one, ...amounts, overdue }
    })
    return { loan, instalments }
  },
})

/** The borrower's account that a loan is paid out to: his oldest active savings, else any. */
export const findLoanAccount = query({
  name: 'loans.account',
  permission: 'loans:approve',
  input: z.strictObject({ loan: Identifier }),
  reads,
  run: async (sql, { loan }) => {
    const { rows } = await sql.query<{ account: string }>(
      `select a.account from loans l join accounts a on a.book = l.book
         and a.owner = l.borrower and a.asset = l.asset and a.status = 'active'
         and a.metadata->>'product' is not null
       where l.loan = $1
       order by a.metadata->>'product' = 'member_savings' desc, a.opened_at,
         (a.metadata->>'id')::bigint
       limit 1`,
      [loan],
    )
    return { account: rows[0]?.account ?? null }
  },
})
