import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Contest, compareModels } from '../ml/comparison.ts'
import { cheapestCutoffs, costAt } from '../ml/costs.ts'
import { driftVerdict, stabilityIndex } from '../ml/drift.ts'
import { random } from '../ml/random.ts'

const scored = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 10 }), fc.boolean()), { minLength: 1, maxLength: 30 })
  .map((rows) => ({
    scores: Float32Array.from(rows, ([score]) => score / 10),
    labels: Uint8Array.from(rows, ([, fraud]) => (fraud ? 1 : 0)),
  }))
const cost = fc.integer({ min: 0, max: 40 })

describe('the cheapest cut-offs', () => {
  test('cost what they say, and no other pair costs less', () => {
    fc.assert(
      fc.property(scored, cost, cost, cost, ({ scores, labels }, missed, review, wrong_block) => {
        const costs = { missed, review, wrong_block }
        const found = cheapestCutoffs(scores, labels, costs)
        expect(found.review_from).toBeLessThanOrEqual(found.block_from)
        expect(costAt(scores, labels, found, costs)).toBe(found.cost)
        const all = [...new Set(scores), 1]
        for (const review_from of all) {
          for (const block_from of all.filter((score) => score >= review_from)) {
            const other = costAt(scores, labels, { review_from, block_from }, costs)
            expect(found.cost).toBeLessThanOrEqual(other)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('act on nothing where nothing is worth it, and on everything where looking is free', () => {
    const scores = Float32Array.of(0.9, 0.5, 0.1)
    const labels = Uint8Array.of(1, 0, 1)
    const dear = { missed: 1, review: 5, wrong_block: 50 }
    // Blocking what is surely fraud costs nothing.
    expect(cheapestCutoffs(scores, labels, dear)).toMatchObject({ cost: 1 })
    const free = { missed: 9, review: 0, wrong_block: 9 }
    expect(cheapestCutoffs(scores, labels, free)).toMatchObject({ cost: 0 })
    const harmless = { missed: 1, review: 5, wrong_block: 5 }
    const none = cheapestCutoffs(scores, Uint8Array.of(0, 0, 0), harmless)
    expect(none).toEqual({ review_from: 1, block_from: 1, cost: 0 })
  })
})

const drawn = (seed: number, make: (next: () => number) => number): Float32Array => {
  const next = random(seed)
  return Float32Array.from({ length: 5_000 }, () => make(next))
}

describe('the stability index', () => {
  test('is about nothing for the same population, and exactly nothing for the same rows', () => {
    const before = drawn(1, (next) => next())
    expect(stabilityIndex(before, before)).toBe(0)
    const index = stabilityIndex(
      before,
      drawn(2, (next) => next()),
    )
    expect(index).toBeLessThan(0.02)
    expect(driftVerdict(index)).toBe('stable')
  })

  test('grows with a shift', () => {
    const before = drawn(1, (next) => next())
    const shifted = (by: number) =>
      stabilityIndex(
        before,
        before.map((value) => value + by),
      )
    expect(driftVerdict(shifted(0.05))).toBe('stable')
    expect(driftVerdict(shifted(0.07))).toBe('moderate')
    expect(driftVerdict(shifted(0.5))).toBe('drifted')
  })

  test('sees values that go missing, and copes with one value alone', () => {
    const before = drawn(1, (next) => next())
    const missing = before.map((value, row) => (row % 2 === 0 ? Number.NaN : value))
    expect(driftVerdict(stabilityIndex(before, missing))).toBe('drifted')
    const constant = new Float32Array(100).fill(1)
    expect(stabilityIndex(constant, constant)).toBe(0)
    expect(driftVerdict(stabilityIndex(constant, new Float32Array(100).fill(2)))).toBe('drifted')
    expect(driftVerdict(stabilityIndex(constant, new Float32Array(100).fill(0)))).toBe('drifted')
  })

  test('sees a flag come and go that is seldom set, where all deciles are the same', () => {
    const flag = (share: number) => drawn(1, (next) => (next() < share ? 1 : 0))
    expect(driftVerdict(stabilityIndex(flag(0.05), flag(0.06)))).toBe('stable')
    expect(driftVerdict(stabilityIndex(flag(0.05), flag(0.3)))).toBe('drifted')
    expect(driftVerdict(stabilityIndex(flag(0.95), flag(0.6)))).toBe('drifted')
  })

  test('of two bins is what a person works out', () => {
    // Half and half before; a quarter and three quarters now.
    const before = Float32Array.of(0, 0, 1, 1)
    const now = Float32Array.of(0, 1, 1, 1)
    const expected = -0.25 * Math.log(0.5) + 0.25 * Math.log(1.5)
    expect(stabilityIndex(before, now)).toBeCloseTo(expected, 3)
  })
})

describe('a contest of two models', () => {
  const settings = { seed: 1, resamples: 200, level: 0.95 }
  const next = random(5)
  const rows = 2_000
  const labels = Uint8Array.from({ length: rows }, () => (next() < 0.05 ? 1 : 0))
  const amounts = Float64Array.from({ length: rows }, () => 50 + 100 * next())
  const noisy = (noise: number) => ({
    scores: Float32Array.from(labels, (label) => Math.min(0.99, label * 0.5 + noise * next())),
    review_from: 0.5,
  })
  const contest = (champion: number, challenger: number): Contest => ({
    ...{ labels, amounts, champion: noisy(champion), challenger: noisy(challenger) },
  })
  const costs = { review: 2, wrong_block: 5 }

  test('is won by who is better beyond chance, in ranking and in money', () => {
    const outcome = compareModels(contest(1, 0.4), costs, settings)
    expect(outcome).toMatchObject({ rows, earned: true })
    expect(outcome.average_precision.challenger).toBeGreaterThan(outcome.average_precision.champion)
    expect(outcome.value_lead.difference).toBeCloseTo(
      outcome.net_value.challenger - outcome.net_value.champion,
    )
  })

  test('is not won by the same, nor by the worse', () => {
    const champion = noisy(0.6)
    const same = { labels, amounts, champion, challenger: champion }
    expect(compareModels(same, costs, settings)).toMatchObject({
      earned: false,
      value_lead: { difference: 0, low: 0, high: 0 },
    })
    expect(compareModels(contest(0.4, 1), costs, settings).earned).toBe(false)
  })

  test('is not won by ranking alone: with a bad threshold the money is lost', () => {
    const { champion, challenger } = contest(1, 0.4)
    const deaf = { ...challenger, review_from: 1 }
    const outcome = compareModels({ labels, amounts, champion, challenger: deaf }, costs, settings)
    expect(outcome.precision_lead.low).toBeGreaterThan(0)
    expect(outcome).toMatchObject({ earned: false, net_value: { challenger: 0 } })
  })

  test('comes to the same whenever it is held', () => {
    const held = contest(1, 0.6)
    expect(compareModels(held, costs, settings)).toEqual(compareModels(held, costs, settings))
  })
})
