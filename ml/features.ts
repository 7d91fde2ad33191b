import type { Movement } from './movements.ts'
import { isCustomer, majorUnits } from './movements.ts'

/**
 * What a score is made from. One pure reducer, the same online and in training: it sees entries in
 * the order in which they were recorded, gives the vector of a movement *before* the movement is
 * applied, and takes every time from the event. Values are float32, so that a replayed vector
 * equals the recorded one bit for bit; NaN says that a feature has no value yet.
 */
export const FEATURE_NAMES = [
  'amount',
  'amount_to_mean',
  'amount_deviations',
  'count_1h',
  'sum_1h',
  'count_24h',
  'sum_24h',
  'seconds_since_last',
  'hour_of_day',
  'counterparty_new',
  'counterparty_payers_24h',
  'payers_24h',
  'account_age_days',
] as const

export type FeatureName = (typeof FEATURE_NAMES)[number]

/** Another meaning of a feature or another state makes older snapshots void. */
export const REDUCER_VERSION = 1

type AccountState = {
  /** Milliseconds since the epoch at which the account was first seen to move money. */
  readonly since: number
  /** Running count, mean and sum of squared deviations of what left the account (Welford). */
  count: number
  mean: number
  squares: number
  /** The latest movements out, oldest first: milliseconds and major units. */
  readonly times: number[]
  readonly amounts: number[]
  /** Whom it paid, the one paid longest ago first. */
  readonly payees: Set<string>
  /** Who paid it and when last, the one who paid longest ago first. */
  readonly payers: Map<string, number>
}

/** Accounts in order of last use, so that the first is the one to forget. */
export type FeatureState = { readonly limit: number; readonly accounts: Map<string, AccountState> }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Most movements, payees and payers kept per account; counts in a window saturate there. */
const RECENT_LIMIT = 32
const ACCOUNT_LIMIT = 20_000
const LARGEST_FLOAT32 = 3.4028234663852886e38

export const initialFeatures = (limit = ACCOUNT_LIMIT): FeatureState => ({
  limit,
  accounts: new Map(),
})

const paidWithinDay = (account: AccountState | undefined, now: number): number => {
  if (!account) return 0
  let count = 0
  for (const at of account.payers.values()) if (at > now - DAY_MS) count += 1
  return count
}

const windows = (account: AccountState | undefined, now: number) => {
  const found = { count_1h: 0, sum_1h: 0, count_24h: 0, sum_24h: 0 }
  if (!account) return found
  for (let place = account.times.length - 1; place >= 0; place -= 1) {
    const at = account.times[place] as number
    const amount = account.amounts[place] as number
    if (at <= now - DAY_MS) continue
    found.count_24h += 1
    found.sum_24h += amount
    if (at <= now - HOUR_MS) continue
    found.count_1h += 1
    found.sum_1h += amount
  }
  return found
}

const deviationsFrom = (account: AccountState | undefined, amount: number): number => {
  if (!account || account.count < 2 || account.squares === 0) return Number.NaN
  return (amount - account.mean) / Math.sqrt(account.squares / (account.count - 1))
}

/** The vector of a movement that is not applied yet, in the order of FEATURE_NAMES. */
export const features = (state: FeatureState, movement: Movement): Float32Array => {
  const now = Date.parse(movement.booked_at)
  const amount = majorUnits(movement)
  const account = state.accounts.get(movement.account)
  const last = account?.times.at(-1)
  const values: Record<FeatureName, number> = {
    amount,
    amount_to_mean: account && account.count > 0 ? amount / account.mean : Number.NaN,
    amount_deviations: deviationsFrom(account, amount),
    ...windows(account, now),
    seconds_since_last: last === undefined ? Number.NaN : Math.max(0, now - last) / 1000,
    hour_of_day: (now % DAY_MS) / HOUR_MS,
    counterparty_new: account?.payees.has(movement.counterparty) ? 0 : 1,
    counterparty_payers_24h: paidWithinDay(state.accounts.get(movement.counterparty), now),
    payers_24h: paidWithinDay(account, now),
    account_age_days: account ? Math.max(0, now - account.since) / DAY_MS : Number.NaN,
  }
  const vector = new Float32Array(FEATURE_NAMES.length)
  FEATURE_NAMES.forEach((name, place) => {
    // An infinity could not be written to the log as JSON.
    vector[place] = Math.max(-LARGEST_FLOAT32, Math.min(LARGEST_FLOAT32, values[name]))
  })
  return vector
}

const touch = (state: FeatureState, code: string, now: number): AccountState => {
  const account = state.accounts.get(code) ?? {
    since: now,
    count: 0,
    mean: 0,
    squares: 0,
    times: [],
    amounts: [],
    payees: new Set<string>(),
    payers: new Map<string, number>(),
  }
  state.accounts.delete(code)
  state.accounts.set(code, account)
  if (state.accounts.size > state.limit) forgetOldest(state.accounts)
  return account
}

const forgetOldest = (kept: Map<string, unknown> | Set<string>): void => {
  const oldest = kept.keys().next()
  if (!oldest.done) kept.delete(oldest.value)
}

/** Folds a movement into the state, in place. Only customers' accounts are remembered. */
export const applyMovement = (state: FeatureState, movement: Movement): void => {
  const now = Date.parse(movement.booked_at)
  if (isCustomer(movement.account)) {
    const account = touch(state, movement.account, now)
    const amount = majorUnits(movement)
    const difference = amount - account.mean
    account.count += 1
    account.mean += difference / account.count
    account.squares += difference * (amount - account.mean)
    account.times.push(now)
    account.amounts.push(amount)
    if (account.times.length > RECENT_LIMIT) {
      account.times.shift()
      account.amounts.shift()
    }
    account.payees.delete(movement.counterparty)
    account.payees.add(movement.counterparty)
    if (account.payees.size > RECENT_LIMIT) forgetOldest(account.payees)
  }
  if (isCustomer(movement.counterparty)) {
    const { payers } = touch(state, movement.counterparty, now)
    payers.delete(movement.account)
    payers.set(movement.account, now)
    if (payers.size > RECENT_LIMIT) forgetOldest(payers)
  }
}

type SavedAccount = Omit<AccountState, 'payees' | 'payers'> & {
  readonly code: string
  readonly payees: readonly string[]
  readonly payers: readonly (readonly [string, number])[]
}
export type SavedFeatures = {
  readonly reducer: number
  readonly names: readonly string[]
  readonly limit: number
  readonly accounts: readonly SavedAccount[]
}

/** The state as a JSON value. */
export const saveFeatures = (state: FeatureState): SavedFeatures => ({
  reducer: REDUCER_VERSION,
  names: FEATURE_NAMES,
  limit: state.limit,
  accounts: [...state.accounts].map(([code, account]) => ({
    ...account,
    code,
    times: [...account.times],
    amounts: [...account.amounts],
    payees: [...account.payees],
    payers: [...account.payers],
  })),
})

/** The state that was saved; undefined when another version of the reducer saved it. */
export const loadFeatures = (saved: SavedFeatures): FeatureState | undefined => {
  const same = saved.names?.join() === FEATURE_NAMES.join() && saved.reducer === REDUCER_VERSION
  if (!same) return undefined
  const accounts = saved.accounts.map(({ code, ...account }): [string, AccountState] => [
    code,
    {
      ...account,
      times: [...account.times],
      amounts: [...account.amounts],
      payees: new Set(account.payees),
      payers: new Map(account.payers),
    },
  ])
  return { limit: saved.limit, accounts: new Map(accounts) }
}
