import { z } from 'zod'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { PaymentKind } from '../domain/payments.ts'
import { query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
import { decodeCursor, type NumberedPage, pageOf, paging } from './paging.ts'
import { onlyReached } from './reach.ts'
import { type Conditions, conditions, escapeLike } from './select.ts'
import type { Database } from './table.ts'

export const PaymentStatus = z.enum(['pending', 'accepted', 'completed', 'failed', 'cancelled'])

export type PaymentView = {
  payment: string
  number: number
  reference: string
  book: string
  kind: PaymentKind
  channel: 'online' | 'counter'
  from: string | null
  to: string | null
  /** What contracts with integer ids call the accounts. */
  from_id: number | null
  to_id: number | null
  amount: string
  asset: string
  description: string
  /** accepted: let pass, and on its way to the ledger. */
  status: z.infer<typeof PaymentStatus>
  requested_by: string
  requested_at: Date
  decided_by: string | null
  decided_at: Date | null
  reason: string | null
  /** The code of the refusal that it failed with. */
  failure: string | null
  settled_at: Date | null
}

type Stored = Omit<PaymentView, 'number' | 'from_id' | 'to_id'> & {
  number: string
  from_id: string | null
  to_id: string | null
}

const selectPayments = async (
  sql: Database,
  where: Conditions,
  rest: string,
): Promise<PaymentView[]> => {
  const { rows } = await sql.query<Stored>(
    `select p.payment, p.number, p.reference, p.book, p.kind, p.channel, p.from_account as "from",
       p.to_account as "to", f.metadata->>'id' as from_id, t.metadata->>'id' as to_id, p.amount,
       p.asset, p.description, p.status, p.requested_by, p.requested_at, p.decided_by, p.decided_at,
       p.reason, p.failure, p.settled_at
     from payments p left join accounts f on f.book = p.book and f.account = p.from_account
       left join accounts t on t.book = p.book and t.account = p.to_account
     ${where.where()} ${rest}`,
    where.values,
  )
  return rows.map(({ number, from_id, to_id, ...row }) => ({
    ...row,
    number: Number(number),
    from_id: from_id === null ? null : Number(from_id),
    to_id: to_id === null ? null : Number(to_id),
  }))
}

const reads = ['payments', 'accounts', 'assignments']
const filters = { book: BookId, kind: PaymentKind.optional() }

/** Newest first. */
export const listPayments = query({
  name: 'payments.list',
  permission: 'entries:read',
  input: z.strictObject({ ...filters, status: PaymentStatus.optional(), ...paging }),
  reads,
  run: async (sql, { book, kind, status, cursor, limit }, asker) => {
    const where = conditions()
    where.add('p.book = ?', book)
    where.addIf('p.kind = ?', kind)
    where.addIf('p.status = ?', status)
    onlyReached(where, asker, 'p.from_owner', 'p.to_owner')
    const after = decodeCursor(cursor, 1)
    if (after) where.add('p.number < ?::bigint', ...after)
    const rows = await selectPayments(sql, where, `order by p.number desc limit ${limit + 1}`)
    return pageOf(rows, limit, ({ number }) => [`${number}`])
  },
})

export const getPayment = query({
  name: 'payments.get',
  permission: 'entries:read',
  input: z.strictObject({ payment: Identifier }),
  reads,
  run: async (sql, { payment }, asker) => {
    const where = conditions()
    where.add('p.payment = ?', payment)
    onlyReached(where, asker, 'p.from_owner', 'p.to_owner')
    return (await selectPayments(sql, where, ''))[0]
  },
})

/** By the number that contracts with integer ids call it. */
export const findPayment = query({
  name: 'payments.find',
  permission: 'entries:read',
  input: z.strictObject({ book: BookId, asset: z.string(), number: z.int() }),
  reads,
  run: async (sql, { book, asset, number }, asker) => {
    const where = conditions()
    where.add('p.book = ? and p.asset = ? and p.number = ?', book, asset, number)
    onlyReached(where, asker, 'p.from_owner', 'p.to_owner')
    return (await selectPayments(sql, where, ''))[0]
  },
})

const orders = {
  timestamp: 'p.requested_at, p.number',
  '-timestamp': 'p.requested_at desc, p.number desc',
  amount: 'p.amount, p.number',
  '-amount': 'p.amount desc, p.number desc',
} as const

/** A numbered page; `search` looks into references and descriptions. */
export const pagePayments = query({
  name: 'payments.page',
  permission: 'entries:read',
  input: z.strictObject({
    ...{ ...filters, asset: z.string(), statuses: z.array(PaymentStatus).optional() },
    search: z.string().max(256).optional(),
    order: z.enum(Object.keys(orders) as [keyof typeof orders]).default('-timestamp'),
    ...numbering,
  }),
  reads,
  run: async (sql, input, asker): Promise<NumberedPage<PaymentView>> => {
    const { book, asset, kind, statuses, search, order, page, page_size } = input
    const where = conditions()
    where.add('p.book = ? and p.asset = ?', book, asset)
    where.addIf('p.kind = ?', kind)
    where.addIf('p.status = any(?)', statuses)
    if (search !== undefined) {
      const like = `%${escapeLike(search)}%`
      where.add('p.reference ilike ? or p.description ilike ?', like, like)
    }
    onlyReached(where, asker, 'p.from_owner', 'p.to_owner')
    const wanted = { page, page_size, from: 'from payments p', where, order: orders[order] }
    return readNumbered(sql, wanted, (rest) => selectPayments(sql, where, rest))
  },
})
