import { describe, expect, it } from 'vitest'
import {
  applyMovement,
  FEATURE_NAMES,
  type FeatureState,
  features,
  initialFeatures,
  loadFeatures,
  saveFeatures,
} from '../ml/features.ts'
import { type EntryView, type Movement, movementOf, movementsOf } from '../ml/movements.ts'
import { fork, index } from '../ml/random.ts'
import { SIMULATED_ASSET, simulate } from '../ml/simulator.ts'

const line = (direction: 'debit' | 'credit', account: string, amount: string, asset = 'USD/2') => ({
  direction,
  account,
  amount,
  asset,
})

const entry = (lines: EntryView['lines'], at = '2026-03-02T12:00:00.000Z'): EntryView => ({
  id: 'e1',
  kind: 'transfer',
  booked_at: at,
  lines,
})

const pay = (from: string, to: string, amount: string, at: string): Movement =>
  movementOf('main', 0, entry([line('debit', from, amount), line('credit', to, amount)], at))

const traffic = (): Movement[] =>
  [
    ...simulate({
      seed: 3,
      customers: 40,
      from: new Date('2026-01-01'),
      days: 20,
      fraud: { attacks: 6, mules: 4 },
    }).postings,
  ].map(({ from, to, amount, at }, revision) => {
    const side = { amount: amount.toString(), asset: SIMULATED_ASSET }
    const lines = [
      { ...side, account: from, direction: 'debit' as const },
      { ...side, account: to, direction: 'credit' as const },
    ]
    return movementOf('main', revision, entry(lines, at.toISOString()))
  })

const run = (state: FeatureState, movements: readonly Movement[]): Float32Array[] =>
  movements.map((movement) => {
    const vector = features(state, movement)
    applyMovement(state, movement)
    return vector
  })

describe('movements', () => {
  it('run from the largest customer debit to the largest credit of its asset', () => {
    const movement = movementOf(
      'main',
      4,
      entry([
        line('debit', 'fx:eur', '90000', 'EUR/2'),
        line('credit', 'customers:2:checking', '90000', 'EUR/2'),
        line('debit', 'suspense:other', '99999'),
        line('debit', 'customers:3:checking', '100'),
        line('debit', 'customers:1:checking', '10250'),
        line('credit', 'income:fees', '349'),
        line('credit', 'fx:usd', '110000'),
      ]),
    )
    expect(movement).toEqual({
      book: 'main',
      revision: 4,
      entry: 'e1',
      kind: 'transfer',
      account: 'customers:1:checking',
      counterparty: 'fx:usd',
      amount: '10250',
      asset: 'USD/2',
      booked_at: '2026-03-02T12:00:00.000Z',
      scored: true,
    })
  })

  it('are not scored when the bank pays', () => {
    const deposit = entry([
      line('debit', 'cash:vault', '500'),
      line('credit', 'customers:1:checking', '500'),
    ])
    expect(movementOf('main', 0, deposit)).toMatchObject({
      account: 'cash:vault',
      counterparty: 'customers:1:checking',
      scored: false,
    })
  })

  it('come from postings only, a batch in its order', () => {
    const at = { stream: 'book-main', revision: 7 }
    const one = entry([line('debit', 'customers:1:a', '5'), line('credit', 'clearing:x', '5')])
    const batch = { ...at, type: 'EntriesPosted', data: { entries: [one, { ...one, id: 'e2' }] } }
    expect(movementsOf(batch).map(({ book, entry, revision }) => [book, entry, revision])).toEqual([
      ['main', 'e1', 7],
      ['main', 'e2', 7],
    ])
    expect(movementsOf({ ...at, type: 'EntryPosted', data: { entry: one } })).toHaveLength(1)
    expect(movementsOf({ ...at, type: 'AccountFrozen', data: {} })).toEqual([])
  })
})

