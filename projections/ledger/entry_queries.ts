import { z } from 'zod'
import { AccountCode, BookId, Day, EntryKind, Identifier } from '../../domain/ledger/events.ts'
import { type Asker, query } from '../kernel.ts'
import { decodeCursor, pageOf, paging } from '../paging.ts'
import { onlyReached } from '../reach.ts'
import { conditions } from '../select.ts'
import type { Database } from '../table.ts'

export type LineView = {
  account: string
  direction: 'debit' | 'credit'
  amount: string
  asset: string
  balance: string
}

export type EntryView = {
  book: string
  entry: string
  revision: number
  position: string
  kind: string
  description: string
  reference: string | null
  metadata: Record<string, string>
  booked_at: Date
  value_date: string
  reverses: string | null
  reversed_by: string | null
  captures: string | null
  correlation: string | null
  lines: LineView[]
}

type StoredEntry = EntryView & { ordinal: number }

/** The lines of the entry `e`, by their place in its event: they need no index of their own. */
const linesOfEntry = `x.book = e.book and x.revision = e.revision
  and x.ordinal >= e.first_line and x.ordinal < e.first_line + e.line_count`

// Amounts as text inside the aggregate: a JSON number would lose digits.
const selectEntries = `
  select e.book, e.entry, e.revision, e.ordinal, e.position, e.kind, e.description, e.reference,
    e.metadata, e.booked_at, e.value_date::text, e.reverses, e.reversed_by, e.captures,
    e.correlation, l.lines
  from entries e cross join lateral (
    select json_agg(json_build_object('account', x.account, 'direction', x.direction,
      'amount', x.amount::text, 'asset', x.asset, 'balance', x.balance::text)
      order by x.ordinal) as lines
    from entry_lines x where ${linesOfEntry}) l`

const entryView = ({ ordinal: _ordinal, ...row }: StoredEntry): EntryView => ({
  ...row,
  revision: Number(row.revision),
})

/** Those of an entry's accounts that the asker reaches. */
const reachedOf = async (
  sql: Database,
  { book, lines }: EntryView,
  asker: Asker,
): Promise<ReadonlySet<string>> => {
  const where = conditions()
  const codes = lines.map(({ account }) => account)
  where.add('a.book = ? and a.account = any(?)', book, codes)
  onlyReached(where, asker, 'a.owner')
  const { rows } = await sql.query<{ account: string }>(
    `select a.account from accounts a${where.where()}`,
    where.values,
  )
  return new Set(rows.map(({ account }) => account))
}

/** What others' accounts stood at is none of a customer's business. */
const hideForeign = (entry: EntryView, own: ReadonlySet<string>): EntryView => ({
  ...entry,
  lines: entry.lines.map((line) => (own.has(line.account) ? line : { ...line, balance: '' })),
})

export const getEntry = query({
  name: 'entries.get',
  permission: 'entries:read',
  input: z.strictObject({ book: BookId, entry: Identifier }),
  reads: ['entries', 'accounts', 'assignments'],
  run: async (sql, { book, entry }, asker) => {
    const where = conditions()
    where.add('e.book = ? and e.entry = ?', book, entry)
    const found = await sql.query<StoredEntry>(selectEntries + where.where(), where.values)
    const view = found.rows.map(entryView)[0]
    if (!view || asker.reach === 'all') return view
    const reached = await reachedOf(sql, view, asker)
    return reached.size > 0 ? hideForeign(view, reached) : undefined
  },
})

export const listEntries = query({
  name: 'entries.list',
  permission: 'books:read',
  input: z.strictObject({
    book: BookId,
    kind: EntryKind.optional(),
    reference: z.string().max(128).optional(),
    from: Day.optional(),
    to: Day.optional(),
    order: z.enum(['revision', '-revision']).default('-revision'),
    ...paging,
  }),
  reads: ['entries'],
  run: async (sql, input) => {
    const { book, limit, order } = input
    const where = conditions()
    where.add('e.book = ?', book)
    where.addIf('e.kind = ?', input.kind)
    where.addIf('e.reference = ?', input.reference)
    where.addIf('e.value_date >= ?', input.from)
    where.addIf('e.value_date <= ?', input.to)
    const backwards = order === '-revision'
    const after = decodeCursor(input.cursor, 2)
    if (after) {
      const sign = backwards ? '<' : '>'
      where.add(`(e.revision, e.ordinal) ${sign} (?::bigint, ?::integer)`, ...after)
    }
    const direction = backwards ? 'desc' : 'asc'
    const { rows } = await sql.query<StoredEntry>(
      `${selectEntries}${where.where()}
       order by e.revision ${direction}, e.ordinal ${direction} limit ${limit + 1}`,
      where.values,
    )
    const page = pageOf(rows, limit, ({ revision, ordinal }) => [`${revision}`, `${ordinal}`])
    return { ...page, items: page.items.map(entryView) }
  },
})

export type StatementLine = {
  entry: string
  revision: number
  direction: 'debit' | 'credit'
  amount: string
  asset: string
  balance: string
  kind: string
  description: string
  booked_at: Date
  value_date: string
}

/** An account's lines with its running balance: what a statement is made of. */
export const listLines = query({
  name: 'lines.list',
  permission: 'entries:read',
  input: z.strictObject({
    book: BookId,
    account: AccountCode,
    from: Day.optional(),
    to: Day.optional(),
    order: z.enum(['revision', '-revision']).default('-revision'),
    ...paging,
  }),
  reads: ['entries', 'accounts', 'assignments'],
  run: async (sql, input, asker) => {
    const { limit, order } = input
    const where = conditions()
    where.add('l.book = ? and l.account = ?', input.book, input.account)
    where.addIf('l.value_date >= ?', input.from)
    where.addIf('l.value_date <= ?', input.to)
    onlyReached(where, asker, 'a.owner')
    const backwards = order === '-revision'
    const after = decodeCursor(input.cursor, 2)
    if (after) {
      const sign = backwards ? '<' : '>'
      where.add(`(l.revision, l.ordinal) ${sign} (?::bigint, ?::integer)`, ...after)
    }
    const direction = backwards ? 'desc' : 'asc'
    const { rows } = await sql.query<StatementLine & { ordinal: number }>(
      `select l.entry, l.revision, l.ordinal, l.direction, l.amount, l.asset, l.balance, l.kind,
         l.description, l.booked_at, l.value_date::text
       from entry_lines l join accounts a on a.book = l.book and a.account = l.account
       ${where.where()}
       order by l.revision ${direction}, l.ordinal ${direction} limit ${limit + 1}`,
      where.values,
    )
    const page = pageOf(rows, limit, ({ revision, ordinal }) => [`${revision}`, `${ordinal}`])
    const items = page.items.map(({ ordinal: _ordinal, ...line }) => ({
      ...line,
      revision: Number(line.revision),
    }))
    return { ...page, items }
  },
})
