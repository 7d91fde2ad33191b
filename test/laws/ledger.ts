/** What must be true of a book after every event, whatever was asked of it. */
import type { Decoded } from '../../domain/kernel.ts'
import { imbalanceOf } from '../../domain/ledger/balance.ts'
import { entriesOf } from '../../domain/ledger/events.ts'
import { available, type Book, growsBy } from '../../domain/ledger/state.ts'

/** By asset: what the accounts stand at, debits minus credits. All zero: the book balances. */
const sumsOf = (book: Book): ReadonlyMap<string, bigint> => {
  const sums = new Map<string, bigint>()
  for (const { asset, type, balance } of book.accounts.rows.values()) {
    const signed = growsBy(type) === 'debit' ? balance : -balance
    sums.set(asset, (sums.get(asset) ?? 0n) + signed)
  }
  return sums
}

const unbalanced = (book: Book): string[] =>
  [...sumsOf(book)]
    .filter(([, sum]) => sum !== 0n)
    .map(([asset, sum]) => `${asset} is off by ${sum}`)

/** Holds are the sum of the open ones, and each is on its account's list. */
const wrongHolds = (book: Book): string[] => {
  const open = new Map<string, bigint>()
  for (const { account, left } of book.holds.rows.values()) {
    open.set(account, (open.get(account) ?? 0n) + left)
  }
  return [...book.accounts.rows.values()]
    .filter(({ code, held, openHolds }) => {
      const listed = openHolds.every((id) => book.holds.get(id)?.account === code)
      return held !== (open.get(code) ?? 0n) || !listed
    })
    .map(({ code }) => `${code} says it holds something else than its open holds`)
}

/** Nothing that happened took an account below its limit. */
const overdrawn = (before: ReadonlyMap<string, bigint>, book: Book): string[] =>
  [...book.accounts.rows.values()]
    .filter((account) => {
      const now = available(account)
      const fell = now < (before.get(account.code) ?? 0n)
      return fell && account.overdraft !== null && now < -account.overdraft
    })
    .map(({ code }) => `${code} was taken below its limit`)

export const availabilities = (book: Book): ReadonlyMap<string, bigint> =>
  new Map([...book.accounts.rows.values()].map((account) => [account.code, available(account)]))

/** `before`: the accounts' availabilities ahead of the event. */
export const faultsAfter = (
  event: Decoded,
  book: Book,
  before: ReadonlyMap<string, bigint>,
): string[] => [
  ...entriesOf(event)
    .filter(({ lines }) => imbalanceOf(lines).size > 0)
    .map(({ id }) => `entry ${id} does not balance`),
  ...unbalanced(book),
  ...wrongHolds(book),
  ...overdrawn(before, book),
]
