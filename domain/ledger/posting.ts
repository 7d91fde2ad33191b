import { dayOf, daysBetween } from '../calendar.ts'
import { isRefusal, type Refusal, refuse } from '../kernel.ts'
import { accountOf, applyEntry, applyHold, effectOf, reduceHold, spend } from './apply.ts'
import { imbalanceOf } from './balance.ts'
import type { Entry, Hold, LedgerEvent, Line, VelocityLimit } from './events.ts'
import { type Account, available, type Book, type Ledger } from './state.ts'

/** Who asks: staff may post anywhere, a customer only out of accounts that are his. */
export type Poster = { readonly owner: string | null }

export type Condition = {
  readonly account: string
  readonly field: 'balance' | 'available'
  readonly at_least?: string | undefined
  readonly at_most?: string | undefined
}

/** A posting as it reaches the ledger: complete but for the balances. */
export type Posting = {
  readonly id: string
  readonly at: string
  readonly kind: string
  readonly lines: readonly Pick<Line, 'account' | 'direction' | 'amount'>[]
  readonly value_date?: string | undefined
  readonly description: string
  readonly reference?: string | undefined
  readonly metadata?: Record<string, string> | undefined
  readonly conditions?: readonly Condition[] | undefined
  readonly holds?:
    | readonly { id: string; account: string; amount: string; until: string }[]
    | undefined
  readonly captures?: Entry['captures'] | undefined
  readonly reverses?: string | undefined
}

const VALUE_DATE_DAYS = 366

const noAccount = (code: string): Refusal =>
  refuse('ACCOUNT_NOT_FOUND', `There is no account ${code}.`, { account: code })

/**
 * A customer takes from his own accounts and gives to those of customers, never to the bank's own.
 * What he cannot reach looks to him as if it did not exist.
 */
const reachable = (account: Account, direction: Line['direction'], poster: Poster): boolean => {
  if (poster.owner === null) return true
  if (direction === 'debit') return account.owner === poster.owner
  return account.owner !== null && account.type === 'liability'
}

const usableAccount = (ledger: Ledger, code: string): Account | Refusal => {
  const account = ledger.accounts.get(code)
  if (!account) return noAccount(code)
  if (account.status === 'frozen') {
    return refuse('ACCOUNT_FROZEN', `Account ${code} is frozen.`, { account: code })
  }
  if (account.status === 'closed') {
    return refuse('ACCOUNT_CLOSED', `Account ${code} is closed.`, { account: code })
  }
  return account
}

const checkValueDate = (book: Book, posting: Posting, valueDate: string): Refusal | undefined => {
  if (book.closedThrough !== null && valueDate <= book.closedThrough) {
    return refuse('PERIOD_CLOSED', `The books are closed through ${book.closedThrough}.`, {
      value_date: valueDate,
      closed_through: book.closedThrough,
    })
  }
  const distance = daysBetween(dayOf(posting.at, book.timeZone), valueDate)
  if (Math.abs(distance) > VALUE_DATE_DAYS) {
    return refuse(
      'VALUE_DATE_TOO_FAR',
      `The value date ${valueDate} is more than ${VALUE_DATE_DAYS} days away.`,
      { value_date: valueDate },
    )
  }
  return undefined
}

const checkConditions = (
  ledger: Ledger,
  conditions: readonly Condition[],
  poster: Poster,
): Refusal | undefined => {
  for (const condition of conditions) {
    const account = usableAccount(ledger, condition.account)
    if (isRefusal(account)) return account
    if (!reachable(account, 'debit', poster)) return noAccount(condition.account)
    const actual = condition.field === 'balance' ? account.balance : available(account)
    const tooLow = condition.at_least !== undefined && actual < BigInt(condition.at_least)
    const tooHigh = condition.at_most !== undefined && actual > BigInt(condition.at_most)
    if (tooLow || tooHigh) {
      return refuse(
        'CONDITION_FAILED',
        `The ${condition.field} of ${condition.account} is ${actual}.`,
        { account: condition.account, [condition.field]: actual.toString() },
      )
    }
  }
  return undefined
}

