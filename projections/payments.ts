import { z } from 'zod'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { PaymentKind, paymentEvents } from '../domain/payments.ts'
import { type Asker, projection, query } from './kernel.ts'
import { decodeCursor, type NumberedPage, pageOf, paging } from './paging.ts'
import { type Conditions, conditions, escapeLike } from './select.ts'
import type { Database, Table } from './table.ts'

const payments: Table = {
  name: 'payments',
  columns: {
    payment: 'text',
    number: 'bigint',
    reference: 'text',
    book: 'text',
    kind: 'text',
    channel: 'text',
    from_account: 'text',
    to_account: 'text',
    from_owner: 'text',
    to_owner: 'text',
    amount: 'numeric',
    asset: 'text',
    description: 'text',
    status: 'text',
    requested_by: 'text',
    requested_at: 'timestamptz',
    decided_by: 'text',
    decided_at: 'timestamptz',
    reason: 'text',
    failure: 'text',
    settled_at: 'timestamptz',
  },
  key: ['payment'],
  indexes: [
    ['number'],
    ['from_owner', 'number'],
    ['to_owner', 'number'],
    ['book', 'status', 'number'],
    ['book', 'requested_at', 'number'],
    { columns: ['number'], where: "status = 'accepted'" },
  ],
}

const undecided = { decided_by: null, decided_at: null, reason: null }
const unsettled = { failure: null, settled_at: null }

export const paymentBook = projection({
  name: 'payments',
  version: 1,
  tables: [payments],
  schemas: paymentEvents,
  on: {
    PaymentRequested: ({ data }, rows) => {
      const { from, to, approval, screening: _screening, ...request } = data
      rows.put(payments, {
        ...{ ...request, ...undecided, ...unsettled, from_account: from, to_account: to },
        status: approval === 'needed' ? 'pending' : 'accepted',
      })
    },
    PaymentApproved: ({ data: { payment, approved_by, approved_at } }, rows) =>
      rows.patch(
        payments,
        { payment },
        { status: 'accepted', decided_by: approved_by, decided_at: approved_at },
      ),
    PaymentRejected: ({ data: { payment, reason, rejected_by, rejected_at } }, rows) =>
      rows.patch(
        payments,
        { payment },
        { status: 'cancelled', reason, decided_by: rejected_by, decided_at: rejected_at },
      ),
    PaymentCompleted: ({ data: { payment, completed_at } }, rows) =>
      rows.patch(
        payments,
        { payment },
        { status: 'completed', failure: null, settled_at: completed_at },
      ),
    PaymentFailed: ({ data: { payment, code, failed_at } }, rows) =>
      rows.patch(payments, { payment }, { status: 'failed', failure: code, settled_at: failed_at }),
  },
})

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

/** Those that one is part of, on either side. */
const onlyOwn = (where: Conditions, { reach, id }: Asker): void => {
  if (reach === 'own') where.add('from_owner = ? or to_owner = ?', id, id)
}

const selectPayments = async (
  sql: Database,
  where: Conditions,
  rest: string,
): Promise<PaymentView[]> => {
  const { rows } = await sql.query<Omit<PaymentView, 'number'> & { number: string }>(
    `select payment, number, reference, book, kind, channel, from_account as "from",
       to_account as "to", amount, asset, description, status, requested_by, requested_at,
       decided_by, decided_at, reason, failure, settled_at
     from payments${where.where()} ${rest}`,
    where.values,
  )
  return rows.map(({ number, ...row }) => ({ ...row, number: Number(number) }))
}

const filters = {
  book: BookId,
  kind: PaymentKind.optional(),
}

/** Newest first. */
export const listPayments = query({
  name: 'payments.list',
  permission: 'entries:read',
  input: z.strictObject({ ...filters, status: PaymentStatus.optional(), ...paging }),
  reads: ['payments'],
  run: async (sql, { book, kind, status, cursor, limit }, asker) => {
    const where = conditions()
    where.add('book = ?', book)
    where.addIf('kind = ?', kind)
    where.addIf('status = ?', status)
    onlyOwn(where, asker)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('number < ?::bigint', ...after)
    const rows = await selectPayments(sql, where, `order by number desc limit ${limit + 1}`)
    return pageOf(rows, limit, ({ number }) => [`${number}`])
  },
})

export const getPayment = query({
  name: 'payments.get',
  permission: 'entries:read',
  input: z.strictObject({ payment: Identifier }),
  reads: ['payments'],
  run: async (sql, { payment }, asker) => {
    const where = conditions()
    where.add('payment = ?', payment)
    onlyOwn(where, asker)
    return (await selectPayments(sql, where, ''))[0]
  },
})

/** By the number that contracts with integer ids call it. */
export const findPayment = query({
  name: 'payments.find',
  permission: 'entries:read',
  input: z.strictObject({ book: BookId, asset: z.string(), number: z.int() }),
  reads: ['payments'],
  run: async (sql, { book, asset, number }, asker) => {
    const where = conditions()
    where.add('book = ? and asset = ? and number = ?', book, asset, number)
    onlyOwn(where, asker)
    return (await selectPayments(sql, where, ''))[0]
  },
})

const orders = {
  timestamp: 'requested_at, number',
  '-timestamp': 'requested_at desc, number desc',
  amount: 'amount, number',
  '-amount': 'amount desc, number desc',
} as const

const pageSize = z.int().min(1).max(100)

/** A numbered page; `search` looks into references and descriptions. */
export const pagePayments = query({
  name: 'payments.page',
  permission: 'entries:read',
  input: z.strictObject({
    ...{ ...filters, asset: z.string(), statuses: z.array(PaymentStatus).optional() },
    search: z.string().max(256).optional(),
    order: z.enum(Object.keys(orders) as [keyof typeof orders]).default('-timestamp'),
    ...{ page: z.int().min(1), page_size: pageSize },
  }),
  reads: ['payments'],
  run: async (sql, input, asker): Promise<NumberedPage<PaymentView>> => {
    const { book, asset, kind, statuses, search, order, page, page_size } = input
    const where = conditions()
    where.add('book = ? and asset = ?', book, asset)
    where.addIf('kind = ?', kind)
    where.addIf('status = any(?)', statuses)
    if (search !== undefined) {
      const like = `%${escapeLike(search)}%`
      where.add('reference ilike ? or description ilike ?', like, like)
    }
    onlyOwn(where, asker)
    const { rows } = await sql.query<{ count: string }>(
      `select count(*) as count from payments${where.where()}`,
      where.values,
    )
    const skipped = (page - 1) * page_size
    const rest = `order by ${orders[order]} limit ${page_size} offset ${skipped}`
    return { count: Number(rows[0]?.count ?? 0), results: await selectPayments(sql, where, rest) }
  },
})
