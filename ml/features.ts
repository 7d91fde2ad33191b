import { RISK_FEATURES } from '../domain/risk.ts'
import { DAY_MS, dayOf } from './features/days.ts'
import { look } from './features/kept.ts'
import type { SavedState } from './features/saved.ts'
import { loadState, saveState } from './features/saved.ts'
import type { Customer, FeatureState, Observation } from './features/state.ts'
import { deviation, paid, payersOf, recent, seenAt } from './features/windows.ts'

export { apply, applyLabel } from './features/apply.ts'
export type { FeatureState, Limits, Observation } from './features/state.ts'
export { initialFeatures } from './features/state.ts'

/**
 * What a score is made from. One pure reducer, the same online and in training: it sees movements
 * and labels in the order in which they were recorded, gives the vector of a movement *before* the
 * movement is applied, and takes every time from the event. A fraud counts from the moment its
 * label is recorded, however long ago it happened. Values are float32, so that a replayed vector
 * equals the recorded one bit for bit; NaN says that a feature has no value.
 *
 * Windows of 1 hour and 1 day are exact to the millisecond and saturate at 32 payments or payers.
 * Those of 7 and 30 days are whole UTC days, today so far being the last, and do not saturate.
 * Both leave out what was recorded before but happened after.
 */
export const FEATURE_NAMES = RISK_FEATURES

export type FeatureName = (typeof FEATURE_NAMES)[number]

/** Another meaning of a feature or another state makes older snapshots void. */
export const REDUCER_VERSION = 2

type Values = { readonly [Name in FeatureName]?: number | undefined }

const HOUR_MS = 3_600_000
const LARGEST_FLOAT32 = 3.4028234663852886e38

/** 1970 began on a Thursday. */
const isWeekend = (now: number): boolean => (dayOf(now) + 4) % 7 === 0 || (dayOf(now) + 4) % 7 === 6

const timing = (customer: Customer | undefined, since_ms: number, now: number): Values => ({
  hour_of_day: (now - dayOf(now) * DAY_MS) / HOUR_MS,
  weekend: isWeekend(now) ? 1 : 0,
  seconds_since_last: customer && Math.max(0, now - customer.last_ms) / 1000,
  account_age_days: Math.max(0, now - since_ms) / DAY_MS,
})

const spending = (customer: Customer | undefined, amount: number, now: number): Values => {
  const hour = recent(customer, now, HOUR_MS)
  const day = recent(customer, now, DAY_MS)
  const week = paid(customer, now, 7)
  const month = paid(customer, now, 30)
  const mean = month.count > 0 ? month.sum / month.count : Number.NaN
  const usual = deviation(month.count, mean, month.squares - month.sum * mean)
  return {
    count_1h: hour.count,
    sum_1h: hour.sum,
    count_1d: day.count,
    sum_1d: day.sum,
    count_30d: month.count,
    mean_30d: mean,
    large_7d: week.large,
    large_30d: month.large,
    amount_to_mean_30d: amount / mean,
    amount_deviations_30d: (amount - mean) / usual,
    amount_to_largest_30d: month.count > 0 ? amount / month.largest : Number.NaN,
  }
}

const standing = (customer: Customer | undefined, amount: number): Values => {
  if (!customer) return {}
  const { count, mean, squares } = customer
  return {
    amount_to_mean: amount / mean,
    amount_deviations: (amount - mean) / deviation(count, mean, squares),
  }
}

const atTerminal = (state: FeatureState, terminal: string, now: number): Values => {
  const place = look(state.terminals, terminal)
  const week = seenAt(place, now, 7)
  const month = seenAt(place, now, 30)
  return {
    terminal_count_7d: week.count,
    terminal_count_30d: month.count,
    terminal_frauds_7d: week.frauds,
    terminal_frauds_30d: month.frauds,
    // Frauds may be recorded of payments that have left the window.
    terminal_fraud_share_30d: Math.min(1, month.frauds / Math.max(1, month.count)),
  }
}

/** An infinity could not be written to the log as JSON. */
const finite = (value: number): number =>
  Math.max(-LARGEST_FLOAT32, Math.min(LARGEST_FLOAT32, value))

/** The vector of a movement that is not applied yet, in the order of FEATURE_NAMES. */
export const features = (state: FeatureState, observation: Observation): Float32Array => {
  const { amount, at_ms, terminal, device } = observation
  const customer = look(state.customers, observation.customer)
  const account = look(state.payees, observation.customer)
  const payee = look(state.payees, observation.payee)
  const since_ms = Math.min(customer?.since_ms ?? Infinity, account?.since_ms ?? Infinity)
  const values: Values = {
    amount,
    ...timing(customer, since_ms === Infinity ? Number.NaN : since_ms, at_ms),
    ...spending(customer, amount, at_ms),
    ...standing(customer, amount),
    payee_new: customer?.payees.has(observation.payee) ? 0 : 1,
    payee_payers_1d: payersOf(payee, at_ms, DAY_MS),
    payee_frauds_30d: seenAt(payee, at_ms, 30).frauds,
    payers_1d: payersOf(account, at_ms, DAY_MS),
    ...(terminal !== undefined && atTerminal(state, terminal, at_ms)),
    ...(device !== undefined && { device_new: customer?.devices.has(device) ? 0 : 1 }),
  }
  return Float32Array.from(FEATURE_NAMES, (name) => finite(values[name] ?? Number.NaN))
}

export type SavedFeatures = {
  readonly reducer: number
  readonly names: readonly string[]
  readonly state: SavedState
}

/** The state as a JSON value, of which nothing changes any more. */
export const saveFeatures = (state: FeatureState): SavedFeatures => ({
  reducer: REDUCER_VERSION,
  names: FEATURE_NAMES,
  state: saveState(state),
})

/** The state that was saved; undefined when another version of the reducer saved it. */
export const loadFeatures = (saved: SavedFeatures): FeatureState | undefined => {
  const same = saved.names?.join() === FEATURE_NAMES.join() && saved.reducer === REDUCER_VERSION
  return same ? loadState(saved.state) : undefined
}
