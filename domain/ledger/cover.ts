import { type Decision, isRefusal, refuse } from '../kernel.ts'
import { type AccountCommand, findAccount } from './accounts.ts'
import { accountOf, effectOf } from './apply.ts'
import { bookableAccount, expireDueHolds } from './checks.ts'
import type { LedgerEvent, Line } from './events.ts'
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

/** The lines that bring the shortfall over, when the covering account can give all of it. */
const linesFrom = (
  ledger: Ledger,
  account: Account,
  shortfall: bigint,
  at: string,
  expired: LedgerEvent[],
): Posting['lines'] => {
  const cover = account.coveredBy === null ? undefined : ledger.accounts.get(account.coveredBy)
  if (!cover || isRefusal(bookableAccount(ledger, cover.code))) return []
  expired.push(...expireDueHolds(ledger, cover, at))
  if (available(accountOf(ledger, cover.code)) < shortfall) return []
  const amount = shortfall.toString()
  return [
    { account: cover.code, direction: 'debit', amount },
    { account: account.code, direction: 'credit', amount },
  ]
}

const netOf = (
  ledger: Ledger,
  lines: readonly Pick<Line, 'account' | 'direction' | 'amount'>[],
) => {
  const net = new Map<string, bigint>()
  for (const line of lines) {
    const effect = effectOf(accountOf(ledger, line.account), line)
    net.set(line.account, (net.get(line.account) ?? 0n) + effect)
  }
  return net
}

/**
 * The posting with what its payers lack taken from the accounts that cover them. A posting that
 * spends what was set aside, or takes back another one, is left as it is.
 */
export const coverShortfalls = (
  ledger: Ledger,
  posting: Posting,
  expired: LedgerEvent[],
): Posting => {
  if (posting.captures || posting.reverses !== undefined) return posting
  const isCovered = posting.lines.some(
    ({ account }) => accountOf(ledger, account).coveredBy !== null,
  )
  if (!isCovered) return posting
  const brought = [...netOf(ledger, posting.lines)].flatMap(([code, change]) => {
    const account = accountOf(ledger, code)
    const shortfall = change < 0n ? shortfallOf(account, -change) : 0n
    return shortfall > 0n ? linesFrom(ledger, account, shortfall, posting.at, expired) : []
  })
  return brought.length === 0 ? posting : { ...posting, lines: [...brought, ...posting.lines] }
}
