import type { FeatureName } from './features.ts'
import { FEATURE_NAMES } from './features.ts'

/** One feature's share in a score, in log-odds, and what a person needs to follow it. */
export type Reason = {
  readonly feature: FeatureName
  /** What it says, for machines: it stays when features and sentences change. */
  readonly code: string
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

/** How far the amount lies from a norm, and the norm. */
const timesNorm = (amount: number, times: number, norm: string): string =>
  `amount ${times.toFixed(1)} times ${norm} (${money(amount)} against ${money(amount / times)})`

const deviations = (value: number, norm: string): string =>
  `amount ${Math.abs(value).toFixed(1)} standard deviations ` +
  `${value < 0 ? 'below' : 'above'} ${norm}`

const side = (above: boolean, norm: string): string => `AMOUNT_${above ? 'ABOVE' : 'BELOW'}_${norm}`

type Observed = Readonly<Record<FeatureName, number>>
type Wording = {
  readonly code: string | ((seen: Observed) => string)
  readonly text: (seen: Observed) => string
}

/** What was observed and, where the account has one, its norm. */
const wordings: Readonly<Record<FeatureName, Wording>> = {
  amount: { code: 'AMOUNT', text: ({ amount }) => `amount ${money(amount)}` },
  hour_of_day: {
    code: 'TIME_OF_DAY',
    text: ({ hour_of_day }) => `made at ${clock(hour_of_day)}`,
  },
  weekend: {
    code: ({ weekend }) => (weekend === 1 ? 'WEEKEND' : 'WORKING_DAY'),
    text: ({ weekend }) => (weekend === 1 ? 'made at the weekend' : 'made on a working day'),
  },
  seconds_since_last: {
    code: 'TIME_SINCE_LAST',
    text: (seen) => `${duration(seen.seconds_since_last)} after this account's payment before`,
  },
  account_age_days: {
    code: 'ACCOUNT_AGE',
    text: (seen) => `account first seen ${duration(seen.account_age_days * 86_400)} ago`,
  },
  count_1h: {
    code: 'PAYMENTS_IN_HOUR',
    text: (seen) => `${counted(seen.count_1h, 'payment')} from this account in the hour before`,
  },
  sum_1h: {
    code: 'AMOUNT_IN_HOUR',
    text: (seen) => `${money(seen.sum_1h)} left this account in the hour before`,
  },
  count_1d: {
    code: 'PAYMENTS_IN_DAY',
    text: (seen) => `${counted(seen.count_1d, 'payment')} from this account in the day before`,
  },
  sum_1d: {
    code: 'AMOUNT_IN_DAY',
    text: (seen) => `${money(seen.sum_1d)} left this account in the day before`,
  },
  count_30d: {
    code: 'PAYMENTS_IN_MONTH',
    text: (seen) => `${counted(seen.count_30d, 'payment')} from this account in 30 days`,
  },
  mean_30d: {
    code: 'MEAN_IN_MONTH',
    text: (seen) => `this account's 30-day mean is ${money(seen.mean_30d)}`,
  },
  large_7d: {
    code: 'LARGE_PAYMENTS_IN_WEEK',
    text: (seen) => `${counted(seen.large_7d, 'payment')} large for this account in 7 days`,
  },
  large_30d: {
    code: 'LARGE_PAYMENTS_IN_MONTH',
    text: (seen) => `${counted(seen.large_30d, 'payment')} large for this account in 30 days`,
  },
  amount_to_mean_30d: {
    code: ({ amount_to_mean_30d }) => side(amount_to_mean_30d >= 1, 'MONTH_MEAN'),
    text: (seen) => timesNorm(seen.amount, seen.amount_to_mean_30d, "this account's 30-day mean"),
  },
  amount_deviations_30d: {
    code: ({ amount_deviations_30d }) => side(amount_deviations_30d >= 0, 'MONTH_DEVIATION'),
    text: (seen) =>
      deviations(
        seen.amount_deviations_30d,
        `this account's 30-day mean of ${money(seen.mean_30d)}`,
      ),
  },
  amount_to_largest_30d: {
    code: ({ amount_to_largest_30d }) => side(amount_to_largest_30d >= 1, 'LARGEST'),
    text: (seen) =>
      timesNorm(seen.amount, seen.amount_to_largest_30d, "this account's largest in 30 days"),
  },
  amount_to_mean: {
    code: ({ amount_to_mean }) => side(amount_to_mean >= 1, 'MEAN'),
    text: (seen) => timesNorm(seen.amount, seen.amount_to_mean, "this account's mean"),
  },
  amount_deviations: {
    code: ({ amount_deviations }) => side(amount_deviations >= 0, 'DEVIATION'),
    text: (seen) => deviations(seen.amount_deviations, "this account's mean"),
  },
  payee_new: {
    code: ({ payee_new }) => (payee_new === 1 ? 'NEW_PAYEE' : 'KNOWN_PAYEE'),
    text: ({ payee_new }) =>
      payee_new === 1 ? 'first payment to this payee' : 'payee paid before by this account',
  },
  payee_payers_1d: {
    code: 'PAYEE_PAYERS',
    text: (seen) =>
      `payee was paid by ${counted(seen.payee_payers_1d, 'account')} in the day before`,
  },
  payee_frauds_30d: {
    code: 'PAYEE_KNOWN_FRAUD',
    text: (seen) => `${counted(seen.payee_frauds_30d, 'fraud')} at this payee recorded in 30 days`,
  },
  payers_1d: {
    code: 'PAYERS_IN_DAY',
    text: (seen) =>
      `this account was paid by ${counted(seen.payers_1d, 'account')} in the day before`,
  },
  terminal_count_7d: {
    code: 'TERMINAL_IN_WEEK',
    text: (seen) => `${counted(seen.terminal_count_7d, 'payment')} at this terminal in 7 days`,
  },
  terminal_count_30d: {
    code: 'TERMINAL_IN_MONTH',
    text: (seen) => `${counted(seen.terminal_count_30d, 'payment')} at this terminal in 30 days`,
  },
  terminal_frauds_7d: {
    code: 'TERMINAL_KNOWN_FRAUD_IN_WEEK',
    text: (seen) =>
      `${counted(seen.terminal_frauds_7d, 'fraud')} at this terminal recorded in 7 days`,
  },
  terminal_frauds_30d: {
    code: 'TERMINAL_KNOWN_FRAUD',
    text: (seen) =>
      `${counted(seen.terminal_frauds_30d, 'fraud')} at this terminal recorded in 30 days`,
  },
  terminal_fraud_share_30d: {
    code: 'TERMINAL_FRAUD_SHARE',
    text: (seen) =>
      `${Math.round(seen.terminal_fraud_share_30d * 100)} % known fraud at this terminal ` +
      `(${seen.terminal_frauds_30d} of ${seen.terminal_count_30d} payments in 30 days)`,
  },
  device_new: {
    code: ({ device_new }) => (device_new === 1 ? 'NEW_DEVICE' : 'KNOWN_DEVICE'),
    text: ({ device_new }) =>
      device_new === 1 ? 'first payment with this device' : 'device used before by this account',
  },
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
    const { code, text } = wordings[feature]
    return {
      feature,
      code: typeof code === 'string' ? code : code(seen),
      value: seen[feature],
      contribution: Math.fround(contributions[place] as number),
      text: text(seen),
    }
  })
}
