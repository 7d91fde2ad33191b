import { z } from 'zod'
import { accountNumberOf, Product } from '../domain/deposits.ts'
import { BookId } from '../domain/ledger/events.ts'
import { type Asker, query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
import type { NumberedPage } from './paging.ts'
import { onlyReached } from './reach.ts'
import { type Conditions, conditions, escapeLike } from './select.ts'
import type { Database } from './table.ts'

/** A customer's account as those see it who keep all of them. */
export type KeptDepositView = {
  id: number
  account: string
  account_number: string
  product: Product
  owner: string
  /** What contracts with integer ids call the owner; null where he is no user. */
  owner_number: number | null
  status: 'active' | 'frozen' | 'closed'
  balance: string
  /** As its newest line in the journal says. */
  journal_balance: string
  opened_at: Date
  /** When money last moved, or it was opened. */
  moved_at: Date
}

type Stored = Omit<KeptDepositView, 'id' | 'account_number' | 'owner_number'> & {
  id: string
  owner_number: string | null
}

const from = `from accounts a left join users u on u.id = a.owner`

const selectDeposits = async (
  sql: Database,
  where: Conditions,
  rest: string,
): Promise<KeptDepositView[]> => {
  const { rows } = await sql.query<Stored>(
    `select a.metadata->>'id' as id, a.account, a.metadata->>'product' as product, a.owner,
       u.number as owner_number, a.status, a.balance, a.opened_at,
       coalesce(l.balance, 0) as journal_balance, coalesce(l.booked_at, a.opened_at) as moved_at
     ${from} left join lateral (
       select balance, booked_at from entry_lines l where l.book = a.book and l.account = a.account
       order by book desc, account desc, revision desc, ordinal desc limit 1) l on true
     ${where.where()} ${rest}`,
    where.values,
  )
  return rows.map(({ id, owner_number, ...row }) => ({
    ...row,
    id: Number(id),
    account_number: accountNumberOf(row.account),
    owner_number: owner_number === null ? null : Number(owner_number),
  }))
}

const reads = ['accounts', 'entries', 'users', 'assignments']
const Kept = { book: BookId, asset: z.string() }

const keptIn = ({ book, asset }: { book: string; asset: string }, asker: Asker): Conditions => {
  const where = conditions()
  where.add(`a.book = ? and a.asset = ? and a.metadata->>'id' is not null`, book, asset)
  onlyReached(where, asker, 'a.owner')
  return where
}

/** By the number that contracts with integer ids call it. */
export const findDeposit = query({
  name: 'deposits.find',
  permission: 'accounts:read',
  input: z.strictObject({ ...Kept, id: z.int() }),
  reads,
  run: async (sql, { id, ...kept }, asker) => {
    const where = keptIn(kept, asker)
    where.add(`a.metadata->>'id' = ?`, `${id}`)
    return (await selectDeposits(sql, where, 'limit 1'))[0]
  },
})

/** Who may hold an account, by the number that contracts with integer ids call him. */
export const findHolder = query({
  name: 'deposits.holder',
  permission: 'accounts:read',
  input: z.strictObject({ number: z.int() }),
  reads: ['users', 'assignments'],
  run: async (sql, { number }, asker) => {
    const where = conditions()
    where.add('number = ?', number)
    onlyReached(where, asker, 'id')
    const { rows } = await sql.query<{ user: string }>(
      `select id as "user" from users${where.where()}`,
      where.values,
    )
    return rows[0]
  },
})

/** A numbered page in the order in which they were opened; `search` looks into their numbers. */
export const pageDeposits = query({
  name: 'deposits.page',
  permission: 'accounts:read',
  input: z.strictObject({
    ...Kept,
    owner_number: z.int().optional(),
    product: Product.optional(),
    active: z.boolean().optional(),
    search: z.string().max(64).optional(),
    ...numbering,
  }),
  reads,
  run: async (sql, input, asker): Promise<NumberedPage<KeptDepositView>> => {
    const { owner_number, product, active, search, page, page_size } = input
    const where = keptIn(input, asker)
    where.addIf('u.number = ?', owner_number)
    where.addIf(`a.metadata->>'product' = ?`, product)
    where.addIf(`(a.status = 'active') = ?`, active)
    if (search !== undefined) where.add('a.account ilike ?', `customers:%${escapeLike(search)}%`)
    const order = `a.opened_at, (a.metadata->>'id')::bigint`
    return readNumbered(sql, { page, page_size, from, where, order }, (rest) =>
      selectDeposits(sql, where, rest),
    )
  },
})
