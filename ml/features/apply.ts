import type { Label } from '../labels.ts'
import { isCustomer } from '../movements.ts'
import { dayOf, sumsOf } from './days.ts'
import type { Kept } from './kept.ts'
import { look, put, use } from './kept.ts'
import type { Customer, FeatureState, Observation, Place } from './state.ts'
import { CUSTOMER_WIDTH, DEVICE_LIMIT, PLACE_WIDTH, RECENT_LIMIT } from './state.ts'

/** A payment is large from so many times the customer's own mean, known from so many payments. */
const LARGE_TIMES = 3
const LARGE_FROM_COUNT = 5

const forgetOldest = (kept: Map<string, unknown> | Set<string>, limit: number): void => {
  if (kept.size <= limit) return
  const oldest = kept.keys().next()
  if (!oldest.done) kept.delete(oldest.value)
}

const remember = (kept: Set<string>, key: string, limit: number): void => {
  kept.delete(key)
  kept.add(key)
  forgetOldest(kept, limit)
}

const newCustomer = (now: number): Customer => ({
  since_ms: now,
  last_ms: now,
  count: 0,
  mean: 0,
  squares: 0,
  times: [],
  amounts: [],
  days: [],
  payees: new Set(),
  devices: new Set(),
})

const newPlace = (now: number): Place => ({ since_ms: now, days: [], payers: new Map() })

const isLarge = (customer: Customer, amount: number): boolean =>
  customer.count >= LARGE_FROM_COUNT && amount >= LARGE_TIMES * customer.mean

const add = (list: number[], place: number, value: number): void => {
  list[place] = (list[place] as number) + value
}

const addToDay = (customer: Customer, amount: number, now: number): void => {
  const { days } = customer
  const place = sumsOf(days, CUSTOMER_WIDTH, dayOf(now))
  if (place < 0) return
  add(days, place, 1)
  add(days, place + 1, amount)
  add(days, place + 2, amount * amount)
  days[place + 3] = Math.max(days[place + 3] as number, amount)
  if (isLarge(customer, amount)) add(days, place + 4, 1)
}

const addToNorm = (customer: Customer, amount: number): void => {
  const difference = amount - customer.mean
  customer.count += 1
  customer.mean += difference / customer.count
  customer.squares += difference * (amount - customer.mean)
}

const pay = (state: FeatureState, observation: Observation): void => {
  const { amount, at_ms, device } = observation
  const customer = use(state.customers, observation.customer, () => newCustomer(at_ms))
  addToDay(customer, amount, at_ms)
  addToNorm(customer, amount)
  customer.last_ms = at_ms
  customer.times.push(at_ms)
  customer.amounts.push(amount)
  if (customer.times.length > RECENT_LIMIT) {
    customer.times.shift()
    customer.amounts.shift()
  }
  remember(customer.payees, observation.payee, RECENT_LIMIT)
  if (device !== undefined) remember(customer.devices, device, DEVICE_LIMIT)
}

const receive = (places: Kept<Place>, key: string, from: Observation): void => {
  const { days, payers } = use(places, key, () => newPlace(from.at_ms))
  const place = sumsOf(days, PLACE_WIDTH, dayOf(from.at_ms))
  if (place >= 0) add(days, place, 1)
  payers.delete(from.customer)
  payers.set(from.customer, from.at_ms)
  forgetOldest(payers, RECENT_LIMIT)
}

/**
 * Folds a movement into the state, in place, as the next one recorded. Only customers' accounts
 * are remembered as payers and payees: the bank's own clearing accounts pay and collect for all.
 */
export const apply = (state: FeatureState, observation: Observation): void => {
  const { entry, customer, payee, terminal } = observation
  if (isCustomer(customer)) {
    pay(state, observation)
    put(state.labelled, entry, { payee, terminal, fraud_day: null })
  }
  if (isCustomer(payee)) receive(state.payees, payee, observation)
  if (terminal !== undefined) receive(state.terminals, terminal, observation)
}

const count = (place: Place | undefined, day: number, change: number): void => {
  if (!place) return
  const sums = sumsOf(place.days, PLACE_WIDTH, day)
  // A place forgotten and met again knows nothing of the fraud that is taken back.
  if (sums >= 0) place.days[sums + 1] = Math.max(0, (place.days[sums + 1] as number) + change)
}

/**
 * Folds a label into the state when it is recorded, not before, whatever it says of the past. The
 * last label of an entry holds; a label of an entry that is forgotten changes nothing.
 */
export const applyLabel = (state: FeatureState, label: Label): void => {
  const known = look(state.labelled, label.entry)
  if (!known || (known.fraud_day !== null) === label.fraud) return
  const day = known.fraud_day ?? dayOf(label.at_ms)
  const change = label.fraud ? 1 : -1
  count(look(state.payees, known.payee), day, change)
  if (known.terminal !== undefined) count(look(state.terminals, known.terminal), day, change)
  put(state.labelled, label.entry, { ...known, fraud_day: label.fraud ? day : null })
}
