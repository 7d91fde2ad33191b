import { z } from 'zod'
import { BookId, Identifier } from '../../domain/ledger/events.ts'
import { type Instalment, spread } from '../../domain/loans/schedules.ts'
import { query } from '../kernel.ts'
import { numbering, readNumbered } from '../numbered.ts'
import { decodeCursor, type NumberedPage, pageOf, paging } from '../paging.ts'
import { onlyReached } from '../reach.ts'
import { type Conditions, conditions } from '../select.ts'
import { type LoanFileView, LoanStatus, openFiles, selectLoans, withoutFile } from './rows.ts'

const reads = ['loans', 'accounts', 'users', 'assignments']

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
    ...numbering,
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
    onlyReached(counting, asker, 'l.borrower')
    const from = 'from loans l left join users u on u.id = l.borrower'
    const numbered = { page, page_size, from, where: counting, order: 'l.number desc' }
    return readNumbered(sql, numbered, async (rest) =>
      openFiles(vault, await selectLoans(sql, wanted(), asker, rest)),
    )
  },
})

/** What of each instalment is paid; there are none before the loan is paid out. */
export const getLoanSchedule = query({
  name: 'loans.schedule',
  permission: 'loans:read',
  input: z.strictObject({ loan: Identifier }),
  reads: ['loans', 'accounts', 'assignments'],
  run: async (sql, { loan }, asker) => {
    const where = conditions()
    where.add('l.loan = ?', loan)
    onlyReached(where, asker, 'l.borrower')
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
