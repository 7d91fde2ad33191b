import { z } from 'zod'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { Asset } from '../domain/money.ts'
import { query } from './kernel.ts'

/** How mobile bankers are doing; money in minor units. */
export type FieldMetrics = {
  /** Without those that were cancelled. */
  readonly visits: { total: number; today: number; this_week: number; completed: number }
  readonly clients: number
  /** Cash taken in for clients, that has been booked. */
  readonly collections: { today: string; this_week: string }
}

type Counted = Record<'total' | 'today' | 'this_week' | 'completed' | 'clients', string>
type Collected = Record<'today' | 'this_week', string>

/** Days and weeks, which begin on Mondays, are those of UTC: the bank's own time. */
export const getFieldMetrics = query({
  name: 'field_metrics.get',
  permission: 'operations:read',
  /** Without a banker, of all of them. */
  input: z.strictObject({ book: BookId, asset: Asset, banker: Identifier.optional() }),
  reads: ['visits', 'assignments', 'payments', 'users'],
  run: async (sql, { book, asset, banker = null }, { at }): Promise<FieldMetrics> => {
    const today = at.toISOString().slice(0, 10)
    const { rows: counted } = await sql.query<Counted>(
      `select count(*) as total, count(*) filter (where day = $1::date) as today,
         count(*) filter (where date_trunc('week', day) = date_trunc('week', $1::date))
           as this_week,
         count(*) filter (where status = 'completed') as completed,
         (select count(*) from assignments where $2::text is null or banker = $2) as clients
       from visits where status <> 'cancelled' and ($2::text is null or banker = $2)`,
      [today, banker],
    )
    const { rows: collected } = await sql.query<Collected>(
      `select coalesce(sum(amount) filter (where requested_at >= $1::date at time zone 'UTC'), 0)
           as today, coalesce(sum(amount), 0) as this_week
       from payments where book = $2 and asset = $3 and status = 'completed'
         and channel = 'counter' and kind = 'deposit'
         and requested_at >= date_trunc('week', $1::date) at time zone 'UTC'
         and case when $4::text is null
           then requested_by in (select id from users where roles @> '["mobile_banker"]'::jsonb)
           else requested_by = $4 end`,
      [today, book, asset, banker],
    )
    const [
      { clients, ...visits } = { total: 0, today: 0, this_week: 0, completed: 0, clients: 0 },
    ] = counted
    return {
      visits: {
        ...{ total: Number(visits.total), today: Number(visits.today) },
        ...{ this_week: Number(visits.this_week), completed: Number(visits.completed) },
      },
      clients: Number(clients),
      collections: collected[0] ?? { today: '0', this_week: '0' },
    }
  },
})
