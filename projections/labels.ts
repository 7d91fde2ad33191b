import { z } from 'zod'
import { type LabelSource, labelEvents } from '../domain/labels.ts'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { conditions } from './select.ts'
import type { Table } from './table.ts'

/** The last label of each entry: the one that holds. */
const labels: Table = {
  name: 'labels',
  columns: {
    book: 'text',
    entry: 'text',
    account: 'text',
    counterparty: 'text',
    amount: 'numeric',
    asset: 'text',
    booked_at: 'timestamptz',
    terminal: 'text',
    device: 'text',
    fraud: 'boolean',
    source: 'text',
    note: 'text',
    case_id: 'text',
    labelled_at: 'timestamptz',
  },
  key: ['book', 'entry'],
  indexes: [
    ['labelled_at', 'book', 'entry'],
    ['book', 'labelled_at', 'entry'],
  ],
}

export const labelBook = projection({
  name: 'labels',
  version: 1,
  tables: [labels],
  schemas: labelEvents,
  on: {
    TransactionLabelled: ({ data: { case: id, round: _round, ...label } }, rows) =>
      rows.put(labels, { terminal: null, device: null, ...label, case_id: id ?? null }),
  },
})

export type LabelView = {
  book: string
  entry: string
  account: string
  counterparty: string
  amount: string
  asset: string
  booked_at: Date
  terminal: string | null
  device: string | null
  fraud: boolean
  source: LabelSource
  note: string
  case: string | null
  labelled_at: Date
}

/** What is known now, what was recorded last first. */
export const listLabels = query({
  name: 'labels.list',
  permission: 'risk:read',
  input: z.strictObject({
    book: BookId.optional(),
    entry: Identifier.optional(),
    fraud: z.enum(['true', 'false']).optional(),
    ...paging,
  }),
  reads: ['labels'],
  run: async (sql, { book, entry, fraud, cursor, limit }) => {
    const where = conditions()
    where.addIf('book = ?', book)
    where.addIf('entry = ?', entry)
    where.addIf('fraud = ?::boolean', fraud)
    const after = decodeCursor(cursor, 3)
    if (after) where.add('(labelled_at, book, entry) < (?::timestamptz, ?, ?)', ...after)
    const { rows } = await sql.query<LabelView>(
      `select book, entry, account, counterparty, amount, asset, booked_at, terminal, device,
         fraud, source, note, case_id as "case", labelled_at
       from labels${where.where()}
       order by labelled_at desc, book desc, entry desc limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows, limit, (row) => [row.labelled_at.toISOString(), row.book, row.entry])
  },
})
