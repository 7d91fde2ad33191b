import { entriesOf, ledgerEvents, type ScreenedTransfer } from '../../domain/ledger/events.ts'
import { type Handler, projection } from '../kernel.ts'
import type { Writer } from '../rows.ts'
import type { Table } from '../table.ts'
import { bookOf } from './accounts.ts'

/** Transfers that the risk gate did not let pass at once. */
const screenedTransfers: Table = {
  name: 'screened_transfers',
  columns: {
    book: 'text',
    transfer: 'text',
    from_account: 'text',
    to_account: 'text',
    amount: 'numeric',
    asset: 'text',
    kind: 'text',
    description: 'text',
    reference: 'text',
    metadata: 'jsonb',
    asked_by: 'text',
    asked_at: 'timestamptz',
    screening: 'jsonb',
    status: 'text',
    expires_at: 'timestamptz',
    decided_by: 'text',
    decided_at: 'timestamptz',
    reason: 'text',
  },
  key: ['book', 'transfer'],
  indexes: [
    ['book', 'status', 'transfer'],
    ['book', 'transfer'],
  ],
}

const put = (rows: Writer, book: string, transfer: ScreenedTransfer, state: object): void => {
  const { id, from, to, amount, asset, kind, description, reference, metadata, screening } =
    transfer
  rows.put(screenedTransfers, {
    ...{ book, transfer: id, from_account: from, to_account: to, amount, asset, kind, description },
    ...{ reference: reference ?? null, metadata: metadata ?? {}, screening },
    ...{ asked_by: transfer.asked_by, asked_at: transfer.asked_at },
    ...{ expires_at: null, decided_by: null, decided_at: null, reason: null },
    ...state,
  })
}

const approve: Handler = (event, rows) => {
  const book = bookOf(event.stream)
  for (const { id, approved_by, booked_at } of entriesOf(event)) {
    if (approved_by === undefined) continue
    const decided = { status: 'approved', decided_by: approved_by, decided_at: booked_at }
    rows.patch(screenedTransfers, { book, transfer: id }, decided)
  }
}

export const screenedTransferBook = projection({
  name: 'screened_transfers',
  version: 1,
  tables: [screenedTransfers],
  schemas: ledgerEvents,
  on: {
    HoldPlaced: ({ stream, data: { hold, transfer } }, rows) => {
      if (!transfer) return
      put(rows, bookOf(stream), transfer, { status: 'held', expires_at: hold.expires_at })
    },
    EntryPosted: approve,
    TransferDeclined: ({ stream, data }, rows) => {
      const { transfer, declined_by: decided_by, declined_at: decided_at, reason } = data
      put(rows, bookOf(stream), transfer, { status: 'declined', decided_by, decided_at, reason })
    },
    HoldExpired: ({ stream, data: { hold, expired_at } }, rows) =>
      rows.patch(
        screenedTransfers,
        { book: bookOf(stream), transfer: hold },
        { status: 'expired', decided_at: expired_at },
      ),
  },
})
