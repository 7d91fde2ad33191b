import { describe, expect, it } from 'vitest'
import {
  apply,
  applyLabel,
  FEATURE_NAMES,
  type FeatureState,
  features,
  initialFeatures,
  loadFeatures,
  saveFeatures,
} from '../ml/features.ts'
import { fork, index } from '../ml/random.ts'
import { observation, seen, traffic } from './ml-support.ts'

const ada = 'customers:1:checking'
const ben = 'customers:2:checking'

const pay = (customer: string, payee: string, amount: number, at: string) =>
  observation({ customer, payee, amount, at_ms: Date.parse(at) })

const run = (state: FeatureState, observations: readonly ReturnType<typeof pay>[]) =>
  observations.map((one) => {
    const vector = features(state, one)
    apply(state, one)
    return vector
  })

describe('the feature reducer', () => {
  it('gives the vector as of just before the movement', () => {
    const state = initialFeatures()
    run(state, [
      pay('cash:vault', ada, 5_000, '2026-03-01T10:00:00Z'),
      pay(ada, 'clearing:cards', 10, '2026-03-01T18:00:00Z'),
      pay(ada, ben, 30, '2026-03-02T11:30:00Z'),
      pay('customers:9:checking', ben, 1, '2026-03-01T11:59:00Z'),
      pay('customers:8:checking', ben, 1, '2026-03-02T01:00:00Z'),
    ])
    expect(seen(features(state, pay(ada, ben, 80, '2026-03-02T12:00:00Z')))).toEqual({
      amount: 80,
      hour_of_day: 12,
      weekend: 0,
      seconds_since_last: 1_800,
      account_age_days: Math.fround(26 / 24),
      count_1h: 1,
      sum_1h: 30,
      count_1d: 2,
      sum_1d: 40,
      count_30d: 2,
      mean_30d: 20,
      large_7d: 0,
      large_30d: 0,
      amount_to_mean_30d: 4,
      amount_deviations_30d: Math.fround(60 / Math.sqrt(200)),
      amount_to_largest_30d: Math.fround(80 / 30),
      amount_to_mean: 4,
      amount_deviations: Math.fround(60 / Math.sqrt(200)),
      payee_new: 0,
      payee_payers_1d: 2,
      payee_frauds_30d: 0,
      payers_1d: 0,
    })
  })

  it('has no value where there is no history, no terminal and no device', () => {
    const first = seen(features(initialFeatures(), pay(ada, ben, 1, '2026-03-07T03:30:00Z')))
    expect(first).toMatchObject({ weekend: 1, hour_of_day: 3.5, payee_new: 1, count_30d: 0 })
    expect(FEATURE_NAMES.filter((name) => first[name] === undefined)).toEqual([
      'seconds_since_last',
      'account_age_days',
      'mean_30d',
      'amount_to_mean_30d',
      'amount_deviations_30d',
      'amount_to_largest_30d',
      'amount_to_mean',
      'amount_deviations',
      'terminal_count_7d',
      'terminal_count_30d',
      'terminal_frauds_7d',
      'terminal_frauds_30d',
      'terminal_fraud_share_30d',
      'device_new',
    ])
  })

  it('counts what was large for the customer at the time, and forgets it after 30 days', () => {
    const state = initialFeatures()
    for (let day = 1; day <= 6; day += 1) {
      run(state, [pay(ada, ben, 20, `2026-03-0${day}T12:00:00Z`)])
    }
    run(state, [
      pay(ada, ben, 59, '2026-03-07T12:00:00Z'),
      pay(ada, ben, 90, '2026-03-07T13:00:00Z'),
    ])
    const later = (at: string) => seen(features(state, pay(ada, ben, 20, at)))
    expect(later('2026-03-13T00:00:00Z')).toMatchObject({ large_7d: 1, large_30d: 1 })
    expect(later('2026-03-14T00:00:00Z')).toMatchObject({ large_7d: 0, large_30d: 1 })
    expect(later('2026-04-05T23:59:59Z')).toMatchObject({ large_30d: 1, count_30d: 2 })
    expect(later('2026-04-06T00:00:00Z')).toMatchObject({ large_30d: 0, count_30d: 0 })
  })

  it.each([79.99, 0.1, 412.37, 1_234_567.89])('finds no deviation in payments of %s', (amount) => {
    const state = initialFeatures()
    for (let hour = 0; hour < 9; hour += 1) {
      run(state, [pay(ada, ben, amount, `2026-03-01T0${hour}:00:00Z`)])
    }
    const vector = seen(features(state, pay(ada, ben, 500, '2026-03-01T10:00:00Z')))
    expect(vector.amount_deviations).toBeUndefined()
    expect(vector.amount_deviations_30d).toBeUndefined()
    expect(vector.amount_to_mean).toBeCloseTo(500 / amount)
  })

  it('keeps no account of the bank itself, which everybody pays', () => {
    const state = initialFeatures()
    run(state, [pay(ada, 'clearing:cards', 9, '2026-03-01T10:00:00Z')])
    run(state, [pay('cash:vault', ada, 9, '2026-03-01T10:00:00Z')])
    const codes = (kept: FeatureState['customers'] | FeatureState['payees']) => [
      ...kept.young.keys(),
    ]
    expect(codes(state.payees)).toEqual([ada])
    expect(codes(state.customers)).toEqual([ada])
  })

  it('knows a device and a terminal by what came before', () => {
    const state = initialFeatures()
    const at = (number: number, device: string) =>
      observation({ at_ms: number, terminal: 'atm-1', device, customer: ada })
    expect(seen(features(state, at(1, 'x')))).toMatchObject({ device_new: 1, terminal_count_7d: 0 })
    apply(state, at(1, 'x'))
    expect(seen(features(state, at(2, 'x')))).toMatchObject({ device_new: 0, terminal_count_7d: 1 })
    expect(seen(features(state, at(2, 'y')))).toMatchObject({ device_new: 1 })
  })

  it('lets the past of equal and earlier times be what was recorded before, not what is later', () => {
    const state = initialFeatures()
    const noon = '2026-03-02T12:00:00Z'
    run(state, [pay(ada, ben, 10, noon), pay(ada, ben, 20, noon)])
    expect(seen(features(state, pay(ada, ben, 5, noon)))).toMatchObject({
      count_1h: 2,
      sum_1h: 30,
      seconds_since_last: 0,
    })
    expect(seen(features(state, pay(ada, ben, 5, '2026-03-01T12:00:00Z')))).toMatchObject({
      count_1h: 0,
      count_1d: 0,
      count_30d: 0,
      seconds_since_last: 0,
      account_age_days: 0,
      amount_to_mean: Math.fround(5 / 15),
    })
    run(state, [
      pay(ada, ben, 30, '2026-02-20T12:00:00Z'),
      pay(ada, ben, 9, '2025-12-01T12:00:00Z'),
    ])
    expect(seen(features(state, pay(ada, ben, 5, noon)))).toMatchObject({
      count_30d: 3,
      mean_30d: 20,
    })
  })

  it('is not moved by looking', () => {
    const movements = traffic().slice(0, 2_000)
    const next = fork(1, 1)
    const watched = initialFeatures()
    const looked = movements.map((movement) => {
      features(watched, movements[index(next, movements.length)] ?? movement)
      const vector = features(watched, movement)
      apply(watched, movement)
      return vector
    })
    expect(looked).toEqual(run(initialFeatures(), movements))
  })

  it('refuses a snapshot of other features', () => {
    const saved = saveFeatures(initialFeatures())
    expect(loadFeatures({ ...saved, names: ['amount'] })).toBeUndefined()
    expect(loadFeatures({ ...saved, reducer: saved.reducer + 1 })).toBeUndefined()
  })

  it('never gives an infinity, which JSON could not carry', () => {
    const state = initialFeatures()
    run(state, [
      pay(ada, ben, 1e-18, '2026-03-02T12:00:00Z'),
      pay(ada, ben, 0, '2026-03-02T12:00:00Z'),
    ])
    const vector = features(state, pay(ada, ben, 9e23, '2026-03-02T12:00:00Z'))
    expect([...vector].every((value) => Number.isNaN(value) || Number.isFinite(value))).toBe(true)
    expect(seen(vector).amount_to_mean).toBeGreaterThan(1e38)
  })
})

