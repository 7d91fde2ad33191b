import { entriesOf } from '../../domain/ledger/events.ts'
import type { Account } from '../../domain/ledger/state.ts'
import type { EventStore } from '../../domain/log.ts'
import {
  type AssetTotals,
  bookOfStream,
  type FoldedBooks,
  foldEvent,
  totalsByAsset,
} from './fold.ts'
import { readPages } from './pages.ts'

export type ReplayOptions = {
  readonly store: EventStore
  /** An ISO instant (as it was booked by then) or a log position, inclusive; absent: now. */
  readonly at?: string | undefined
  readonly book?: string | undefined
  readonly account?: string | undefined
  readonly signal: AbortSignal
  /** Called now and then with the number of events read. */
  readonly onProgress?: ((events: number) => void) | undefined
}

/** Minor units, on the account's own normal side. Held amounts and status are of positions only. */
export type ReplayedBalance = {
  readonly book: string
  readonly account: string
  readonly type: Account['type']
  readonly asset: string
  readonly balance: bigint
  readonly held: bigint | null
  readonly status: Account['status'] | null
}

export type Replay = {
  /** The last log position that was read; null: the log is empty. */
  readonly position: string | null
  readonly events: number
  /** In the order of book and account. */
  readonly balances: readonly ReplayedBalance[]
  /** The sides of all accounts of the replayed books, whether or not one account was asked for. */
  readonly totals: readonly (AssetTotals & { readonly book: string })[]
}

type Instants = Map<string, Map<string, bigint>>

/**
 * Notes what accounts stood at when `at` came: the last line booked by then, by revision, as the
 * read models answer it. Reading cannot stop there, because booking times come from clocks.
 */
const noteInstant = (
  instants: Instants,
  book: string,
  event: { type: string; data: object },
  at: string,
): void => {
  const stood = instants.get(book) ?? new Map<string, bigint>()
  instants.set(book, stood)
  if (event.type === 'AccountOpened') {
    const { account, opened_at } = event.data as { account: string; opened_at: string }
    if (opened_at <= at) stood.set(account, 0n)
  }
  for (const entry of entriesOf(event)) {
    if (entry.booked_at > at) continue
    for (const { account, balance } of entry.lines) stood.set(account, BigInt(balance))
  }
}

const byCode = (left: Account, right: Account): number => (left.code < right.code ? -1 : 1)

const balancesOf = (books: FoldedBooks, instants: Instants | undefined): ReplayedBalance[] => {
  const sorted = [...books.values()].sort((a, b) => (a.book < b.book ? -1 : 1))
  return sorted.flatMap(({ book, state }) =>
    [...state.accounts.rows.values()].sort(byCode).flatMap((account): ReplayedBalance[] => {
      const { code, type, asset, held, status } = account
      const about = { book, account: code, type, asset }
      if (!instants) return [{ ...about, balance: account.balance, held, status }]
      const balance = instants.get(book)?.get(code)
      return balance === undefined ? [] : [{ ...about, balance, held: null, status: null }]
    }),
  )
}

/**
 * Folds history into balances from the log alone, with every claimed balance re-calculated. Throws
 * when the log contradicts itself, when it cannot be read, or when aborted.
 */
export const replay = async (options: ReplayOptions): Promise<Replay> => {
  const { store, at, signal, onProgress } = options
  const until = at !== undefined && /^\d+$/.test(at) ? BigInt(at) : undefined
  const instants: Instants | undefined =
    at !== undefined && until === undefined ? new Map() : undefined
  const books: FoldedBooks = new Map()
  let position: string | null = null
  let events = 0
  for await (const page of readPages(store, undefined, until, signal)) {
    for (const event of page) {
      const book = bookOfStream(event.stream)
      if (book === undefined || (options.book !== undefined && options.book !== book)) continue
      const folded = foldEvent(books, event)
      if (instants && at !== undefined && folded) noteInstant(instants, book, folded, at)
    }
    events += page.length
    position = page.at(-1)?.position.commit.toString() ?? position
    onProgress?.(events)
  }
  const all = balancesOf(books, instants)
  const byBook = Map.groupBy(all, ({ book }) => book)
  return {
    position,
    events,
    balances: all.filter(
      ({ account }) => options.account === undefined || account === options.account,
    ),
    totals: [...byBook].flatMap(([book, rows]) =>
      totalsByAsset(rows).map((totals) => ({ ...totals, book })),
    ),
  }
}
