import { z } from 'zod'
import { dayAfter, dayOf } from '../domain/calendar.ts'
import { type DayBalances, earnedBy, REACH_DAYS } from '../domain/interest.ts'
import { AccountCode, BookId } from '../domain/ledger/events.ts'
import { type Asker, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { onlyReached } from './reach.ts'
import { conditions } from './select.ts'
import type { Database } from './table.ts'

const ofAccount = { book: BookId, account: AccountCode }
type OfAccount = { readonly book: string; readonly account: string }
const reads = ['interest', 'accounts', 'entries', 'assignments']

type Standing = {
  readonly accrues_from: string
  readonly due_on: string
  readonly time_zone: string
  /** What was known when interest was accrued last; null: it never was. */
  readonly revision: string | null
  readonly owed: string
}

/** Undefined when the account bears no interest, or is somebody else's. */
const findStanding = async (
  sql: Database,
  { book, account }: OfAccount,
  asker: Asker,
): Promise<Standing | undefined> => {
  const where = conditions()
  where.add('i.book = ? and i.account = ?', book, account)
  onlyReached(where, asker, 'a.owner')
  const { rows } = await sql.query<Standing>(
    `select i.accrues_from::text, i.due_on::text, b.time_zone, p.revision,
       coalesce(p.owed, 0) as owed
     from interest i join books b on b.book = i.book
       join accounts a on a.book = i.book and a.account = i.account
       left join lateral (select revision, owed from interest_periods
         where book = i.book and account = i.account order by through desc limit 1) p on true
     ${where.where()}`,
    where.values,
  )
  return rows[0]
}

type Moved = {
  readonly day: string | null
  readonly net: string
  readonly late: boolean
  readonly revision: string
}

/** What lies further back than a value date may reach is one opening balance. */
const MOVED = `
  select case when value_date >= $3::date then value_date::text end as day,
    revision > $4::bigint and value_date < $5::date as late, max(revision) as revision,
    sum(case direction when 'credit' then amount else -amount end)::text as net
  from entry_lines where book = $1 and account = $2 group by 1, 2 order by 1`

const readBalances = async (
  sql: Database,
  { book, account }: OfAccount,
  { accrues_from, revision }: Standing,
): Promise<DayBalances> => {
  const since = dayAfter(accrues_from, -REACH_DAYS - 1)
  // Nothing is late for an account that has never borne interest.
  const known = revision ?? `${2n ** 62n}`
  const { rows } = await sql.query<Moved>(MOVED, [book, account, since, known, accrues_from])
  const before = rows.filter(({ day }) => day === null)
  return {
    ...{ accrues_from, since },
    revision: Math.max(-1, ...rows.map((row) => Number(row.revision))),
    opening: before.reduce((sum, { net }) => sum + BigInt(net), 0n).toString(),
    moved: rows.flatMap(({ day, net, late }) => (day === null ? [] : [{ day, net, late }])),
  }
}

/** What an account's interest is accrued from. */
export const getDayBalances = query({
  name: 'interest.day_balances',
  permission: 'accounts:read',
  input: z.strictObject(ofAccount),
  reads,
  run: async (sql, of, asker) => {
    const standing = await findStanding(sql, of, asker)
    return standing && readBalances(sql, of, standing)
  },
})

type Rate = { readonly from: string; readonly rate_bp: number }

const readRates = async (sql: Database, { book, account }: OfAccount): Promise<Rate[]> => {
  const { rows } = await sql.query<Rate>(
    `select from_day::text as "from", rate_bp from interest_rates
     where book = $1 and account = $2 order by from_day`,
    [book, account],
  )
  return rows
}

/** An account's rates, and what is owed to it with what it has borne through yesterday. */
export const getInterest = query({
  name: 'interest.get',
  permission: 'accounts:read',
  input: z.strictObject(ofAccount),
  reads,
  run: async (sql, of, asker) => {
    const standing = await findStanding(sql, of, asker)
    if (!standing) return undefined
    const { accrues_from, due_on, time_zone, owed } = standing
    const rates = await readRates(sql, of)
    const through = dayAfter(dayOf(asker.at.toISOString(), time_zone), -1)
    const earned = earnedBy(rates, await readBalances(sql, of, standing), through)
    return { ...of, rates, accrues_from, due_on, through, owed: BigInt(owed) + earned }
  },
})

export type InterestPeriodView = {
  from: string
  through: string
  amount: string
  entry: string | null
  value_date: string | null
}

/** What was accrued and paid, newest first. */
export const listInterestPeriods = query({
  name: 'interest.periods',
  permission: 'accounts:read',
  input: z.strictObject({ ...ofAccount, ...paging }),
  reads,
  run: async (sql, { cursor, limit, ...of }, asker) => {
    if (!(await findStanding(sql, of, asker))) return undefined
    const where = conditions()
    where.add('book = ? and account = ?', of.book, of.account)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('through < ?::date', ...after)
    const { rows } = await sql.query<InterestPeriodView>(
      `select from_day::text as "from", through::text, amount, entry, value_date::text
       from interest_periods${where.where()} order by through desc limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows, limit, ({ through }) => [through])
  },
})
