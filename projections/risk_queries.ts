import { z } from 'zod'
import { RiskDecision } from '../domain/judgement.ts'
import { AccountCode, BookId, Identifier } from '../domain/ledger/events.ts'
import { query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database } from './table.ts'

export type ScoreView = {
  book: string
  entry: string
  account: string
  counterparty: string
  kind: string
  amount: string
  asset: string
  model: string
  features: Record<string, number>
  probability: number
  decision: 'approve' | 'review' | 'block'
  by: 'model' | 'rule' | 'list' | 'brake'
  wanted: 'approve' | 'review' | 'block' | null
  rules: { rule: string; outcome: string; shadow: boolean }[] | null
  policy: number | null
  challengers: { model: string; probability: number }[] | null
  reasons: { feature: string; code?: string; value: number; contribution: number; text: string }[]
  booked_at: Date
  scored_at: Date
  position: string
}

const selectScores = `
  select book, entry, account, counterparty, kind, amount, asset, model, features, probability,
    decision, judged_by as by, wanted, rules, policy, challengers, reasons, booked_at, scored_at, position from scores`

type Paged = { cursor?: string | undefined; limit: number }

/** Newest first. Several scores can share an event's position only across books and batches. */
const pageOfScores = async (sql: Database, where: Conditions, { cursor, limit }: Paged) => {
  const after = decodeCursor(cursor, 2)
  if (after) where.add('(position, entry) < (?::numeric, ?)', ...after)
  const { rows } = await sql.query<ScoreView>(
    `${selectScores}${where.where()} order by position desc, entry desc limit ${limit + 1}`,
    where.values,
  )
  return pageOf(rows, limit, ({ position, entry }) => [position, entry])
}

export const listScores = query({
  name: 'scores.list',
  permission: 'risk:read',
  input: z.strictObject({
    book: BookId.optional(),
    account: AccountCode.optional(),
    decision: RiskDecision.optional(),
    min_probability: z.coerce.number().min(0).max(1).optional(),
    ...paging,
  }),
  reads: ['scores'],
  run: (sql, input) => {
    const where = conditions()
    where.addIf('book = ?', input.book)
    where.addIf('account = ?', input.account)
    where.addIf('decision = ?', input.decision)
    where.addIf('probability >= ?', input.min_probability)
    return pageOfScores(sql, where, input)
  },
})

export const getScore = query({
  name: 'scores.get',
  permission: 'risk:read',
  input: z.strictObject({ book: BookId, entry: Identifier }),
  reads: ['scores'],
  run: async (sql, { book, entry }) => {
    const { rows } = await sql.query<ScoreView>(`${selectScores} where book = $1 and entry = $2`, [
      book,
      entry,
    ])
    return rows[0]
  },
})

/** Scores that call for a person: reviews and blocks. */
export const listAlerts = query({
  name: 'alerts.list',
  permission: 'risk:read',
  input: z.strictObject({
    book: BookId.optional(),
    account: AccountCode.optional(),
    decision: z.enum(['review', 'block']).optional(),
    ...paging,
  }),
  reads: ['scores'],
  run: (sql, input) => {
    const where = conditions()
    where.add("decision <> 'approve'")
    where.addIf('book = ?', input.book)
    where.addIf('account = ?', input.account)
    where.addIf('decision = ?', input.decision)
    return pageOfScores(sql, where, input)
  },
})
