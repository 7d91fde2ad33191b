import type { Entry, Hold, Line, ScreenedTransfer, VelocityLimit } from './events.ts'
import { type Account, controlOf, growsBy, type Ledger, windowOf } from './state.ts'

/** Thrown when an event contradicts the state it is folded into: a bug or a damaged log. */
const mustHave = <Value>(value: Value | undefined, what: string): Value => {
  if (value === undefined) throw new Error(`the log names ${what}, which does not exist`)
  return value
}

export const accountOf = (ledger: Ledger, code: string): Account =>
  mustHave(ledger.accounts.get(code), `account ${code}`)

/** What a line adds to its account, on the account's normal side. */
export const effectOf = (account: Account, line: Pick<Line, 'direction' | 'amount'>): bigint =>
  line.direction === growsBy(account.type) ? BigInt(line.amount) : -BigInt(line.amount)

/** What the lines come to on each account, on its normal side. */
export const netOf = (
  ledger: Ledger,
  lines: readonly Pick<Line, 'account' | 'direction' | 'amount'>[],
): Map<string, bigint> => {
  const net = new Map<string, bigint>()
  for (const line of lines) {
    const effect = effectOf(accountOf(ledger, line.account), line)
    net.set(line.account, (net.get(line.account) ?? 0n) + effect)
  }
  return net
}

/**
 * What counts as spent by an account out of its net change: also what another account made up for,
 * and not what it made up for itself.
 */
export const spentOf = (account: string, net: bigint, covers: Entry['covers'] = []): bigint =>
  covers.reduce((spent, cover) => {
    if (cover.account === account) return spent + BigInt(cover.amount)
    return cover.by === account ? spent - BigInt(cover.amount) : spent
  }, -net)

const countsFor = (limit: VelocityLimit, kind: string): boolean =>
  limit.kind === undefined || limit.kind === kind

/** Records `amount` leaving the account in every window that counts entries of this kind. */
export const spend = (
  account: Account,
  entry: Pick<Entry, 'kind' | 'booked_at'>,
  amount: bigint,
  timeZone: string,
): Account => {
  if (account.limits.length === 0) return account
  const usage = account.limits.map((limit, index) => {
    const window = windowOf(limit, entry.booked_at, timeZone)
    const before = account.usage[index]
    const current = before?.window === window ? before : { window, amount: 0n, count: 0 }
    if (!countsFor(limit, entry.kind)) return current
    return { window, amount: current.amount + amount, count: current.count + 1 }
  })
  return { ...account, usage }
}

export const applyHold = (ledger: Ledger, hold: Hold, transfer?: ScreenedTransfer): void => {
  const account = accountOf(ledger, hold.account)
  const left = BigInt(hold.amount)
  ledger.holds.set(hold.id, { ...hold, left, ...(transfer && { transfer }) })
  ledger.accounts.set(hold.account, {
    ...account,
    held: account.held + left,
    openHolds: [...account.openHolds, hold.id],
  })
}

/** Leaves `left` of a hold; with nothing left it ends. */
export const reduceHold = (ledger: Ledger, id: string, left: bigint): void => {
  const hold = mustHave(ledger.holds.get(id), `hold ${id}`)
  const account = accountOf(ledger, hold.account)
  if (left < 0n || left > hold.left) {
    throw new Error(`the log leaves ${left} of hold ${id}, which has ${hold.left}`)
  }
  if (left === 0n) ledger.holds.delete(id)
  else ledger.holds.set(id, { ...hold, left })
  ledger.accounts.set(hold.account, {
    ...account,
    held: account.held - (hold.left - left),
    openHolds: left === 0n ? account.openHolds.filter((open) => open !== id) : account.openHolds,
  })
}

/** Ends a hold whose remainder is said to be `amount`. */
export const endHold = (ledger: Ledger, id: string, amount: string): void => {
  const hold = mustHave(ledger.holds.get(id), `hold ${id}`)
  if (hold.left.toString() !== amount) {
    throw new Error(`the log gives back ${amount} of hold ${id}, which has ${hold.left}`)
  }
  reduceHold(ledger, id, 0n)
}

const addToTotals = (ledger: Ledger, entry: Entry, line: Line): void => {
  const key = `${entry.value_date}|${controlOf(line.account)}|${line.asset}`
  const before = ledger.totals.get(key)
  const amount = BigInt(line.amount)
  const debit = line.direction === 'debit' ? amount : 0n
  ledger.totals.set(key, {
    debit: (before?.debit ?? 0n) + debit,
    credit: (before?.credit ?? 0n) + amount - debit,
  })
}

/**
 * Applies one entry. The balances that its lines claim are checked against what the fold makes of
 * them, so that a replay which ends without an error has re-done all the arithmetic.
 */
export const applyEntry = (ledger: Ledger, entry: Entry): void => {
  if (entry.captures) {
    reduceHold(ledger, entry.captures.hold, BigInt(entry.captures.left))
  }
  const limited = new Map<string, bigint>()
  for (const line of entry.lines) {
    const account = accountOf(ledger, line.account)
    const effect = effectOf(account, line)
    const balance = account.balance + effect
    if (balance.toString() !== line.balance) {
      throw new Error(
        `entry ${entry.id} claims ${line.balance} on ${line.account}, the fold says ${balance}`,
      )
    }
    ledger.accounts.set(line.account, { ...account, balance })
    if (account.limits.length > 0) {
      limited.set(line.account, (limited.get(line.account) ?? 0n) + effect)
    }
    addToTotals(ledger, entry, line)
  }
  if (!entry.reverses) {
    for (const [code, net] of limited) {
      const amount = spentOf(code, net, entry.covers)
      if (amount > 0n) {
        ledger.accounts.set(code, spend(accountOf(ledger, code), entry, amount, ledger.timeZone))
      }
    }
  } else {
    ledger.reversals.set(entry.reverses, entry.id)
  }
  for (const hold of entry.holds ?? []) applyHold(ledger, hold)
  ledger.counts.set(entry.value_date, (ledger.counts.get(entry.value_date) ?? 0) + 1)
}
