import { z } from 'zod'
import { AccountCode, AccountType, BookId, Identifier } from '../../domain/ledger/events.ts'
import { Asset } from '../../domain/money.ts'
import { type Asker, query } from '../kernel.ts'
import { decodeCursor, pageOf, paging } from '../paging.ts'
import { onlyReached } from '../reach.ts'
import { conditions, escapeLike } from '../select.ts'
import type { Database } from '../table.ts'
import { At, asOf } from './at.ts'

export type BookView = {
  book: string
  name: string
  assets: string[]
  time_zone: string
  opened_at: Date
  closed_through: string | null
}

const selectBooks = `
  select b.book, b.name, b.time_zone, b.opened_at, b.closed_through::text,
    (select json_agg(a.asset order by a.asset) from book_assets a where a.book = b.book) as assets
  from books b`

export const listBooks = query({
  name: 'books.list',
  permission: 'books:read',
  input: z.strictObject(paging),
  reads: ['accounts'],
  run: async (sql, { cursor, limit }) => {
    const where = conditions()
    const after = decodeCursor(cursor, 1)
    if (after) where.add('b.book > ?', after[0])
    const text = `${selectBooks}${where.where()} order by b.book limit ${limit + 1}`
    const { rows } = await sql.query<BookView>(text, where.values)
    return pageOf(rows, limit, ({ book }) => [book])
  },
})

export const getBook = query({
  name: 'books.get',
  permission: 'books:read',
  input: z.strictObject({ book: BookId }),
  reads: ['accounts'],
  run: async (sql, { book }) => {
    const { rows } = await sql.query<BookView>(`${selectBooks} where b.book = $1`, [book])
    return rows[0]
  },
})

export type AccountView = {
  book: string
  account: string
  type: string
  asset: string
  name: string
  owner: string | null
  status: string
  status_reason: string | null
  overdraft_limit: string
  velocity_limits: object[]
  covered_by: string | null
  risk: 'gate' | 'none'
  metadata: Record<string, string>
  balance: string
  held: string
  available: string
  revision: number
  opened_at: Date
}

const held = `coalesce((select sum(h.left_amount) from holds h
  where h.book = a.book and h.account = a.account and h.status = 'open'), 0)`

const selectAccounts = `
  select a.book, a.account, a.type, a.asset, a.name, a.owner, a.status, a.status_reason,
    a.overdraft_limit, a.velocity_limits, a.covered_by, a.risk, a.metadata, a.balance, a.revision, a.opened_at,
    ${held} as held, a.balance - ${held} as available
  from accounts a`

const accountView = (row: AccountView): AccountView => ({ ...row, revision: Number(row.revision) })

export const listAccounts = query({
  name: 'accounts.list',
  permission: 'accounts:read',
  input: z.strictObject({
    book: BookId,
    type: AccountType.optional(),
    status: z.enum(['active', 'frozen', 'closed']).optional(),
    asset: Asset.optional(),
    owner: Identifier.optional(),
    prefix: z.string().max(128).optional(),
    order: z.enum(['account', '-account']).default('account'),
    ...paging,
  }),
  reads: ['accounts', 'holds', 'assignments'],
  run: async (sql, input, asker) => {
    const { book, limit, order, prefix } = input
    const where = conditions()
    where.add('a.book = ?', book)
    where.addIf('a.type = ?', input.type)
    where.addIf('a.status = ?', input.status)
    where.addIf('a.asset = ?', input.asset)
    where.addIf('a.owner = ?', input.owner)
    if (prefix !== undefined) where.add('a.account like ?', `${escapeLike(prefix)}%`)
    onlyReached(where, asker, 'a.owner')
    const backwards = order === '-account'
    const after = decodeCursor(input.cursor, 1)
    if (after) where.add(`a.account ${backwards ? '<' : '>'} ?`, after[0])
    const direction = backwards ? 'desc' : 'asc'
    const { rows } = await sql.query<AccountView>(
      `${selectAccounts}${where.where()} order by a.account ${direction} limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows.map(accountView), limit, ({ account }) => [account])
  },
})

const findAccount = async (
  sql: Database,
  book: string,
  account: string,
  asker: Asker,
): Promise<AccountView | undefined> => {
  const where = conditions()
  where.add('a.book = ? and a.account = ?', book, account)
  onlyReached(where, asker, 'a.owner')
  const { rows } = await sql.query<AccountView>(selectAccounts + where.where(), where.values)
  return rows.map(accountView)[0]
}

export const getAccount = query({
  name: 'accounts.get',
  permission: 'accounts:read',
  input: z.strictObject({ book: BookId, account: AccountCode }),
  reads: ['accounts', 'holds', 'assignments'],
  run: (sql, { book, account }, asker) => findAccount(sql, book, account, asker),
})

export type BalanceView = {
  book: string
  account: string
  asset: string
  balance: string
  held: string | null
  available: string | null
  at: string | null
}

const balanceAt = async (sql: Database, account: AccountView, at: string): Promise<string> => {
  const past = asOf(at)
  const where = conditions()
  where.add('book = ? and account = ?', account.book, account.account)
  where.add(past.condition, past.value)
  const { rows } = await sql.query<{ balance: string }>(
    `select balance from entry_lines${where.where()} order by revision desc, ordinal desc limit 1`,
    where.values,
  )
  return rows[0]?.balance ?? '0'
}

/** The balance now, with what is held and available; or with `at`, as it stood then. */
export const getBalance = query({
  name: 'balances.get',
  permission: 'accounts:read',
  input: z.strictObject({ book: BookId, account: AccountCode, at: At.optional() }),
  reads: ['accounts', 'holds', 'entries', 'assignments'],
  run: async (sql, { book, account: code, at }, asker): Promise<BalanceView | undefined> => {
    const account = await findAccount(sql, book, code, asker)
    if (!account) return undefined
    const { asset } = account
    if (at === undefined) {
      const { balance, held: withheld, available } = account
      return { book, account: code, asset, balance, held: withheld, available, at: null }
    }
    const balance = await balanceAt(sql, account, at)
    return { book, account: code, asset, balance, held: null, available: null, at }
  },
})
