import { entriesOf, ledgerEvents } from '../../domain/ledger/events.ts'
import { type Handler, projection } from '../kernel.ts'
import type { Table } from '../table.ts'

export const books: Table = {
  name: 'books',
  columns: {
    book: 'text',
    name: 'text',
    time_zone: 'text',
    opened_at: 'timestamptz',
    closed_through: 'date',
  },
  key: ['book'],
}

export const bookAssets: Table = {
  name: 'book_assets',
  columns: { book: 'text', asset: 'text' },
  key: ['book', 'asset'],
}

export const accounts: Table = {
  name: 'accounts',
  columns: {
    book: 'text',
    account: 'text',
    type: 'text',
    asset: 'text',
    name: 'text',
    owner: 'text',
    status: 'text',
    status_reason: 'text',
    overdraft_limit: 'text',
    velocity_limits: 'jsonb',
    covered_by: 'text',
    risk: 'text',
    metadata: 'jsonb',
    balance: 'numeric',
    revision: 'bigint',
    opened_at: 'timestamptz',
  },
  key: ['book', 'account'],
  indexes: [
    ['owner', 'book', 'account'],
    { columns: ['book', "(metadata->>'id')"], where: "metadata->>'id' is not null" },
  ],
}

/** `book-main` is the stream of the book `main`. */
export const bookOf = (stream: string): string => stream.slice('book-'.length)

const setStatus =
  (status: string): Handler =>
  (event, rows) => {
    const { account, reason } = event.data as { account: string; reason: string }
    const key = { book: bookOf(event.stream), account }
    rows.patch(accounts, key, { status, status_reason: reason, revision: event.revision })
  }

const setBalances: Handler = (event, rows) => {
  const book = bookOf(event.stream)
  for (const entry of entriesOf(event)) {
    for (const { account, balance } of entry.lines) {
      rows.patch(accounts, { book, account }, { balance })
    }
  }
}

export const accountBook = projection({
  name: 'accounts',
  version: 4,
  tables: [books, bookAssets, accounts],
  schemas: ledgerEvents,
  on: {
    BookOpened: ({ data }, rows) => {
      const { book, name, time_zone, opened_at } = data
      rows.put(books, { book, name, time_zone, opened_at, closed_through: null })
      for (const asset of data.assets) rows.put(bookAssets, { book, asset })
    },
    AssetAdded: ({ stream, data }, rows) =>
      rows.put(bookAssets, { book: bookOf(stream), asset: data.asset }),
    AccountOpened: ({ stream, revision, data }, rows) => {
      const { terms, metadata, risk = 'none', ...account } = data
      rows.put(accounts, {
        ...account,
        ...terms,
        book: bookOf(stream),
        covered_by: null,
        risk,
        metadata: metadata ?? {},
        status: 'active',
        status_reason: null,
        balance: '0',
        revision,
      })
    },
    AccountTermsChanged: ({ stream, revision, data }, rows) =>
      rows.patch(
        accounts,
        { book: bookOf(stream), account: data.account },
        { ...data.terms, revision },
      ),
    AccountCoverChanged: ({ stream, revision, data: { account, covered_by } }, rows) =>
      rows.patch(accounts, { book: bookOf(stream), account }, { covered_by, revision }),
    AccountGatingChanged: ({ stream, revision, data: { account, risk } }, rows) =>
      rows.patch(accounts, { book: bookOf(stream), account }, { risk, revision }),
    AccountFrozen: setStatus('frozen'),
    AccountUnfrozen: setStatus('active'),
    AccountClosed: setStatus('closed'),
    EntryPosted: setBalances,
    EntriesPosted: setBalances,
    PeriodClosed: ({ stream, data }, rows) =>
      rows.patch(books, { book: bookOf(stream) }, { closed_through: data.through }),
  },
})
