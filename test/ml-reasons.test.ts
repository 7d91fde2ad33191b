import { describe, expect, it } from 'vitest'
import { riskEvents } from '../domain/risk.ts'
import { FEATURE_NAMES, type FeatureName } from '../ml/features.ts'
import { reasonsFrom } from '../ml/reasons.ts'

const observed: Record<FeatureName, number> = {
  amount: 412,
  hour_of_day: 2.25,
  weekend: 1,
  seconds_since_last: 90,
  account_age_days: 12,
  count_1h: 1,
  sum_1h: 20,
  count_1d: 4,
  sum_1d: 80.5,
  count_30d: 31,
  mean_30d: 79,
  large_7d: 1,
  large_30d: 2,
  amount_to_mean_30d: 412 / 79,
  amount_deviations_30d: 3.14,
  amount_to_largest_30d: 2,
  amount_to_mean: 412 / 103,
  amount_deviations: -2.5,
  payee_new: 1,
  payee_payers_1d: 3,
  payee_frauds_30d: 2,
  payers_1d: 0,
  terminal_count_7d: 8,
  terminal_count_30d: 40,
  terminal_frauds_7d: 1,
  terminal_frauds_30d: 10,
  terminal_fraud_share_30d: 0.25,
  device_new: 1,
}

const vectorOf = (seen: Partial<Record<FeatureName, number>>) =>
  Float32Array.from(FEATURE_NAMES, (name) => seen[name] ?? Number.NaN)
const vector = vectorOf(observed)
const only = (...names: string[]) =>
  Float64Array.from(FEATURE_NAMES, (name) => {
    const place = names.indexOf(name)
    return place < 0 ? -1 : names.length - place
  })

describe('reasons', () => {
  it('name the strongest features with what was seen and the norm', () => {
    const moved = only('amount_to_mean_30d', 'count_1d', 'payee_new', 'amount')
    expect(reasonsFrom(moved, vector)).toEqual([
      {
        feature: 'amount_to_mean_30d',
        code: 'AMOUNT_ABOVE_MONTH_MEAN',
        value: Math.fround(412 / 79),
        contribution: 4,
        text: "amount 5.2 times this account's 30-day mean (412.00 against 79.00)",
      },
      {
        feature: 'count_1d',
        code: 'PAYMENTS_IN_DAY',
        value: 4,
        contribution: 3,
        text: '4 payments from this account in the day before',
      },
      {
        feature: 'payee_new',
        code: 'NEW_PAYEE',
        value: 1,
        contribution: 2,
        text: 'first payment to this payee',
      },
    ])
  })

  it.each([
    ['amount', 'AMOUNT', 'amount 412.00'],
    ['hour_of_day', 'TIME_OF_DAY', 'made at 02:15 UTC'],
    ['weekend', 'WEEKEND', 'made at the weekend'],
    ['seconds_since_last', 'TIME_SINCE_LAST', "90 seconds after this account's payment before"],
    ['account_age_days', 'ACCOUNT_AGE', 'account first seen 12 days ago'],
    ['count_1h', 'PAYMENTS_IN_HOUR', '1 payment from this account in the hour before'],
    ['sum_1h', 'AMOUNT_IN_HOUR', '20.00 left this account in the hour before'],
    ['sum_1d', 'AMOUNT_IN_DAY', '80.50 left this account in the day before'],
    ['count_30d', 'PAYMENTS_IN_MONTH', '31 payments from this account in 30 days'],
    ['mean_30d', 'MEAN_IN_MONTH', "this account's 30-day mean is 79.00"],
    ['large_7d', 'LARGE_PAYMENTS_IN_WEEK', '1 payment large for this account in 7 days'],
    ['large_30d', 'LARGE_PAYMENTS_IN_MONTH', '2 payments large for this account in 30 days'],
    [
      'amount_deviations_30d',
      'AMOUNT_ABOVE_MONTH_DEVIATION',
      "amount 3.1 standard deviations above this account's 30-day mean of 79.00",
    ],
    [
      'amount_to_largest_30d',
      'AMOUNT_ABOVE_LARGEST',
      "amount 2.0 times this account's largest in 30 days (412.00 against 206.00)",
    ],
    [
      'amount_to_mean',
      'AMOUNT_ABOVE_MEAN',
      "amount 4.0 times this account's mean (412.00 against 103.00)",
    ],
    [
      'amount_deviations',
      'AMOUNT_BELOW_DEVIATION',
      "amount 2.5 standard deviations below this account's mean",
    ],
    ['payee_payers_1d', 'PAYEE_PAYERS', 'payee was paid by 3 accounts in the day before'],
    ['payee_frauds_30d', 'PAYEE_KNOWN_FRAUD', '2 frauds at this payee recorded in 30 days'],
    ['payers_1d', 'PAYERS_IN_DAY', 'this account was paid by 0 accounts in the day before'],
    ['terminal_count_7d', 'TERMINAL_IN_WEEK', '8 payments at this terminal in 7 days'],
    ['terminal_count_30d', 'TERMINAL_IN_MONTH', '40 payments at this terminal in 30 days'],
    [
      'terminal_frauds_7d',
      'TERMINAL_KNOWN_FRAUD_IN_WEEK',
      '1 fraud at this terminal recorded in 7 days',
    ],
    [
      'terminal_frauds_30d',
      'TERMINAL_KNOWN_FRAUD',
      '10 frauds at this terminal recorded in 30 days',
    ],
    [
      'terminal_fraud_share_30d',
      'TERMINAL_FRAUD_SHARE',
      '25 % known fraud at this terminal (10 of 40 payments in 30 days)',
    ],
    ['device_new', 'NEW_DEVICE', 'first payment with this device'],
  ])('%s reads: %s', (name, code, text) => {
    expect(reasonsFrom(only(name), vector)).toMatchObject([{ feature: name, code, text }])
  })

  it('turn with the side on which the value lies', () => {
    const low = vectorOf({ ...observed, payee_new: 0, device_new: 0, amount_to_mean: 0.5 })
    const codes = reasonsFrom(only('payee_new', 'device_new', 'amount_to_mean'), low)
    expect(codes.map(({ code }) => code)).toEqual([
      'KNOWN_PAYEE',
      'KNOWN_DEVICE',
      'AMOUNT_BELOW_MEAN',
    ])
  })

  it('pass the schema of a score, whatever the feature', () => {
    const { reasons } = riskEvents.TransactionScored.shape
    for (const name of FEATURE_NAMES) {
      const found = reasonsFrom(only(name), vector)
      expect(reasons.parse(found)).toEqual(found)
    }
  })

  it('leave out what lowered the score and what has no value', () => {
    const { amount_to_mean: _, ...rest } = observed
    expect(reasonsFrom(only('amount_to_mean'), vectorOf(rest))).toEqual([])
    expect(reasonsFrom(only(), vector)).toEqual([])
  })
})
