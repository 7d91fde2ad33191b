import { z } from 'zod'
import { accountNumberOf, OPENING_BALANCE, type Product } from '../domain/deposits.ts'
import { AccountCode, BookId, Identifier } from '../domain/ledger/events.ts'
import { type Asker, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { onlyReached } from './reach.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database } from './table.ts'

/** A customer's account as he knows it: with its number, what it is, and what of it is free. */
export type DepositView = {
  id: number
  account: string
  account_number: string
  product: Product
  asset: string
  owner: string
  status: 'active' | 'frozen' | 'closed'
  balance: string
  available: string
  covered_by: string | null
}

type Stored = Omit<DepositView, 'id' | 'account_number'> & { id: string }

/** A hold whose time has come counts as gone, whether or not the clock's sweep was there. */
const selectDeposits = async (
  sql: Database,
  where: Conditions,
  asker: Asker,
  limit: number,
): Promise<DepositView[]> => {
  const now = `${where.value(asker.at)}::timestamptz`
  where.add(`a.metadata->>'product' is not null`)
  onlyReached(where, asker, 'a.owner')
  const { rows } = await sql.query<Stored>(
    `select a.metadata->>'id' as id, a.account, a.metadata->>'product' as product, a.asset,
       a.owner, a.status, a.balance, a.covered_by,
       a.balance - coalesce((select sum(h.left_amount) from holds h
         where h.book = a.book and h.account = a.account and h.status = 'open'
           and (h.expires_at is null or h.expires_at > ${now})), 0) as available
     from accounts a${where.where()} order by a.account limit ${limit}`,
    where.values,
  )
  return rows.map(({ id, ...row }) => ({
    ...row,
    id: Number(id),
    account_number: accountNumberOf(row.account),
  }))
}

/** One customer's accounts, by number. */
export const listDeposits = query({
  name: 'deposits.list',
  permission: 'accounts:read',
  input: z.strictObject({ book: BookId, customer: Identifier, ...paging }),
  reads: ['accounts', 'holds', 'assignments'],
  run: async (sql, { book, customer, cursor, limit }, asker) => {
    const where = conditions()
    where.add('a.book = ? and a.owner = ?', book, customer)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('a.account > ?', ...after)
    const rows = await selectDeposits(sql, where, asker, limit + 1)
    return pageOf(rows, limit, ({ account }) => [account])
  },
})

/** By the number that contracts with integer ids call it. */
export const getDeposit = query({
  name: 'deposits.get',
  permission: 'accounts:read',
  input: z.strictObject({ book: BookId, customer: Identifier, id: z.int() }),
  reads: ['accounts', 'holds', 'assignments'],
  run: async (sql, { book, customer, id }, asker) => {
    const where = conditions()
    where.add(`a.book = ? and a.owner = ? and a.metadata->>'id' = ?`, book, customer, `${id}`)
    return (await selectDeposits(sql, where, asker, 1))[0]
  },
})

/** A movement of an account as its owner sees it. */
export type MovementView = {
  kind: string
  direction: 'debit' | 'credit'
  amount: string
  balance: string
  description: string
  metadata: Record<string, string>
  booked_at: Date
}

/**
 * Newest first; a balance brought forward is none. The lines are picked before anything is joined,
 * and ordered by the whole of their index, so that no plan made on empty tables walks the book.
 */
export const listMovements = query({
  name: 'deposits.movements',
  permission: 'entries:read',
  input: z.strictObject({ book: BookId, account: AccountCode, limit: z.int().min(1).max(100) }),
  reads: ['entries', 'accounts', 'assignments'],
  run: async (sql, { book, account, limit }, asker) => {
    const where = conditions()
    where.add('a.book = ? and a.account = ?', book, account)
    onlyReached(where, asker, 'a.owner')
    const { rows } = await sql.query<MovementView>(
      `select l.kind, l.direction, l.amount, l.balance, l.description, l.booked_at,
         (select e.metadata from entries e where e.book = l.book and e.entry = l.entry) as metadata
       from (select * from entry_lines
         where book = $1 and account = $2 and kind <> '${OPENING_BALANCE}'
         order by book desc, account desc, revision desc, ordinal desc limit ${limit}) l
       where exists (select from accounts a${where.where()})`,
      where.values,
    )
    return rows
  },
})
