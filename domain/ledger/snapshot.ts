import { createTable } from '../table.ts'
import type { Account, Book, OpenHold, Totals, Usage } from './state.ts'

type Saved<Row, Amounts extends keyof Row> = Omit<Row, Amounts> & {
  [Name in Amounts]: Row[Name] extends bigint ? string : string | null
}
type SavedUsage = Saved<Usage, 'amount'>
type SavedAccount = Omit<Saved<Account, 'balance' | 'held' | 'overdraft'>, 'usage'> & {
  usage: SavedUsage[]
}

type SavedBook = Pick<Book, 'id' | 'assets' | 'timeZone' | 'closedThrough'> & {
  accounts: SavedAccount[]
  holds: Saved<OpenHold, 'left'>[]
  reversals: [string, string][]
  totals: [string, Saved<Totals, 'debit' | 'credit'>][]
  counts: [string, number][]
}

/** The book as plain JSON. */
export const saveBook = (book: Book): SavedBook => ({
  id: book.id,
  assets: book.assets,
  timeZone: book.timeZone,
  closedThrough: book.closedThrough,
  accounts: [...book.accounts.rows.values()].map((account) => ({
    ...account,
    balance: account.balance.toString(),
    held: account.held.toString(),
    overdraft: account.overdraft === null ? null : account.overdraft.toString(),
    usage: account.usage.map((usage) => ({ ...usage, amount: usage.amount.toString() })),
  })),
  holds: [...book.holds.rows.values()].map((hold) => ({ ...hold, left: hold.left.toString() })),
  reversals: [...book.reversals.rows],
  totals: [...book.totals.rows].map(([key, { debit, credit }]) => [
    key,
    { debit: debit.toString(), credit: credit.toString() },
  ]),
  counts: [...book.counts.rows],
})

export const loadBook = (saved: unknown): Book => {
  // Written by saveBook of the same version; a change of shape raises the version.
  const book = saved as SavedBook
  return {
    id: book.id,
    assets: book.assets,
    timeZone: book.timeZone,
    closedThrough: book.closedThrough,
    accounts: createTable(
      book.accounts.map((account): [string, Account] => [
        account.code,
        {
          ...account,
          balance: BigInt(account.balance),
          held: BigInt(account.held),
          overdraft: account.overdraft === null ? null : BigInt(account.overdraft),
          usage: account.usage.map((usage) => ({ ...usage, amount: BigInt(usage.amount) })),
        },
      ]),
    ),
    holds: createTable(
      book.holds.map((hold): [string, OpenHold] => [hold.id, { ...hold, left: BigInt(hold.left) }]),
    ),
    reversals: createTable(book.reversals),
    totals: createTable(
      book.totals.map(([key, { debit, credit }]): [string, Totals] => [
        key,
        { debit: BigInt(debit), credit: BigInt(credit) },
      ]),
    ),
    counts: createTable(book.counts),
  }
}
