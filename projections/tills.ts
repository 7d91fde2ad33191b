import { z } from 'zod'
import { Identifier } from '../domain/ledger/events.ts'
import { tillEvents } from '../domain/tills.ts'
import { type Asker, projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'

const tills: Table = {
  name: 'tills',
  columns: {
    till: 'text',
    teller: 'text',
    book: 'text',
    asset: 'text',
    day: 'date',
    float: 'numeric',
    status: 'text',
    expected: 'numeric',
    counted: 'numeric',
    difference: 'numeric',
    opened_at: 'timestamptz',
    counted_at: 'timestamptz',
    approved_by: 'text',
    approved_at: 'timestamptz',
    unbooked: 'text',
    changed_at: 'timestamptz',
  },
  key: ['till'],
  indexes: [['teller', 'till'], { columns: ['till'], where: 'unbooked is not null' }],
}

const uncounted = { expected: null, counted: null, difference: null, counted_at: null }
const unapproved = { approved_by: null, approved_at: null }

export const tillBook = projection({
  name: 'tills',
  version: 1,
  tables: [tills],
  schemas: tillEvents,
  on: {
    TillOpened: ({ data }, rows) =>
      rows.put(tills, {
        ...{ ...data, ...uncounted, ...unapproved, status: 'open' },
        ...{ unbooked: 'opening', changed_at: data.opened_at },
      }),
    TillCounted: ({ data }, rows) => {
      const { till, expected, counted, approval, counted_at } = data
      const difference = (BigInt(counted) - BigInt(expected)).toString()
      const isDone = approval === 'none'
      rows.patch(
        tills,
        { till },
        {
          ...{ expected, counted, difference, counted_at, changed_at: counted_at },
          ...{ status: isDone ? 'closing' : 'counted', unbooked: isDone ? 'closing' : null },
        },
      )
    },
    TillCountApproved: ({ data: { till, approved_by, approved_at } }, rows) =>
      rows.patch(
        tills,
        { till },
        {
          ...{ approved_by, approved_at, changed_at: approved_at },
          ...{ status: 'closing', unbooked: 'closing' },
        },
      ),
    TillBooked: ({ data: { till, step, difference, booked_at } }, rows) => {
      const booked = { unbooked: null, changed_at: booked_at }
      const closed = { ...booked, status: 'closed', difference }
      rows.patch(tills, { till }, step === 'closing' ? closed : booked)
    },
  },
})

export const TillStatus = z.enum(['open', 'counted', 'closing', 'closed'])

export type TillView = {
  till: string
  teller: string
  book: string
  asset: string
  day: string
  float: string
  status: z.infer<typeof TillStatus>
  expected: string | null
  counted: string | null
  /** What was too much, or below zero too little. */
  difference: string | null
  opened_at: Date
  counted_at: Date | null
  approved_by: string | null
  approved_at: Date | null
}

const selectTills = async (
  sql: Database,
  where: Conditions,
  { reach, id }: Asker,
  rest: string,
): Promise<TillView[]> => {
  if (reach !== 'all') where.add('teller = ?', id)
  const { rows } = await sql.query<TillView>(
    `select till, teller, book, asset, day::text, float, status, expected, counted, difference,
       opened_at, counted_at, approved_by, approved_at
     from tills${where.where()} ${rest}`,
    where.values,
  )
  return rows
}

/** Newest first; tellers see their own. */
export const listTills = query({
  name: 'tills.list',
  permission: 'tills:use',
  input: z.strictObject({
    teller: Identifier.optional(),
    status: TillStatus.optional(),
    ...paging,
  }),
  reads: ['tills'],
  run: async (sql, { teller, status, cursor, limit }, asker) => {
    const where = conditions()
    where.addIf('teller = ?', teller)
    where.addIf('status = ?', status)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('till < ?', ...after)
    const rows = await selectTills(sql, where, asker, `order by till desc limit ${limit + 1}`)
    return pageOf(rows, limit, ({ till }) => [till])
  },
})

export const getTill = query({
  name: 'tills.get',
  permission: 'tills:use',
  input: z.strictObject({ till: Identifier }),
  reads: ['tills'],
  run: async (sql, { till }, asker) => {
    const where = conditions()
    where.add('till = ?', till)
    return (await selectTills(sql, where, asker, 'limit 1'))[0]
  },
})
