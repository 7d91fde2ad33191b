import { z } from 'zod'
import { Day } from '../../domain/ledger/events.ts'
import type { Vault } from '../../domain/vault.ts'
import { query } from '../kernel.ts'
import type { NumberedPage } from '../paging.ts'
import { conditions } from '../select.ts'
import type { Database } from '../table.ts'

/** From here up a risk is high; from there up it is at least medium. */
const HIGH = 0.7
const MEDIUM = 0.4
const RECENT_DAYS = 7
const TREND_DAYS = 30
const MOST_SHOWN = 10

export type RiskDashboard = {
  readonly high: readonly {
    readonly number: number
    readonly name: string | null
    readonly probability: number
    readonly scored_at: Date
  }[]
  readonly distribution: { readonly low: number; readonly medium: number; readonly high: number }
  readonly trend: readonly { readonly date: string; readonly average_risk: number }[]
}

type HighRow = {
  customer: string
  number: string
  sealed: string
  probability: number
  scored_at: Date
}

const highest = async (sql: Database, vault: Vault, at: Date): Promise<RiskDashboard['high']> => {
  const { rows } = await sql.query<HighRow>(
    `select c.customer, c.number, c.probability, c.scored_at, p.profile as sealed
     from churn_customers c join customers p on p.customer = c.customer
     where c.probability >= ${HIGH} and c.scored_at > $1::timestamptz - interval '${RECENT_DAYS} days'
       and c.scored_at <= $1
     order by c.probability desc, c.number limit ${MOST_SHOWN}`,
    [at],
  )
  const opened = await vault.openAll(
    rows.map(({ customer, sealed }) => ({ subject: customer, sealed })),
  )
  return rows.map(({ number, probability, scored_at }, index) => ({
    number: Number(number),
    name: opened[index]?.name ?? null,
    probability,
    scored_at,
  }))
}

type Counted = { low: string; medium: string; high: string }

/** The newest scores of today's customers, and how the mean of all has moved. */
export const riskDashboard = query({
  name: 'churn.dashboard',
  permission: 'churn:use',
  input: z.strictObject({}),
  reads: ['churn', 'customers'],
  run: async (sql, _input, { at }, vault): Promise<RiskDashboard> => {
    const counted = await sql.query<Counted>(
      `select count(*) filter (where probability < ${MEDIUM}) as low,
         count(*) filter (where probability >= ${MEDIUM} and probability < ${HIGH}) as medium,
         count(*) filter (where probability >= ${HIGH}) as high
       from churn_customers`,
    )
    const trend = await sql.query<{ date: string; average_risk: number }>(
      `select (s.scored_at at time zone 'UTC')::date::text as date, avg(s.probability) as average_risk
       from churn_scores s join churn_customers c on c.customer = s.customer
       where s.scored_at > $1::timestamptz - interval '${TREND_DAYS} days' and s.scored_at <= $1
       group by 1 order by 1`,
      [at],
    )
    const { low = '0', medium = '0', high = '0' } = counted.rows[0] ?? {}
    return {
      high: await highest(sql, vault, at),
      distribution: { low: Number(low), medium: Number(medium), high: Number(high) },
      trend: trend.rows,
    }
  },
})

export type ChurnAlertView = {
  alert: number
  customer: string
  number: number
  alert_type: string
  message: string
  raised_at: Date
  was_sent: boolean | null
  error: string | null
}

/** Newest first; days are inclusive, in UTC. Alerts of removed customers are not shown. */
export const listChurnAlerts = query({
  name: 'churn.alerts',
  permission: 'churn:use',
  input: z.strictObject({
    page: z.int().min(1),
    page_size: z.int().min(1).max(100),
    customer_id: z.int().optional(),
    start_date: Day.optional(),
    end_date: Day.optional(),
  }),
  reads: ['churn'],
  run: async (sql, input): Promise<NumberedPage<ChurnAlertView>> => {
    const { page, page_size, customer_id, start_date, end_date } = input
    const where = conditions()
    where.addIf('a.number = ?', customer_id)
    where.addIf(`(a.raised_at at time zone 'UTC')::date >= ?::date`, start_date)
    where.addIf(`(a.raised_at at time zone 'UTC')::date <= ?::date`, end_date)
    const from = `from churn_alerts a join churn_customers c on c.customer = a.customer${where.where()}`
    const counted = await sql.query<{ count: string }>(
      `select count(*) as count ${from}`,
      where.values,
    )
    const { rows } = await sql.query<ChurnAlertView>(
      `select a.alert, a.customer, a.number, a.alert_type, a.message, a.raised_at, a.was_sent, a.error
       ${from} order by a.raised_at desc, a.alert desc
       limit ${page_size} offset ${(page - 1) * page_size}`,
      where.values,
    )
    const results = rows.map((row) => ({
      ...row,
      alert: Number(row.alert),
      number: Number(row.number),
    }))
    return { count: Number(counted.rows[0]?.count ?? 0), results }
  },
})

export type LabelledProfile = { readonly profile: object; readonly churned: boolean }

const MOST_LABELLED = 200_000

/** Customers of whom it is known whether they left: what a model can learn from. */
export const listLabelled = query({
  name: 'churn.labelled',
  permission: 'churn:train',
  input: z.strictObject({}),
  reads: ['churn'],
  run: async (sql): Promise<readonly LabelledProfile[]> => {
    const { rows } = await sql.query<LabelledProfile>(
      `select profile, churned from churn_customers where churned is not null
       order by number limit ${MOST_LABELLED}`,
    )
    return rows
  },
})
