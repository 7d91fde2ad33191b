import { type Decision, isRefusal, refuse } from '../kernel.ts'
import { type AccountCommand, findAccount } from './accounts.ts'
import { accountOf, netOf } from './apply.ts'
import { bookableAccount, expireDueHolds } from './checks.ts'
import type { Entry, LedgerEvent } from './events.ts'
import type { Posting } from './request.ts'
import { type Account, available, type Book, type Ledger } from './state.ts'

const unsuitable = (by: string, why: string) =>
  refuse('COVER_UNSUITABLE', `Account ${by} ${why}.`, { field: 'covered_by', account: by })

/**
 * Overdraft protection: from now on, what `account` lacks for a payment is taken from `covered_by`,
 * in the same entry. Both are the same owner's deposits in the same asset.
 */
export const coverAccount = (
  book: Book,
  command: AccountCommand & { readonly covered_by: string | null },
): Decision<LedgerEvent> => {
  const account = findAccount(book, command)
  if (isRefusal(account)) return account
  const { covered_by } = command
  if (covered_by === account.coveredBy) return []
  if (covered_by !== null) {
    const cover = findAccount(book, { account: covered_by })
    if (isRefusal(cover)) return cover
    if (cover.code === account.code) return unsuitable(covered_by, 'is the same account')
    if (cover.owner === null || cover.owner !== account.owner) {
      return unsuitable(covered_by, 'is not of the same owner')
    }
    if (cover.type !== 'liability' || account.type !== 'liability') {
      return unsuitable(covered_by, 'is no deposit')
    }
    if (cover.asset !== account.asset) return unsuitable(covered_by, 'is in another asset')
  }
  return [{ type: 'AccountCoverChanged', data: { account: account.code, covered_by } }]
}

/** How much `account` lacks for what leaves it; zero or less: nothing. */
const shortfallOf = (account: Account, outgoing: bigint): bigint =>
  account.overdraft === null ? 0n : outgoing - (available(account) + account.overdraft)

type Cover = NonNullable<Entry['covers']>[number]

/** What brings the shortfall over, when the covering account can give all of it. */
const coverOf = (
  ledger: Ledger,
  account: Account,
  shortfall: bigint,
  at: string,
  expired: LedgerEvent[],
): Cover[] => {
  const by = account.coveredBy === null ? undefined : ledger.accounts.get(account.coveredBy)
  if (!by || isRefusal(bookableAccount(ledger, by.code))) return []
  expired.push(...expireDueHolds(ledger, by, at))
  if (available(accountOf(ledger, by.code)) < shortfall) return []
  return [{ account: account.code, by: by.code, amount: shortfall.toString() }]
}

const linesOf = ({ account, by, amount }: Cover): Posting['lines'] => [
  { account: by, direction: 'debit', amount },
  { account, direction: 'credit', amount },
]

export type Covered = { readonly posting: Posting; readonly covers: Cover[] }

/**
 * The posting with what its payers lack taken from the accounts that cover them. A posting that
 * spends what was set aside, or takes back another one, is left as it is.
 */
export const coverShortfalls = (
  ledger: Ledger,
  posting: Posting,
  expired: LedgerEvent[],
): Covered => {
  if (posting.captures || posting.reverses !== undefined) return { posting, covers: [] }
  const isCovered = posting.lines.some(
    ({ account }) => accountOf(ledger, account).coveredBy !== null,
  )
  if (!isCovered) return { posting, covers: [] }
  const covers = [...netOf(ledger, posting.lines)].flatMap(([code, change]) => {
    const account = accountOf(ledger, code)
    const shortfall = change < 0n ? shortfallOf(account, -change) : 0n
    return shortfall > 0n ? coverOf(ledger, account, shortfall, posting.at, expired) : []
  })
  return { posting: { ...posting, lines: [...covers.flatMap(linesOf), ...posting.lines] }, covers }
}
