import { halfEven } from './money.ts'

/** What decimals are counted in here: hundred-millionths, so that eight places are exact. */
export const ONE = 100_000_000n
const MINOR = ONE / 100n
const PER_CENT_MONTHS = 1200n

export type Forecast = {
  /** Minor units, as are the others. */
  readonly interest: bigint
  readonly total: bigint
  /** null: in no months. */
  readonly monthly: bigint | null
}

/**
 * What simple interest comes to. The principal and the yearly rate (per cent) are counted in
 * hundred-millionths; what is said of it is in minor units, each rounded half to even by itself.
 */
export const forecastInterest = (principal: bigint, rate: bigint, months: number): Forecast => {
  const whole = PER_CENT_MONTHS * ONE
  const interest = principal * rate * BigInt(months)
  const total = principal * whole + interest
  return {
    interest: halfEven(interest, whole * MINOR),
    total: halfEven(total, whole * MINOR),
    monthly: months === 0 ? null : halfEven(total, whole * MINOR * BigInt(months)),
  }
}
