import { z } from 'zod'
import { BookId } from '../domain/ledger/events.ts'
import {
  type Brake,
  initialPolicy,
  RiskList,
  type RuleCondition,
  type WhenUnsure,
} from '../domain/policies.ts'
import { query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { conditions } from './select.ts'

export type PolicyView = {
  book: string
  review_from: number | null
  block_from: number | null
  when_unsure: WhenUnsure
  brake: Brake | null
  set_by: string | null
  set_at: Date | null
}

/** What a book goes by, also when it has said nothing; undefined when there is no such book. */
export const getPolicy = query({
  name: 'policies.get',
  permission: 'risk:read',
  input: z.strictObject({ book: BookId }),
  reads: ['policies', 'accounts'],
  run: async (sql, { book }): Promise<PolicyView | undefined> => {
    const { rows } = await sql.query<PolicyView>(
      `select b.book, p.review_from, p.block_from, coalesce(p.when_unsure, $2) as when_unsure,
         p.brake, p.set_by, p.set_at
       from books b left join risk_policies p on p.book = b.book where b.book = $1`,
      [book, initialPolicy().when_unsure],
    )
    return rows[0]
  },
})

export type RuleView = {
  rule: string
  description: string
  when: RuleCondition[]
  outcome: 'review' | 'block'
  mode: 'live' | 'shadow'
  snoozed_until: Date | null
  set_by: string
  set_at: Date
  hits_1d: number
  hits_7d: number
  /** Of those of 7 days: what became known to be fraud, and to be none. */
  frauds_7d: number
  legitimate_7d: number
}

const DAY_MS = 86_400_000
const ago = (at: Date, days: number): Date => new Date(at.getTime() - days * DAY_MS)

/** The newest scores on which a rule spoke that are looked at: enough to see how a rule fares. */
const MOST_COUNTED = 100_000

/**
 * By name, each with how often it spoke of late, and how often rightly. The scores are read once
 * for all rules of the page.
 */
export const listRules = query({
  name: 'policies.list_rules',
  permission: 'risk:read',
  input: z.strictObject({ book: BookId, ...paging }),
  reads: ['policies', 'scores', 'labels'],
  run: async (sql, { book, cursor, limit }, { at }) => {
    const where = conditions()
    const [week, day] = [where.value(ago(at, 7)), where.value(ago(at, 1))]
    where.add('r.book = ?', book)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('r.rule > ?', after[0])
    const { rows } = await sql.query<RuleView>(
      `with page as (
         select r.* from risk_rules r${where.where()} order by r.rule limit ${limit + 1}),
       spoken as (
         select s.book, s.entry, s.rules, s.scored_at from scores s
         where s.book = ${where.value(book)} and s.rules is not null and s.scored_at > ${week}
         order by s.scored_at desc limit ${MOST_COUNTED}),
       counted as (
         select hit->>'rule' as rule, count(*) filter (where s.scored_at > ${day}) as hits_1d,
           count(*) as hits_7d, count(*) filter (where l.fraud) as frauds_7d,
           count(*) filter (where not l.fraud) as legitimate_7d
         from spoken s cross join lateral jsonb_array_elements(s.rules) hit
           left join labels l on l.book = s.book and l.entry = s.entry
         group by 1)
       select p.rule, p.description, p.conditions as "when", p.outcome, p.mode, p.snoozed_until,
         p.set_by, p.set_at, coalesce(c.hits_1d, 0)::integer as hits_1d,
         coalesce(c.hits_7d, 0)::integer as hits_7d,
         coalesce(c.frauds_7d, 0)::integer as frauds_7d,
         coalesce(c.legitimate_7d, 0)::integer as legitimate_7d
       from page p left join counted c on c.rule = p.rule order by p.rule`,
      where.values,
    )
    return pageOf(rows, limit, ({ rule }) => [rule])
  },
})

export type ListedView = {
  account: string
  reason: string
  until: Date | null
  set_by: string
  set_at: Date
}

export const listListed = query({
  name: 'policies.list_listed',
  permission: 'risk:read',
  input: z.strictObject({ book: BookId, list: RiskList, ...paging }),
  reads: ['policies'],
  run: async (sql, { book, list, cursor, limit }) => {
    const where = conditions()
    where.add('book = ? and list = ?', book, list)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('account > ?', after[0])
    const { rows } = await sql.query<ListedView>(
      `select account, reason, until, set_by, set_at from risk_listed${where.where()}
       order by account limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows, limit, ({ account }) => [account])
  },
})