describe('what the reducer keeps', () => {
  it('is bounded in accounts: the half used last stays, and never more than the limit', () => {
    const state = initialFeatures({ customers: 10, payees: 10, terminals: 10, labelled: 10 })
    for (let number = 0; number < 200; number += 1) {
      for (const key of [number, 0]) {
        const customer = `customers:${key}:x`
        const terminal = `t${key}`
        apply(state, observation({ entry: `e${number}`, customer, payee: customer, terminal }))
      }
      for (const { young, old } of Object.values(state)) {
        expect(young.size + old.size).toBeLessThanOrEqual(10)
        expect([...young.keys()].filter((key) => old.has(key))).toEqual([])
      }
    }
    const kept = (customer: string) =>
      seen(features(state, observation({ customer }))).amount_to_mean !== undefined
    expect([199, 198, 197, 196, 0].map((key) => kept(`customers:${key}:x`))).not.toContain(false)
    expect(kept('customers:150:x')).toBe(false)
  })

  it('is bounded per account', () => {
    const state = initialFeatures()
    for (let number = 0; number < 3_000; number += 1) {
      const other = `customers:n${number}:x`
      const at_ms = number * 3_600_000
      const shared = { at_ms, amount: 1 / 3, device: `d${number}`, entry: `e${number}` }
      apply(state, observation({ ...shared, customer: ada, payee: other }))
      apply(state, observation({ ...shared, customer: other, payee: ada, terminal: 'atm-1' }))
      applyLabel(state, { entry: `e${number}`, fraud: true, at_ms })
    }
    const customer = state.customers.young.get(ada)
    const lists = [customer?.times, customer?.amounts, [...(customer?.payees ?? [])]]
    expect(lists.map((list) => list?.length)).toEqual([32, 32, 32])
    expect(customer?.devices.size).toBe(8)
    expect(customer?.days.length).toBe(30 * 6)
    for (const place of [state.payees.young.get(ada), state.terminals.young.get('atm-1')]) {
      expect(place?.payers.size).toBe(32)
      expect(place?.days.length).toBe(30 * 3)
    }
    const [saved] = saveFeatures(state).state.customers.young.filter(([code]) => code === ada)
    expect(JSON.stringify(saved).length).toBeLessThan(5_000)
  })
})
