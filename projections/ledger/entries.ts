import { entriesOf, ledgerEvents } from '../../domain/ledger/events.ts'
import { type Handler, projection } from '../kernel.ts'
import type { Table } from '../table.ts'
import { bookOf } from './accounts.ts'

const entries: Table = {
  name: 'entries',
  columns: {
    book: 'text',
    entry: 'text',
    revision: 'bigint',
    ordinal: 'integer',
    first_line: 'integer',
    line_count: 'integer',
    kind: 'text',
    description: 'text',
    reference: 'text',
    metadata: 'jsonb',
    booked_at: 'timestamptz',
    value_date: 'date',
    reverses: 'text',
    reversed_by: 'text',
    captures: 'text',
    correlation: 'text',
  },
  key: ['book', 'entry'],
  indexes: [
    ['book', 'revision', 'ordinal'],
    { columns: ['book', 'reference'], where: 'reference is not null' },
  ],
}

/** `ordinal` counts the lines of one event, which may hold many entries. */
const entryLines: Table = {
  name: 'entry_lines',
  columns: {
    book: 'text',
    revision: 'bigint',
    ordinal: 'integer',
    entry: 'text',
    account: 'text',
    direction: 'text',
    amount: 'numeric',
    asset: 'text',
    balance: 'numeric',
    kind: 'text',
    description: 'text',
    booked_at: 'timestamptz',
    value_date: 'date',
  },
  key: ['book', 'revision', 'ordinal'],
  indexes: [['book', 'account', 'revision', 'ordinal']],
}

const addEntries: Handler = (event, rows) => {
  const { revision, stream, metadata } = event
  const book = bookOf(stream)
  let ordinal = 0
  for (const [index, entry] of entriesOf(event).entries()) {
    const { id, kind, description, booked_at, value_date } = entry
    rows.put(entries, {
      book,
      entry: id,
      revision,
      ordinal: index,
      first_line: ordinal,
      line_count: entry.lines.length,
      kind,
      description,
      reference: entry.reference ?? null,
      metadata: entry.metadata ?? {},
      booked_at,
      value_date,
      reverses: entry.reverses ?? null,
      reversed_by: null,
      captures: entry.captures?.hold ?? null,
      correlation: metadata.correlation ?? null,
    })
    if (entry.reverses) {
      rows.patch(entries, { book, entry: entry.reverses }, { reversed_by: id })
    }
    for (const line of entry.lines) {
      const { account, direction, amount, asset, balance } = line
      const about = { kind, description, booked_at, value_date, entry: id }
      const what = { account, direction, amount, asset, balance }
      rows.put(entryLines, { book, revision, ordinal, ...about, ...what })
      ordinal += 1
    }
  }
}

export const journal = projection({
  name: 'entries',
  version: 1,
  tables: [entries, entryLines],
  schemas: ledgerEvents,
  on: { EntryPosted: addEntries, EntriesPosted: addEntries },
})
