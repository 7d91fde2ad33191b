import type { FeatureName } from './features.ts'
import { FEATURE_NAMES } from './features.ts'

/** One feature's share in a score, in log-odds, and what a person needs to follow it. */
export type Reason = {
  readonly feature: FeatureName
  readonly value: number
  readonly contribution: number
  readonly text: string
}

const MOST_REASONS = 3

const money = (value: number): string => value.toFixed(2)

const duration = (seconds: number): string => {
  if (seconds < 120) return `${Math.round(seconds)} seconds`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} hours`
  return `${Math.round(seconds / 86_400)} days`
}

const clock = (hours: number): string => {
  const minutes = Math.floor(hours * 60)
  const pad = (part: number) => String(part).padStart(2, '0')
  return `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)} UTC`
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

type Observed = Readonly<Record<FeatureName, number>>

/** What was observed and, where the account has one, its norm. */
const texts: Readonly<Record<FeatureName, (seen: Observed) => string>> = {
  amount: (seen) => `amount ${money(seen.amount)}`,
  amount_to_mean: (seen) =>
    `amount ${seen.amount_to_mean.toFixed(1)} times this account's mean ` +
    `(${money(seen.amount)} against ${money(seen.amount / seen.amount_to_mean)})`,
  amount_deviations: (seen) =>
    `amount ${Math.abs(seen.amount_deviations).toFixed(1)} standard deviations ` +
    `${seen.amount_deviations < 0 ? 'below' : 'above'} this account's mean`,
  count_1h: (seen) => `${counted(seen.count_1h, 'payment')} from this account in the hour before`,
  sum_1h: (seen) => `${money(seen.sum_1h)} left this account in the hour before`,
  count_24h: (seen) => `${counted(seen.count_24h, 'payment')} from this account in the day before`,
  sum_24h: (seen) => `${money(seen.sum_24h)} left this account in the day before`,
  seconds_since_last: (seen) =>
    `${duration(seen.seconds_since_last)} after this account's payment before`,
  hour_of_day: (seen) => `made at ${clock(seen.hour_of_day)}`,
  counterparty_new: (seen) =>
    seen.counterparty_new === 1
      ? 'first payment to this counterparty'
      : 'counterparty paid before by this account',
  counterparty_payers_24h: (seen) =>
    `counterparty was paid by ${counted(seen.counterparty_payers_24h, 'account')} in the day before`,
  payers_24h: (seen) =>
    `this account was paid by ${counted(seen.payers_24h, 'account')} in the day before`,
  account_age_days: (seen) => `account first seen ${duration(seen.account_age_days * 86_400)} ago`,
}

/**
 * The features that raised the score most, the strongest first. A feature without a value has no
 * say here: there is nothing to show for it.
 */
export const reasonsFrom = (contributions: Float64Array, vector: Float32Array): Reason[] => {
  const places: number[] = []
  for (let place = 0; place < contributions.length; place += 1) {
    if ((contributions[place] as number) > 0 && !Number.isNaN(vector[place])) places.push(place)
  }
  places.sort((one, other) => (contributions[other] as number) - (contributions[one] as number))
  if (places.length === 0) return []
  const seen = Object.fromEntries(
    FEATURE_NAMES.map((name, place) => [name, vector[place] as number]),
  ) as Observed
  return places.slice(0, MOST_REASONS).map((place) => {
    const feature = FEATURE_NAMES[place] as FeatureName
    return {
      feature,
      value: seen[feature],
      contribution: Math.fround(contributions[place] as number),
      text: texts[feature](seen),
    }
  })
}
