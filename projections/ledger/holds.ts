import { entriesOf, type Hold, ledgerEvents } from '../../domain/ledger/events.ts'
import { type Handler, projection } from '../kernel.ts'
import type { Writer } from '../rows.ts'
import type { Table } from '../table.ts'
import { bookOf } from './accounts.ts'

export const holds: Table = {
  name: 'holds',
  columns: {
    book: 'text',
    hold: 'text',
    account: 'text',
    asset: 'text',
    kind: 'text',
    amount: 'numeric',
    left_amount: 'numeric',
    status: 'text',
    description: 'text',
    placed_at: 'timestamptz',
    expires_at: 'timestamptz',
    ended_at: 'timestamptz',
  },
  key: ['book', 'hold'],
  indexes: [['book', 'account', 'status']],
}

const open = (rows: Writer, book: string, hold: Hold, placed_at: string): void => {
  const { id, account, asset, kind, amount, description, expires_at } = hold
  const what = { account, asset, kind, amount, description, placed_at, expires_at }
  rows.put(holds, { book, hold: id, ...what, left_amount: amount, status: 'open', ended_at: null })
}

const end =
  (status: 'released' | 'expired', at: 'released_at' | 'expired_at'): Handler =>
  ({ stream, data }, rows) => {
    const { hold, ...rest } = data as { hold: string; released_at?: string; expired_at?: string }
    const key = { book: bookOf(stream), hold }
    rows.patch(holds, key, { status, left_amount: '0', ended_at: rest[at] })
  }

const useHolds: Handler = (event, rows) => {
  const book = bookOf(event.stream)
  for (const { captures, holds: held, booked_at } of entriesOf(event)) {
    if (captures) {
      const over = captures.left === '0'
      rows.patch(
        holds,
        { book, hold: captures.hold },
        {
          left_amount: captures.left,
          ...(over && { status: 'captured', ended_at: booked_at }),
        },
      )
    }
    for (const hold of held ?? []) open(rows, book, hold, booked_at)
  }
}

export const holdBook = projection({
  name: 'holds',
  version: 1,
  tables: [holds],
  schemas: ledgerEvents,
  on: {
    HoldPlaced: ({ stream, data }, rows) => open(rows, bookOf(stream), data.hold, data.placed_at),
    HoldReleased: end('released', 'released_at'),
    HoldExpired: end('expired', 'expired_at'),
    EntryPosted: useHolds,
    EntriesPosted: useHolds,
  },
})
