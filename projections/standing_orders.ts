import { z } from 'zod'
import { AccountCode, BookId, Identifier } from '../domain/ledger/events.ts'
import { type Frequency, standingOrderEvents } from '../domain/standing_orders.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { onlyReached } from './reach.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'

const standingOrders: Table = {
  name: 'standing_orders',
  columns: {
    order_id: 'text',
    book: 'text',
    from_account: 'text',
    to_account: 'text',
    from_owner: 'text',
    to_owner: 'text',
    amount: 'numeric',
    asset: 'text',
    description: 'text',
    frequency: 'text',
    starts_on: 'date',
    day_of_month: 'integer',
    until_day: 'date',
    due_dates: 'integer',
    status: 'text',
    next_due: 'date',
    placed_by: 'text',
    placed_at: 'timestamptz',
    cancelled_by: 'text',
    cancelled_at: 'timestamptz',
  },
  key: ['order_id'],
  indexes: [
    ['from_owner', 'order_id'],
    ['book', 'from_account', 'order_id'],
    { columns: ['next_due', 'order_id'], where: "status = 'active'" },
  ],
}

/** What became of each due date. */
const standingOrderDues: Table = {
  name: 'standing_order_dues',
  columns: {
    order_id: 'text',
    due: 'date',
    status: 'text',
    payment: 'text',
    code: 'text',
    at: 'timestamptz',
  },
  key: ['order_id', 'due'],
}

/** Without a next due date it has ended, unless somebody had cancelled it before. */
const goneOn = (next_due: string | null) =>
  next_due === null ? { next_due, status: 'completed' } : { next_due }

export const standingOrderBook = projection({
  name: 'standing_orders',
  version: 1,
  tables: [standingOrders, standingOrderDues],
  schemas: standingOrderEvents,
  on: {
    StandingOrderPlaced: ({ data }, rows) => {
      const { order, from, to, until, count, ...placed } = data
      rows.put(standingOrders, {
        ...placed,
        ...{ order_id: order, from_account: from, to_account: to },
        ...{ until_day: until, due_dates: count, status: 'active' },
        ...{ cancelled_by: null, cancelled_at: null },
      })
    },
    StandingOrderExecuted: ({ data: { order, due, payment, next_due, executed_at } }, rows) => {
      const status = 'executed'
      rows.put(standingOrderDues, {
        ...{ order_id: order, due, status, payment, code: null, at: executed_at },
      })
      rows.patch(standingOrders, { order_id: order }, goneOn(next_due))
    },
    StandingOrderMissed: ({ data: { order, due, code, next_due, missed_at } }, rows) => {
      const status = 'missed'
      rows.put(standingOrderDues, {
        ...{ order_id: order, due, status, payment: null, code, at: missed_at },
      })
      rows.patch(standingOrders, { order_id: order }, goneOn(next_due))
    },
    StandingOrderCancelled: ({ data: { order, cancelled_by, cancelled_at } }, rows) =>
      rows.patch(
        standingOrders,
        { order_id: order },
        { status: 'cancelled', cancelled_by, cancelled_at },
      ),
  },
})

export const StandingOrderStatus = z.enum(['active', 'completed', 'cancelled'])

export type StandingOrderView = {
  order: string
  book: string
  from: string
  to: string
  amount: string
  asset: string
  description: string
  frequency: z.infer<typeof Frequency>
  starts_on: string
  day_of_month: number | null
  until: string | null
  count: number | null
  status: z.infer<typeof StandingOrderStatus>
  /** null: none comes. */
  next_due: string | null
  placed_by: string
  placed_at: Date
  cancelled_by: string | null
  cancelled_at: Date | null
}

const selectOrders = async (
  sql: Database,
  where: Conditions,
  limit: number,
): Promise<StandingOrderView[]> => {
  const { rows } = await sql.query<StandingOrderView>(
    `select order_id as "order", book, from_account as "from", to_account as "to", amount, asset,
       description, frequency, starts_on::text, day_of_month, until_day::text as until,
       due_dates as count, status, case status when 'active' then next_due::text end as next_due,
       placed_by, placed_at, cancelled_by, cancelled_at
     from standing_orders${where.where()} order by order_id desc limit ${limit}`,
    where.values,
  )
  return rows
}

/** Newest first. */
export const listStandingOrders = query({
  name: 'standing_orders.list',
  permission: 'entries:read',
  input: z.strictObject({
    ...{ book: BookId, from: AccountCode.optional(), status: StandingOrderStatus.optional() },
    ...paging,
  }),
  reads: ['standing_orders', 'assignments'],
  run: async (sql, { book, from, status, cursor, limit }, asker) => {
    const where = conditions()
    where.add('book = ?', book)
    where.addIf('from_account = ?', from)
    where.addIf('status = ?', status)
    onlyReached(where, asker, 'from_owner')
    const after = decodeCursor(cursor, 1)
    if (after) where.add('order_id < ?', ...after)
    return pageOf(await selectOrders(sql, where, limit + 1), limit, ({ order }) => [order])
  },
})

export const getStandingOrder = query({
  name: 'standing_orders.get',
  permission: 'entries:read',
  input: z.strictObject({ order: Identifier }),
  reads: ['standing_orders', 'assignments'],
  run: async (sql, { order }, asker) => {
    const where = conditions()
    where.add('order_id = ?', order)
    onlyReached(where, asker, 'from_owner')
    return (await selectOrders(sql, where, 1))[0]
  },
})

export type DueView = {
  due: string
  status: 'executed' | 'missed'
  payment: string | null
  /** The code of the refusal. */
  code: string | null
  at: Date
}

/** What became of an order's due dates, newest first; undefined when it is not to be seen. */
export const listDues = query({
  name: 'standing_orders.dues',
  permission: 'entries:read',
  input: z.strictObject({ order: Identifier, ...paging }),
  reads: ['standing_orders', 'assignments'],
  run: async (sql, { order, cursor, limit }, asker, vault) => {
    const seen = await getStandingOrder.run(sql, { order }, asker, vault)
    if (!seen) return undefined
    const where = conditions()
    where.add('order_id = ?', order)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('due < ?::date', ...after)
    const { rows } = await sql.query<DueView>(
      `select due::text, status, payment, code, at from standing_order_dues${where.where()}
       order by due desc limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows, limit, ({ due }) => [due])
  },
})
