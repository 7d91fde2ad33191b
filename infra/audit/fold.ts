import { type Decoded, decode, fold, isRefusal } from '../../domain/kernel.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import { type Account, type Book, growsBy } from '../../domain/ledger/state.ts'
import type { Recorded } from '../../domain/log.ts'

/** A book as the ledger's own decider folds it from the log, and from nothing else. */
export type FoldedBook = {
  readonly book: string
  state: Book
  /** Why it could not be folded any further. */
  fault?: string
}

export type FoldedBooks = Map<string, FoldedBook>

const PREFIX = `${Ledger.category}-`

/** The book whose stream this is; undefined for other streams. */
export const bookOfStream = (stream: string): string | undefined =>
  stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : undefined

/**
 * Folds an event of a book's stream; others are passed over. Every line's claimed balance is
 * checked on the way. Throws when the event fails its schema or contradicts what came before.
 */
export const foldEvent = (books: FoldedBooks, event: Recorded): Decoded | undefined => {
  const name = bookOfStream(event.stream)
  if (name === undefined) return undefined
  const book = books.get(name) ?? { book: name, state: Ledger.initial() }
  books.set(name, book)
  const decoded = decode(Ledger.schemas, event)
  try {
    book.state = fold(Ledger, book.state, decoded, decoded.revision)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${event.stream}@${event.revision}: ${reason}`, { cause })
  }
  return decoded
}

/** What the ledger itself would write on closing this period now; undefined when it would refuse. */
export const periodAsFolded = (
  { state }: FoldedBook,
  { through, closed_at }: { readonly through: string; readonly closed_at: string },
): object | undefined => {
  const decision = Ledger.decide.closePeriod(state, { through, at: closed_at })
  return isRefusal(decision) ? undefined : decision[0]?.data
}

export type AssetTotals = {
  readonly asset: string
  readonly debit: bigint
  readonly credit: bigint
}

type Standing = Pick<Account, 'type' | 'asset' | 'balance'>

/** The sides on which accounts stand, summed for each asset: equal sums, or it is a bug. */
export const totalsByAsset = (accounts: Iterable<Standing>): AssetTotals[] => {
  const sums = new Map<string, AssetTotals>()
  for (const { type, asset, balance } of accounts) {
    const { debit, credit } = sums.get(asset) ?? { debit: 0n, credit: 0n }
    const size = balance < 0n ? -balance : balance
    const isDebit = (growsBy(type) === 'debit') === balance >= 0n
    sums.set(asset, {
      asset,
      debit: isDebit ? debit + size : debit,
      credit: isDebit ? credit : credit + size,
    })
  }
  return [...sums.values()].sort((left, right) => (left.asset < right.asset ? -1 : 1))
}