/** Holds whose time has come count as gone, whether or not the clock's own sweep was here yet. */
const expireDueHolds = (ledger: Ledger, account: Account, at: string): LedgerEvent[] => {
  const events: LedgerEvent[] = []
  for (const id of account.openHolds) {
    const hold = ledger.holds.get(id)
    if (hold?.expires_at && hold.expires_at <= at) {
      const amount = hold.left.toString()
      reduceHold(ledger, id, 0n)
      events.push({
        type: 'HoldExpired',
        data: { hold: id, account: account.code, amount, expired_at: at },
      })
    }
  }
  return events
}

const brokenLimit = (account: Account, posting: Posting, amount: bigint, timeZone: string) => {
  const after = spend(account, { kind: posting.kind, booked_at: posting.at }, amount, timeZone)
  return account.limits.findIndex((limit: VelocityLimit, index) => {
    if (limit.kind !== undefined && limit.kind !== posting.kind) return false
    const usage = after.usage[index]
    if (!usage) return false
    const overAmount = limit.amount !== undefined && usage.amount > BigInt(limit.amount)
    return overAmount || (limit.count !== undefined && usage.count > limit.count)
  })
}

const checkOutgoing = (
  account: Account,
  posting: Posting,
  outgoing: bigint,
  timeZone: string,
): Refusal | undefined => {
  const left = available(account) - outgoing
  if (account.overdraft !== null && left < -account.overdraft) {
    return refuse(
      'INSUFFICIENT_FUNDS',
      `Account ${account.code} has ${available(account)} available, ${outgoing} is asked for.`,
      {
        account: account.code,
        available: available(account).toString(),
        overdraft_limit: account.overdraft.toString(),
        requested: outgoing.toString(),
      },
    )
  }
  if (account.limits.length === 0 || posting.reverses) return undefined
  const index = brokenLimit(account, posting, outgoing, timeZone)
  const limit = account.limits[index]
  if (!limit) return undefined
  return refuse(
    'VELOCITY_LIMIT',
    `Account ${account.code} would exceed its ${limit.window} limit.`,
    {
      account: account.code,
      window: limit.window,
      kind: limit.kind ?? null,
      limit_amount: limit.amount ?? null,
      limit_count: limit.count ?? null,
    },
  )
}

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
    const account = usableAccount(ledger, wanted.account)
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
    const account = usableAccount(ledger, line.account)
    if (isRefusal(account)) return account
    if (!reachable(account, line.direction, poster)) return noAccount(line.account)
    if (account.openHolds.length > 0) expired.push(...expireDueHolds(ledger, account, posting.at))
  }
  return undefined
}

const entryFrom = (posting: Posting, lines: Line[], valueDate: string, holds: Hold[]): Entry => ({
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
  ...(holds.length > 0 && { holds }),
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

  const { lines, net } = completeLines(draft, posting)
  const imbalance = imbalanceOf(lines)
  if (imbalance.size > 0) {
    const [[asset, difference]] = [...imbalance] as [[string, bigint]]
    return refuse('ENTRY_UNBALANCED', `Debits and credits of ${asset} differ by ${difference}.`, {
      asset,
      difference: difference.toString(),
    })
  }
  const capture = posting.captures
  const captured = capture && draft.holds.get(capture.hold)
  for (const [code, change] of net) {
    if (change >= 0n) continue
    const account = accountOf(draft, code)
    // What a capture spends was set aside for it: it leaves the held part, not the available one.
    const setAside = capture && captured?.account === code ? BigInt(capture.amount) : 0n
    const freed = { ...account, held: account.held - setAside }
    const refusal = checkOutgoing(freed, posting, -change, book.timeZone)
    if (refusal) return refusal
  }
  const holds = holdsOf(draft, posting)
  if (isRefusal(holds)) return holds
  const entry = entryFrom(posting, lines, valueDate, holds)
  applyEntry(draft, entry)
  const withheld = holds.find((hold) => available(accountOf(draft, hold.account)) < 0n)
  if (withheld) {
    return refuse('HOLD_EXCEEDED', `Account ${withheld.account} has less than would be held.`)
  }
  return { entry, events: [...expired, { type: 'EntryPosted', data: { entry } }] }
}

/** A hold placed on its own; those that are due go first. */
export const tryHold = (
  draft: Ledger,
  wanted: Omit<Hold, 'asset'>,
  at: string,
): LedgerEvent[] | Refusal => {
  const account = usableAccount(draft, wanted.account)
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
  return [...expired, { type: 'HoldPlaced', data: { hold, placed_at: at } }]
}
