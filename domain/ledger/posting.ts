import { dayOf } from '../calendar.ts'
import { isRefusal, type Refusal, refuse } from '../kernel.ts'
import { accountOf, applyEntry, applyHold, effectOf, spentOf } from './apply.ts'
import { imbalanceOf } from './balance.ts'
import {
  bookableAccount,
  checkConditions,
  checkOutgoing,
  checkValueDate,
  checkWidth,
  expireDueHolds,
  lineAccount,
} from './checks.ts'
import { type Covered, coverShortfalls } from './cover.ts'
import type { Entry, Hold, LedgerEvent, Line, ScreenedTransfer } from './events.ts'
import type { Poster, Posting } from './request.ts'
import { available, type Book, type Ledger } from './state.ts'

type Accepted = { readonly entry: Entry; readonly events: readonly LedgerEvent[] }

const completeLines = (
  ledger: Ledger,
  posting: Posting,
): { lines: Line[]; net: Map<string, bigint> } => {
  const running = new Map<string, bigint>()
  const net = new Map<string, bigint>()
  const lines = posting.lines.map((line) => {
    const account = accountOf(ledger, line.account)
    const effect = effectOf(account, line)
    const balance = (running.get(line.account) ?? account.balance) + effect
    running.set(line.account, balance)
    net.set(line.account, (net.get(line.account) ?? 0n) + effect)
    return {
      account: line.account,
      direction: line.direction,
      amount: line.amount,
      asset: account.asset,
      balance: balance.toString(),
    }
  })
  return { lines, net }
}

const holdsOf = (ledger: Ledger, posting: Posting): Hold[] | Refusal => {
  const holds: Hold[] = []
  for (const wanted of posting.holds ?? []) {
    const account = bookableAccount(ledger, wanted.account)
    if (isRefusal(account)) return account
    if (wanted.until <= posting.at) {
      return refuse('HOLD_EXPIRY_PAST', `The hold would end at ${wanted.until}, which is past.`)
    }
    holds.push({
      id: wanted.id,
      account: wanted.account,
      asset: account.asset,
      amount: wanted.amount,
      kind: 'deposit',
      description: posting.description,
      expires_at: wanted.until,
    })
  }
  return holds
}

const checkLines = (
  ledger: Ledger,
  posting: Posting,
  poster: Poster,
  expired: LedgerEvent[],
): Refusal | undefined => {
  for (const line of posting.lines) {
    const account = lineAccount(ledger, line, poster)
    if (isRefusal(account)) return account
    if (account.openHolds.length > 0) expired.push(...expireDueHolds(ledger, account, posting.at))
  }
  return undefined
}

const entryFrom = (
  { posting, covers }: Covered,
  lines: Line[],
  valueDate: string,
  holds: Hold[],
): Entry => ({
  id: posting.id,
  kind: posting.kind,
  lines,
  booked_at: posting.at,
  value_date: valueDate,
  description: posting.description,
  ...(posting.reference !== undefined && { reference: posting.reference }),
  ...(posting.metadata !== undefined && { metadata: posting.metadata }),
  ...(posting.reverses !== undefined && { reverses: posting.reverses }),
  ...(posting.captures !== undefined && { captures: posting.captures }),
  ...(covers.length > 0 && { covers }),
  ...(holds.length > 0 && { holds }),
  ...(posting.screening !== undefined && { screening: posting.screening }),
  ...(posting.approved_by !== undefined && { approved_by: posting.approved_by }),
})

/**
 * Tries one posting on a draft of the book. On success the draft holds its effect, so that the next
 * posting of a batch sees it; on refusal the draft must be thrown away.
 */
export const tryPosting = (
  book: Book,
  draft: Ledger,
  posting: Posting,
  poster: Poster,
): Accepted | Refusal => {
  const expired: LedgerEvent[] = []
  const valueDate = posting.value_date ?? dayOf(posting.at, book.timeZone)
  const refused =
    checkValueDate(book, posting, valueDate) ??
    checkLines(draft, posting, poster, expired) ??
    checkConditions(draft, posting.conditions ?? [], poster)
  if (refused) return refused

  const covered = coverShortfalls(draft, posting, expired)
  const { lines, net } = completeLines(draft, covered.posting)
  const imbalance = imbalanceOf(lines)
  if (imbalance.size > 0) {
    const [[asset, difference]] = [...imbalance] as [[string, bigint]]
    return refuse('ENTRY_UNBALANCED', `Debits and credits of ${asset} differ by ${difference}.`, {
      asset,
      difference: difference.toString(),
    })
  }
  const tooLarge = checkWidth(lines)
  if (tooLarge) return tooLarge
  const capture = posting.captures
  const captured = capture && draft.holds.get(capture.hold)
  for (const [code, change] of net) {
    const spent = spentOf(code, change, covered.covers)
    if (change >= 0n && spent <= 0n) continue
    const account = accountOf(draft, code)
    // What a capture spends was set aside for it: it leaves the held part, not the available one.
    const setAside = capture && captured?.account === code ? BigInt(capture.amount) : 0n
    const outgoing = { needed: -change - setAside, spent }
    const refusal = checkOutgoing(account, posting, outgoing, book.timeZone)
    if (refusal) return refusal
  }
  const holds = holdsOf(draft, posting)
  if (isRefusal(holds)) return holds
  const entry = entryFrom(covered, lines, valueDate, holds)
  applyEntry(draft, entry)
  const withheld = holds.find((hold) => available(accountOf(draft, hold.account)) < 0n)
  if (withheld) {
    return refuse('HOLD_EXCEEDED', `Account ${withheld.account} has less than would be held.`)
  }
  return { entry, events: [...expired, { type: 'EntryPosted', data: { entry } }] }
}

/** A hold placed on its own, or for a transfer under review; those that are due go first. */
export const tryHold = (
  draft: Ledger,
  wanted: Omit<Hold, 'asset'>,
  at: string,
  transfer?: ScreenedTransfer,
): LedgerEvent[] | Refusal => {
  const account = bookableAccount(draft, wanted.account)
  if (isRefusal(account)) return account
  const hold = { ...wanted, asset: account.asset }
  const expired = expireDueHolds(draft, account, at)
  const current = accountOf(draft, hold.account)
  const left = available(current) - BigInt(hold.amount)
  if (current.overdraft !== null && left < -current.overdraft) {
    return refuse(
      'INSUFFICIENT_FUNDS',
      `Account ${current.code} has ${available(current)} available, ${hold.amount} is asked for.`,
      { account: current.code, available: available(current).toString(), requested: hold.amount },
    )
  }
  applyHold(draft, hold)
  const data = { hold, placed_at: at, ...(transfer && { transfer }) }
  return [...expired, { type: 'HoldPlaced', data }]
}
