import { ledgerEvents } from '../../domain/ledger/events.ts'
import { projection } from '../kernel.ts'
import type { Table } from '../table.ts'
import { bookOf } from './accounts.ts'

const periods: Table = {
  name: 'periods',
  columns: {
    book: 'text',
    through: 'date',
    closed_at: 'timestamptz',
    entries: 'bigint',
    trial_balance: 'jsonb',
  },
  key: ['book', 'through'],
}

export const periodBook = projection({
  name: 'periods',
  version: 1,
  tables: [periods],
  schemas: ledgerEvents,
  on: {
    PeriodClosed: ({ stream, data }, rows) => rows.put(periods, { book: bookOf(stream), ...data }),
  },
})
