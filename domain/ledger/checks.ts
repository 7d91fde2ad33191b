import { dayAfter, dayOf, daysBetween } from '../calendar.ts'
import { isRefusal, type Refusal, refuse } from '../kernel.ts'
import { BALANCE_LIMIT } from '../money.ts'
import { reduceHold, spend } from './apply.ts'
import type { LedgerEvent, Line, VelocityLimit } from './events.ts'
import type { Condition, Poster, Posting } from './request.ts'
import { type Account, available, type Book, type Ledger } from './state.ts'

const VALUE_DATE_DAYS = 366

/**
 * The value date of what was due on a day and is booked only now: that day, or the first one after
 * it that the book still takes.
 */
export const firstBookableDay = (
  { timeZone, closedThrough }: Book,
  due: string,
  at: string,
): string => {
  const oldest = dayAfter(dayOf(at, timeZone), -VALUE_DATE_DAYS)
  const open = closedThrough === null ? oldest : dayAfter(closedThrough, 1)
  return [due, oldest, open].reduce((latest, day) => (day > latest ? day : latest))
}

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

/** The account, if it is there and may be booked on. */
export const bookableAccount = (ledger: Ledger, code: string): Account | Refusal => {
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

/** The same for a line of somebody's posting. */
export const lineAccount = (
  ledger: Ledger,
  { account: code, direction }: Pick<Line, 'account' | 'direction'>,
  poster: Poster,
): Account | Refusal => {
  const account = ledger.accounts.get(code)
  if (account && !reachable(account, direction, poster)) return noAccount(code)
  return bookableAccount(ledger, code)
}

export const checkValueDate = (
  book: Book,
  posting: Posting,
  valueDate: string,
): Refusal | undefined => {
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

export const checkConditions = (
  ledger: Ledger,
  conditions: readonly Condition[],
  poster: Poster,
): Refusal | undefined => {
  for (const condition of conditions) {
    const line = { account: condition.account, direction: 'debit' } as const
    const account = lineAccount(ledger, line, poster)
    if (isRefusal(account)) return account
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
export const expireDueHolds = (ledger: Ledger, account: Account, at: string): LedgerEvent[] => {
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

/** No balance may become too wide to be written down, or the book could not be read back. */
export const checkWidth = (lines: readonly Line[]): Refusal | undefined => {
  const wide = lines.find(({ balance }) => {
    const value = BigInt(balance)
    return value >= BALANCE_LIMIT || value <= -BALANCE_LIMIT
  })
  if (!wide) return undefined
  return refuse('BALANCE_TOO_LARGE', `Account ${wide.account} would stand at ${wide.balance}.`, {
    account: wide.account,
  })
}

/** `needed` must be available; `spent` counts against the limits. */
export type Outgoing = { readonly needed: bigint; readonly spent: bigint }

/** Whether so much may leave the account: its funds, its overdraft and its velocity limits. */
export const checkOutgoing = (
  account: Account,
  posting: Posting,
  { needed, spent }: Outgoing,
  timeZone: string,
): Refusal | undefined => {
  const left = available(account) - needed
  if (needed > 0n && account.overdraft !== null && left < -account.overdraft) {
    return refuse(
      'INSUFFICIENT_FUNDS',
      `Account ${account.code} has ${available(account)} available, ${needed} is asked for.`,
      {
        account: account.code,
        available: available(account).toString(),
        overdraft_limit: account.overdraft.toString(),
        requested: needed.toString(),
      },
    )
  }
  if (account.limits.length === 0 || posting.reverses || spent <= 0n) return undefined
  const index = brokenLimit(account, posting, spent, timeZone)
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
