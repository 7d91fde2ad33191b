import type { Days } from './days.ts'
import type { Kept } from './kept.ts'
import { keep } from './kept.ts'

/** A movement as the features see it: who pays whom, where, with what, how much and when. */
export type Observation = {
  readonly entry: string
  readonly customer: string
  readonly payee: string
  readonly terminal?: string | undefined
  readonly device?: string | undefined
  /** Major units. */
  readonly amount: number
  /** Milliseconds since the epoch, by the event. */
  readonly at_ms: number
  readonly kind: string
}

/** Who pays. */
export type Customer = {
  readonly since_ms: number
  last_ms: number
  /** Running count, mean and sum of squared deviations of all payments (Welford). */
  count: number
  mean: number
  squares: number
  /** The payments recorded last, oldest first: milliseconds and major units. */
  readonly times: number[]
  readonly amounts: number[]
  /** Per day: count, sum, sum of squares, largest, and how many were large. */
  readonly days: Days
  /** Whom it paid and with what, the one used longest ago first. */
  readonly payees: Set<string>
  readonly devices: Set<string>
}

/** Where money goes: a payee or a terminal. */
export type Place = {
  readonly since_ms: number
  /** Per day: payments made there, and how many were recorded as fraud on that day. */
  readonly days: Days
  /** Who paid there and when last, the one who paid longest ago first. */
  readonly payers: Map<string, number>
}

/** What a later label of a movement needs to know of it. */
export type Labelled = {
  readonly payee: string
  readonly terminal?: string | undefined
  /** The day whose sums it was recorded in as fraud; null while it counts as none. */
  readonly fraud_day: number | null
}

/** How many of each are kept at most; the half of that used last is kept for certain. */
export type Limits = {
  readonly customers: number
  readonly payees: number
  readonly terminals: number
  /** Movements that a label still reaches. */
  readonly labelled: number
}

export type FeatureState = {
  readonly customers: Kept<Customer>
  readonly payees: Kept<Place>
  readonly terminals: Kept<Place>
  readonly labelled: Kept<Labelled>
}

const LIMITS: Limits = {
  customers: 40_000,
  payees: 40_000,
  terminals: 40_000,
  labelled: 50_000,
}

/** Sums of a customer's day, after the day itself. */
export const CUSTOMER_WIDTH = 6
/** Sums of a place's day, after the day itself. */
export const PLACE_WIDTH = 3

/** Most payments, payees and payers kept one by one. */
export const RECENT_LIMIT = 32
export const DEVICE_LIMIT = 8

export const initialFeatures = (limits: Partial<Limits> = {}): FeatureState => {
  const { customers, payees, terminals, labelled } = { ...LIMITS, ...limits }
  return {
    customers: keep(customers),
    payees: keep(payees),
    terminals: keep(terminals),
    labelled: keep(labelled),
  }
}
