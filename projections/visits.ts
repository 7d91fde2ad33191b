import { z } from 'zod'
import { Identifier } from '../domain/ledger/events.ts'
import { type VisitPurpose, visitEvents } from '../domain/visits.ts'
import { type Asker, projection, query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
import type { NumberedPage } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'

const visits: Table = {
  name: 'visits',
  columns: {
    visit: 'text',
    number: 'bigint',
    client: 'text',
    banker: 'text',
    day: 'date',
    purpose: 'text',
    status: 'text',
    planned_by: 'text',
    planned_at: 'timestamptz',
    settled_by: 'text',
    settled_at: 'timestamptz',
  },
  key: ['visit'],
  indexes: [['number'], ['banker', 'day', 'number'], ['day']],
}

export const visitBook = projection({
  name: 'visits',
  version: 1,
  tables: [visits],
  schemas: visitEvents,
  on: {
    VisitPlanned: ({ data }, rows) =>
      rows.put(visits, { ...data, status: 'planned', settled_by: null, settled_at: null }),
    VisitCompleted: ({ data: { visit, completed_by, completed_at } }, rows) =>
      rows.patch(
        visits,
        { visit },
        { status: 'completed', settled_by: completed_by, settled_at: completed_at },
      ),
    VisitCancelled: ({ data: { visit, cancelled_by, cancelled_at } }, rows) =>
      rows.patch(
        visits,
        { visit },
        { status: 'cancelled', settled_by: cancelled_by, settled_at: cancelled_at },
      ),
  },
})

export const VisitStatus = z.enum(['planned', 'completed', 'cancelled'])

export type VisitView = {
  visit: string
  number: number
  /** What contracts with integer ids call the two. */
  client_number: number | null
  banker_number: number | null
  day: string
  purpose: VisitPurpose
  status: z.infer<typeof VisitStatus>
  planned_at: Date
  settled_at: Date | null
}

type Stored = Omit<VisitView, 'number' | 'client_number' | 'banker_number'> &
  Record<'number' | 'client_number' | 'banker_number', string | null>

const numberOf = (text: string | null): number | null => (text === null ? null : Number(text))

const selectVisits = async (
  sql: Database,
  where: Conditions,
  rest: string,
): Promise<VisitView[]> => {
  const { rows } = await sql.query<Stored>(
    `select v.visit, v.number, c.number as client_number, b.number as banker_number,
       v.day::text, v.purpose, v.status, v.planned_at, v.settled_at
     from visits v left join users c on c.id = v.client left join users b on b.id = v.banker
     ${where.where()} ${rest}`,
    where.values,
  )
  return rows.map(({ number, client_number, banker_number, ...row }) => ({
    ...{ ...row, number: Number(number) },
    ...{ client_number: numberOf(client_number), banker_number: numberOf(banker_number) },
  }))
}

/** A mobile banker has those that he makes himself. */
const onlyMade = (where: Conditions, { reach, id }: Asker): void => {
  if (reach !== 'all') where.add('v.banker = ?', id)
}

const reads = ['visits', 'users']

/** By the number that contracts with integer ids call it. */
export const findVisit = query({
  name: 'visits.find',
  permission: 'visits:work',
  input: z.strictObject({ number: z.int() }),
  reads,
  run: async (sql, { number }, asker) => {
    const where = conditions()
    where.add('v.number = ?', number)
    onlyMade(where, asker)
    return (await selectVisits(sql, where, 'limit 1'))[0]
  },
})

/** A numbered page, by their days. */
export const pageVisits = query({
  name: 'visits.page',
  permission: 'visits:work',
  input: z.strictObject({
    status: VisitStatus.optional(),
    banker: Identifier.optional(),
    ...numbering,
  }),
  reads,
  run: async (
    sql,
    { status, banker, page, page_size },
    asker,
  ): Promise<NumberedPage<VisitView>> => {
    const where = conditions()
    where.addIf('v.status = ?', status)
    where.addIf('v.banker = ?', banker)
    onlyMade(where, asker)
    return readNumbered(
      sql,
      { page, page_size, from: 'from visits v', where, order: 'v.day, v.number' },
      (rest) => selectVisits(sql, where, rest),
    )
  },
})