describe('the feature reducer', () => {
  const mine = 'customers:1:checking'
  const friend = 'customers:2:checking'

  it('gives the vector as of just before the movement', () => {
    const state = initialFeatures()
    run(state, [
      pay('cash:vault', mine, '500000', '2026-03-01T10:00:00.000Z'),
      pay(mine, 'clearing:cards', '1000', '2026-03-01T18:00:00.000Z'),
      pay(mine, friend, '3000', '2026-03-02T11:30:00.000Z'),
      pay('customers:9:checking', friend, '100', '2026-03-01T11:59:00.000Z'),
      pay('customers:8:checking', friend, '100', '2026-03-02T01:00:00.000Z'),
    ])
    const vector = features(state, pay(mine, friend, '8000', '2026-03-02T12:00:00.000Z'))
    const seen = Object.fromEntries(FEATURE_NAMES.map((name, place) => [name, vector[place]]))
    expect(seen).toEqual({
      amount: 80,
      amount_to_mean: 4,
      amount_deviations: Math.fround(60 / Math.sqrt(200)),
      count_1h: 1,
      sum_1h: 30,
      count_24h: 2,
      sum_24h: 40,
      seconds_since_last: 1800,
      hour_of_day: 12,
      counterparty_new: 0,
      counterparty_payers_24h: 2,
      payers_24h: 0,
      account_age_days: Math.fround(26 / 24),
    })
  })

  it('has no value where there is no history', () => {
    const vector = features(initialFeatures(), pay(mine, friend, '100', '2026-03-02T03:30:00.000Z'))
    const missing = FEATURE_NAMES.filter((_, place) => Number.isNaN(vector[place]))
    expect(missing).toEqual([
      'amount_to_mean',
      'amount_deviations',
      'seconds_since_last',
      'account_age_days',
    ])
  })

  it('is not moved by looking, nor by anything that comes later', () => {
    const movements = traffic()
    const half = movements.length >> 1
    const next = fork(1, 1)
    const vectors = run(initialFeatures(), movements)
    const scrambled = movements.slice(half).sort(() => next() - 0.5)
    const again = run(initialFeatures(), [...movements.slice(0, half), ...scrambled])
    expect(again.slice(0, half)).toEqual(vectors.slice(0, half))
    expect(again.slice(half)).not.toEqual(vectors.slice(half))

    const watched = initialFeatures()
    const looked = movements.slice(0, half).map((movement) => {
      features(watched, movements[index(next, movements.length)] as Movement)
      const vector = features(watched, movement)
      applyMovement(watched, movement)
      return vector
    })
    expect(looked).toEqual(vectors.slice(0, half))
  })

  it('goes on from a snapshot as if it had never stopped', () => {
    const movements = traffic()
    const half = movements.length >> 1
    const expected = run(initialFeatures(), movements).slice(half)
    const state = initialFeatures()
    run(state, movements.slice(0, half))
    const saved = saveFeatures(state)
    const text = JSON.stringify(saved)
    run(state, movements.slice(half))
    expect(JSON.stringify(saved)).toBe(text)
    const resumed = loadFeatures(JSON.parse(text))
    expect(resumed && run(resumed, movements.slice(half))).toEqual(expected)
  })

  it('refuses a snapshot of other features', () => {
    const saved = saveFeatures(initialFeatures())
    expect(loadFeatures({ ...saved, names: ['amount'] })).toBeUndefined()
    expect(loadFeatures({ ...saved, reducer: saved.reducer + 1 })).toBeUndefined()
  })

  it('forgets the account used longest ago', () => {
    const state = initialFeatures(3)
    const at = '2026-03-02T12:00:00.000Z'
    for (const name of ['a', 'b', 'c', 'a', 'd', 'e']) {
      applyMovement(state, pay(`customers:${name}:x`, 'clearing:y', '100', at))
    }
    expect([...state.accounts.keys()]).toEqual(['customers:a:x', 'customers:d:x', 'customers:e:x'])
  })

  it('keeps a bounded past of each account', () => {
    const state = initialFeatures()
    for (let number = 0; number < 500; number += 1) {
      const minutes = new Date(Date.UTC(2026, 0, 1, 0, number)).toISOString()
      applyMovement(state, pay(mine, `customers:n${number}:x`, '100', minutes))
      applyMovement(state, pay(`customers:n${number}:x`, mine, '100', minutes))
    }
    const [saved] = saveFeatures(state).accounts.filter(({ code }) => code === mine)
    expect(saved).toMatchObject({ count: 500 })
    const sizes = [saved?.times, saved?.amounts, saved?.payees, saved?.payers]
    expect(sizes.map((list) => list?.length)).toEqual([32, 32, 32, 32])
  })

  it('never gives an infinity, which JSON could not carry', () => {
    const state = initialFeatures()
    const at = '2026-03-02T12:00:00.000Z'
    const huge = (amount: string) =>
      movementOf(
        'main',
        0,
        entry([line('debit', mine, amount, 'WEI/18'), line('credit', 'a:b', amount, 'WEI/18')], at),
      )
    run(state, [huge('1')])
    const vector = features(state, { ...huge(`9${'0'.repeat(23)}`), asset: 'WEI/0' })
    expect([...vector].every((value) => Number.isNaN(value) || Number.isFinite(value))).toBe(true)
    expect(vector[1]).toBeGreaterThan(1e38)
  })
})
