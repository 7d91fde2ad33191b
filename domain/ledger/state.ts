import { dayOf } from '../calendar.ts'
import type { Gating } from '../screening.ts'
import {
  createTable,
  joinSavepoints,
  layOver,
  type Savepoint,
  type StoredTable,
  type Table,
} from '../table.ts'
import type { AccountType, Hold, ScreenedTransfer, VelocityLimit } from './events.ts'

/** How much has left an account in the current window of one velocity limit. */
export type Usage = { readonly window: string; readonly amount: bigint; readonly count: number }

export type Account = {
  readonly code: string
  readonly type: AccountType
  readonly asset: string
  readonly name: string
  readonly owner: string | null
  readonly status: 'active' | 'frozen' | 'closed'
  /** What its owner transfers passes the risk gate. */
  readonly risk: Gating
  /** On the account's own normal side, in minor units. */
  readonly balance: bigint
  /** Sum of the open holds; available = balance - held. */
  readonly held: bigint
  /** null: unlimited. */
  readonly overdraft: bigint | null
  /** The account that makes up for what this one lacks. */
  readonly coveredBy: string | null
  readonly limits: readonly VelocityLimit[]
  readonly usage: readonly Usage[]
  readonly openHolds: readonly string[]
  /** The book's revision at which the account itself, not its balance, last changed. */
  readonly revision: number
}

export type OpenHold = Hold & {
  readonly left: bigint
  /** It waits for somebody to approve or decline it. */
  readonly transfer?: ScreenedTransfer
}
export type Totals = { readonly debit: bigint; readonly credit: bigint }

/** What `decide` tries its entries out on, and what `evolve` applies them to. */
export type Ledger = {
  readonly accounts: Table<Account>
  readonly holds: Table<OpenHold>
  readonly reversals: Table<string>
  /** By `day|control|asset`, of value dates after the closed ones; closed days are folded to ''. */
  readonly totals: Table<Totals>
  /** Entries by value date. */
  readonly counts: Table<number>
  readonly timeZone: string
}

export type Book = Ledger & {
  readonly accounts: StoredTable<Account>
  readonly holds: StoredTable<OpenHold>
  readonly reversals: StoredTable<string>
  readonly totals: StoredTable<Totals>
  readonly counts: StoredTable<number>
  readonly id: string
  readonly assets: readonly string[]
  readonly closedThrough: string | null
}

export const emptyBook = (): Book => ({
  id: '',
  assets: [],
  timeZone: 'UTC',
  closedThrough: null,
  accounts: createTable(),
  holds: createTable(),
  reversals: createTable(),
  totals: createTable(),
  counts: createTable(),
})

export const savepointOf = (book: Book): Savepoint =>
  joinSavepoints([
    book.accounts.savepoint(),
    book.holds.savepoint(),
    book.reversals.savepoint(),
    book.totals.savepoint(),
    book.counts.savepoint(),
  ])

/** A draft of the book on which a decision can be tried without touching it. */
export const draftOf = (book: Book): Ledger => ({
  accounts: layOver(book.accounts),
  holds: layOver(book.holds),
  reversals: layOver(book.reversals),
  totals: layOver(book.totals),
  counts: layOver(book.counts),
  timeZone: book.timeZone,
})

/** Assets and expenses grow by debits, the others by credits. */
export const growsBy = (type: AccountType): 'debit' | 'credit' =>
  type === 'asset' || type === 'expense' ? 'debit' : 'credit'

export const available = (account: Account): bigint => account.balance - account.held

/** The first part of a code: `customers` of `customers:42:checking`. */
export const controlOf = (code: string): string => {
  const colon = code.indexOf(':')
  return colon < 0 ? code : code.slice(0, colon)
}

/** The day or month of the book in which an instant falls: the window of a velocity limit. */
export const windowOf = (limit: VelocityLimit, instant: string, timeZone: string): string => {
  const day = dayOf(instant, timeZone)
  return limit.window === 'day' ? day : day.slice(0, 7)
}
