import { dayOf, eachDay } from './days.ts'
import type { Customer, Place } from './state.ts'
import { CUSTOMER_WIDTH, PLACE_WIDTH } from './state.ts'

/** A deviation below this share of the mean is rounding. */
const NO_DEVIATION = 1e-6

/** The payments kept one by one that were made within so many milliseconds up to now. */
export const recent = (customer: Customer | undefined, now: number, window_ms: number) => {
  const found = { count: 0, sum: 0 }
  customer?.times.forEach((at, place) => {
    if (at <= now - window_ms || at > now) return
    found.count += 1
    found.sum += customer.amounts[place] as number
  })
  return found
}

/** What a customer paid on so many days, today being the last of them. */
export const paid = (customer: Customer | undefined, now: number, days: number) => {
  const found = { count: 0, sum: 0, squares: 0, largest: 0, large: 0 }
  eachDay(customer?.days ?? [], CUSTOMER_WIDTH, dayOf(now), days, (list, place) => {
    found.count += list[place] as number
    found.sum += list[place + 1] as number
    found.squares += list[place + 2] as number
    found.largest = Math.max(found.largest, list[place + 3] as number)
    found.large += list[place + 4] as number
  })
  return found
}

/** Payments made at a place on so many days, and how many were recorded as fraud on those. */
export const seenAt = (place: Place | undefined, now: number, days: number) => {
  const found = { count: 0, frauds: 0 }
  eachDay(place?.days ?? [], PLACE_WIDTH, dayOf(now), days, (list, at) => {
    found.count += list[at] as number
    found.frauds += list[at + 1] as number
  })
  return found
}

/** How many different accounts paid there within so many milliseconds up to now. */
export const payersOf = (place: Place | undefined, now: number, window_ms: number): number => {
  let count = 0
  for (const at of place?.payers.values() ?? []) if (at > now - window_ms && at <= now) count += 1
  return count
}

/** The sample deviation; no value when there is none to speak of. */
export const deviation = (count: number, mean: number, squares: number): number => {
  if (count < 2) return Number.NaN
  const found = Math.sqrt(Math.max(0, squares) / (count - 1))
  return found > mean * NO_DEVIATION ? found : Number.NaN
}
