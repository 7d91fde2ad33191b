import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareAveragePrecision } from '../ml/bootstrap.ts'
import {
  atThreshold,
  bestF1Threshold,
  cheapestThreshold,
  metrics,
  precisionThreshold,
} from '../ml/metrics.ts'
import { fork } from '../ml/random.ts'

const labels = Uint8Array.of(1, 0, 1, 0, 0)
const scored = Float32Array.of(0.75, 0.5, 0.5, 0.25, 0.25)

describe('metrics', () => {
  it('agree with a calculation by hand', () => {
    const found = metrics(scored, labels)
    expect(found.auc).toBeCloseTo((3 + 2.5) / 6)
    expect(found.average_precision).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 3))
    expect(found.brier).toBeCloseTo((0.0625 + 0.25 + 0.25 + 0.0625 + 0.0625) / 5)
    expect(found.log_loss).toBeCloseTo(-(3 * Math.log(0.75) + 2 * Math.log(0.5)) / 5)
    expect(found.base_rate).toBe(0.4)
  })

  it('stay finite when a sure score was wrong', () => {
    const found = metrics(Float32Array.of(1, 0), Uint8Array.of(0, 1))
    expect(found.log_loss).toBeGreaterThan(10)
    expect(Number.isFinite(found.log_loss)).toBe(true)
  })

  it('find thresholds', () => {
    expect(bestF1Threshold(scored, labels)).toBe(0.5)
    expect(precisionThreshold(scored, labels, 1)).toBe(0.75)
    expect(precisionThreshold(scored, labels, 0.6)).toBe(0.5)
  })

  it('tell of a threshold what it is worth, and never the accuracy alone', () => {
    expect(atThreshold(scored, labels, 0.5)).toEqual({
      threshold: 0.5,
      precision: 2 / 3,
      recall: 1,
      f1: 0.8,
      accuracy: 0.8,
      accuracy_of_guessing: 0.6,
      flagged: 0.6,
    })
  })
})

describe('the cheapest threshold', () => {
  it('reviews everything when a miss is dear, and nothing when a review is', () => {
    const dear = { missed: 1_000, review: 1, wrong_block: 0 }
    expect(cheapestThreshold(scored, labels, dear)).toEqual({ threshold: 0.5, cost: 3 })
    const idle = { missed: 1, review: 1_000, wrong_block: 0 }
    expect(cheapestThreshold(scored, labels, idle)).toEqual({ threshold: 1, cost: 2 })
  })

  it('stops before the negatives when refusing one is what costs', () => {
    const costs = { missed: 5, review: 0, wrong_block: 10 }
    expect(cheapestThreshold(scored, labels, costs)).toEqual({ threshold: 0.75, cost: 5 })
  })

  it('costs no more than any other threshold', () => {
    const cost = fc.integer({ min: 0, max: 50 })
    const costs = fc.record({ missed: cost, review: cost, wrong_block: cost })
    const row = fc.tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 1 }))
    fc.assert(
      fc.property(costs, fc.array(row, { minLength: 1, maxLength: 30 }), (prices, rows) => {
        const scores = Float32Array.from(rows, ([score]) => score / 10)
        const truth = Uint8Array.from(rows, ([, label]) => label)
        const costOf = (threshold: number) =>
          rows.reduce((sum, [, label], place) => {
            if ((scores[place] as number) < threshold) return sum + label * prices.missed
            return sum + prices.review + (1 - label) * prices.wrong_block
          }, 0)
        const found = cheapestThreshold(scores, truth, prices)
        for (const threshold of [...scores, 1.1]) {
          expect(found.cost).toBeLessThanOrEqual(costOf(threshold))
        }
      }),
    )
  })
})

describe('the difference of two models in average precision', () => {
  const settings = { seed: 3, resamples: 200, level: 0.95 }
  const next = fork(9, 9)
  const truth = Uint8Array.from({ length: 1_500 }, () => (next() < 0.1 ? 1 : 0))
  const noisy = (noise: number) => Float32Array.from(truth, (label) => label + noise * next())
  const [good, poor] = [noisy(1.5), noisy(4)]

  it('is sure when it is large, and the other way round with the models swapped', () => {
    const found = compareAveragePrecision(truth, good, poor, settings)
    expect(found.low).toBeGreaterThan(0)
    expect(found.low).toBeLessThan(found.difference)
    expect(found.high).toBeGreaterThan(found.difference)
    expect(found.no_better).toBe(0)
    const swapped = compareAveragePrecision(truth, poor, good, settings)
    expect(swapped.difference).toBe(-found.difference)
    expect(swapped.no_better).toBe(1)
  })

  it('is that of the metrics, ties included', () => {
    const coarse = poor.map((score) => Math.round(score))
    const { difference } = compareAveragePrecision(truth, good, coarse, settings)
    const by = (scores: Float32Array) => metrics(scores, truth).average_precision
    expect(difference).toBeCloseTo(by(good) - by(coarse), 12)
  })

  it('is nothing between a model and itself', () => {
    const found = compareAveragePrecision(truth, good, good, settings)
    expect(found).toEqual({ difference: 0, low: 0, high: 0, no_better: 1 })
  })

  it('is the same for the same seed', () => {
    const once = compareAveragePrecision(truth, good, poor, settings)
    expect(compareAveragePrecision(truth, good, poor, settings)).toEqual(once)
    const other = compareAveragePrecision(truth, good, poor, { ...settings, seed: 4 })
    expect(other).not.toEqual(once)
  })

  it('needs a positive row', () => {
    const nothing = new Uint8Array(truth.length)
    expect(() => compareAveragePrecision(nothing, good, poor, settings)).toThrow('positive')
  })
})
