import { z } from 'zod'
import type { Verdict } from '../domain/cases.ts'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database } from './table.ts'

export type CaseView = {
  case: string
  book: string
  entry: string
  account: string
  counterparty: string
  amount: string
  asset: string
  booked_at: Date
  terminal: string | null
  device: string | null
  probability: number
  decision: 'approve' | 'review' | 'block'
  status: 'open' | 'proposed' | 'decided'
  assignee: string | null
  /** Proposed or decided. */
  verdict: Verdict | null
  reason: string | null
  proposed_by: string | null
  decided_by: string | null
  confirmed_by: string | null
  opened_by: string
  opened_at: Date
  decided_at: Date | null
  revision: number
}

export type CaseMoment = {
  revision: number
  what: string
  by: string
  at: Date
  verdict: Verdict | null
  assignee: string | null
  remark: string | null
}

const selectCases = async (
  sql: Database,
  where: Conditions,
  limit: number,
): Promise<CaseView[]> => {
  const { rows } = await sql.query<Omit<CaseView, 'revision'> & { revision: string }>(
    `select id as "case", book, entry, account, counterparty, amount, asset, booked_at, terminal,
       device, probability, decision, status, assignee, verdict, reason, proposed_by, decided_by,
       confirmed_by, opened_by, opened_at, decided_at, revision
     from cases${where.where()} order by opened_at desc, id desc limit ${limit}`,
    where.values,
  )
  return rows.map((row) => ({ ...row, revision: Number(row.revision) }))
}

/** Those opened last first. */
export const listCases = query({
  name: 'cases.list',
  permission: 'risk:read',
  input: z.strictObject({
    book: BookId.optional(),
    status: z.enum(['open', 'proposed', 'decided']).optional(),
    assignee: Identifier.optional(),
    ...paging,
  }),
  reads: ['cases'],
  run: async (sql, { book, status, assignee, cursor, limit }) => {
    const where = conditions()
    where.addIf('book = ?', book)
    where.addIf('status = ?', status)
    where.addIf('assignee = ?', assignee)
    const after = decodeCursor(cursor, 2)
    if (after) where.add('(opened_at, id) < (?::timestamptz, ?)', ...after)
    const rows = await selectCases(sql, where, limit + 1)
    return pageOf(rows, limit, ({ opened_at, case: id }) => [opened_at.toISOString(), id])
  },
})

/** More than anybody reads of one case; the log has all of it. */
const MOST_MOMENTS = 500

const selectTimeline = async (sql: Database, id: string): Promise<CaseMoment[]> => {
  const { rows } = await sql.query<Omit<CaseMoment, 'revision'> & { revision: string }>(
    `select revision, what, by_whom as by, happened_at as at, verdict, assignee, remark
     from case_timeline where id = $1 order by revision desc limit ${MOST_MOMENTS}`,
    [id],
  )
  return rows.reverse().map((row) => ({ ...row, revision: Number(row.revision) }))
}

/** With what happened in it, oldest first. */
export const getCase = query({
  name: 'cases.get',
  permission: 'risk:read',
  input: z.strictObject({ case: Identifier }),
  reads: ['cases'],
  run: async (sql, { case: id }) => {
    const where = conditions()
    where.add('id = ?', id)
    const [found] = await selectCases(sql, where, 1)
    return found && { ...found, timeline: await selectTimeline(sql, id) }
  },
})
