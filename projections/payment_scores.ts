import { z } from 'zod'
import type { RiskDecision } from '../domain/judgement.ts'
import { BookId } from '../domain/ledger/events.ts'
import { query } from './kernel.ts'
import { onlyReached } from './reach.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database } from './table.ts'

/** A payment with its score; all that is the score's is null where there is none. */
export type ScoredPaymentView = {
  payment: string
  number: number
  status: 'pending' | 'accepted' | 'completed' | 'failed' | 'cancelled'
  /** null: it takes nothing from a customer, and is not scored. */
  from: string | null
  probability: number | null
  decision: RiskDecision | null
  features: Record<string, number> | null
  booked_at: Date | null
  scored_at: Date | null
  /** What left the account in the week before. */
  week_count: number
}

type Stored = Omit<ScoredPaymentView, 'number' | 'week_count'> & {
  number: string
  week_count: string
}

const selectScored = async (
  sql: Database,
  where: Conditions,
  rest: string,
): Promise<ScoredPaymentView[]> => {
  const { rows } = await sql.query<Stored>(
    `select p.payment, p.number, p.status, p.from_account as "from", s.probability, s.decision,
       s.features, s.booked_at, s.scored_at,
       (select count(*) from entry_lines l
        where l.book = s.book and l.account = s.account and l.direction = 'debit'
          and l.booked_at < s.booked_at and l.booked_at > s.booked_at - interval '7 days'
       ) as week_count
     from payments p left join scores s on s.book = p.book and s.entry = p.payment
     ${where.where()} ${rest}`,
    where.values,
  )
  return rows.map(({ number, week_count, ...row }) => ({
    ...row,
    number: Number(number),
    week_count: Number(week_count),
  }))
}

const reads = ['payments', 'scores', 'entries', 'assignments']
const Kept = { book: BookId, asset: z.string() }

export const findScoredPayment = query({
  name: 'payments.find_scored',
  permission: 'entries:read',
  input: z.strictObject({ ...Kept, number: z.int() }),
  reads,
  run: async (sql, { book, asset, number }, asker) => {
    const where = conditions()
    where.add('p.book = ? and p.asset = ? and p.number = ?', book, asset, number)
    onlyReached(where, asker, 'p.from_owner', 'p.to_owner')
    return (await selectScored(sql, where, ''))[0]
  },
})

/** Completed payments out of customers' accounts since a time, the newest first. */
export const listScoredPayments = query({
  name: 'payments.list_scored',
  permission: 'risk:read',
  input: z.strictObject({ ...Kept, since: z.date(), limit: z.int().min(1).max(1000) }),
  reads,
  run: (sql, { book, asset, since, limit }) => {
    const where = conditions()
    where.add(`p.book = ? and p.asset = ? and p.status = 'completed'`, book, asset)
    where.add('p.settled_at > ? and p.from_account is not null', since)
    return selectScored(sql, where, `order by p.settled_at desc, p.number desc limit ${limit}`)
  },
})
