import { describe, expect, it } from 'vitest'
import { binned, MISSING_BIN } from '../ml/bins.ts'
import { boost } from '../ml/boosting.ts'
import { atThreshold, bestF1Threshold, metrics, precisionThreshold } from '../ml/metrics.ts'
import { fork } from '../ml/random.ts'
import { SHIPPED, train } from '../ml/train.ts'
import { contributions, type Forest, margin, sigmoid } from '../ml/trees.ts'

const settings = {
  seed: 1,
  trees: 40,
  depth: 3,
  shrinkage: 0.3,
  l2: 1,
  least_rows: 5,
  columns: 1,
}

/** y is 1 where the first feature is missing, or where both others lie on the same side. */
const puzzle = (rows: number, seed: number) => {
  const next = fork(seed, 0)
  const columns = [0, 1, 2].map(() => Float32Array.from({ length: rows }, () => next() * 2 - 1))
  const [first, second, third] = columns as [Float32Array, Float32Array, Float32Array]
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    if (next() < 0.1) first[row] = Number.NaN
    const same = (second[row] as number) > 0.2 === (third[row] as number) > -0.3
    return Number.isNaN(first[row]) || same ? 1 : 0
  })
  return { columns, labels }
}

const scores = (forest: Forest, columns: readonly Float32Array[]): Float32Array =>
  (columns[0] as Float32Array).map((_, row) =>
    sigmoid(
      margin(
        forest,
        Float32Array.from(columns, (column) => column[row] as number),
      ),
    ),
  )

describe('bins', () => {
  it('keep distinct values apart while they are few', () => {
    const { cuts, bins } = binned(Float32Array.from([3, 1, Number.NaN, 2, 1]))
    expect([...cuts]).toEqual([1.5, 2.5])
    expect([...bins]).toEqual([2, 0, MISSING_BIN, 1, 0])
  })

  it('are at most 254 of about equal size otherwise, and agree with their cuts', () => {
    const next = fork(5, 5)
    const column = Float32Array.from({ length: 20_000 }, () => Math.exp(4 * next()))
    const { cuts, bins } = binned(column)
    expect(cuts.length).toBeGreaterThan(240)
    expect(cuts.length).toBeLessThan(254)
    const sizes = new Map<number, number>()
    bins.forEach((bin, row) => {
      sizes.set(bin, (sizes.get(bin) ?? 0) + 1)
      const value = column[row] as number
      if (bin < cuts.length) expect(value).toBeLessThanOrEqual(cuts[bin] as number)
      if (bin > 0) expect(value).toBeGreaterThan(cuts[bin - 1] as number)
    })
    expect(Math.max(...sizes.values())).toBeLessThan(120)
  })

  it('put a cut strictly below the higher neighbour even where float32 has nothing between', () => {
    const low = Math.fround(1)
    const high = Math.fround(1 + 2 ** -23)
    const { cuts } = binned(Float32Array.from([low, high]))
    expect(cuts[0]).toBe(low)
  })
})

describe('boosted trees', () => {
  it('learn an interaction and the meaning of a missing value', () => {
    const { columns, labels } = puzzle(4_000, 1)
    const forest = boost(columns, labels, settings)
    const other = puzzle(2_000, 2)
    expect(metrics(scores(forest, other.columns), other.labels).auc).toBeGreaterThan(0.99)
  })

  it('are the same for the same seed, others for another when columns are sampled', () => {
    const { columns, labels } = puzzle(1_000, 1)
    const sampled = { ...settings, columns: 0.5 }
    const forest = boost(columns, labels, sampled)
    expect(boost(columns, labels, sampled)).toEqual(forest)
    expect(boost(columns, labels, { ...sampled, seed: 2 })).not.toEqual(forest)
  })

  it('keep within depth and leaf size', () => {
    const { columns, labels } = puzzle(1_000, 1)
    const forest = boost(columns, labels, { ...settings, depth: 2, least_rows: 50 })
    for (const tree of forest.trees) {
      expect(tree.feature.length).toBeLessThanOrEqual(7)
      expect(Math.min(...tree.rows)).toBeGreaterThanOrEqual(50)
    }
  })

  it('explain a margin as the mean margin plus contributions', () => {
    const { columns, labels } = puzzle(1_000, 3)
    const forest = boost(columns, labels, settings)
    const nobody = forest.trees.reduce((sum, tree) => sum + (tree.value[0] as number), forest.base)
    for (let row = 0; row < 100; row += 1) {
      const vector = Float32Array.from(columns, (column) => column[row] as number)
      const moved = contributions(forest, vector).reduce((sum, part) => sum + part, 0)
      expect(nobody + moved).toBeCloseTo(margin(forest, vector), 3)
    }
  })

  it('refuse rows that are all alike', () => {
    expect(() => boost([Float32Array.of(1, 2)], Uint8Array.of(0, 0), settings)).toThrow(
      'both labels',
    )
  })
})

describe('metrics', () => {
  const labels = Uint8Array.of(1, 0, 1, 0, 0)
  const scored = Float32Array.of(0.75, 0.5, 0.5, 0.25, 0.25)

  it('agree with a calculation by hand', () => {
    const found = metrics(scored, labels)
    expect(found.auc).toBeCloseTo((3 + 2.5) / 6)
    expect(found.average_precision).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 3))
    expect(found.brier).toBeCloseTo((0.0625 + 0.25 + 0.25 + 0.0625 + 0.0625) / 5)
    expect(found.base_rate).toBe(0.4)
  })

  it('find thresholds', () => {
    expect(bestF1Threshold(scored, labels)).toBe(0.5)
    expect(precisionThreshold(scored, labels, 1)).toBe(0.75)
    expect(precisionThreshold(scored, labels, 0.6)).toBe(0.5)
    expect(atThreshold(scored, labels, 0.5)).toEqual({ precision: 2 / 3, recall: 1 })
  })
})

describe('training on simulated traffic', () => {
  const small = {
    ...SHIPPED,
    traffic: { ...SHIPPED.traffic, customers: 120, days: 60, fraud: { attacks: 30, mules: 6 } },
    boost: { ...SHIPPED.boost, trees: 40 },
  }
  const first = train(small)

  it('finds a ring it has not seen yet, later in time', () => {
    expect(first.report.tested_on.auc).toBeGreaterThan(0.95)
    expect(first.report.tested_on.average_precision).toBeGreaterThan(0.6)
    expect(first.report.tested_on.base_rate).toBeLessThan(0.08)
  })

  it('gives the same bytes for the same settings, others for another seed', () => {
    expect(Buffer.compare(train(small).bytes, first.bytes)).toBe(0)
    const reseeded = train({ ...small, boost: { ...small.boost, seed: 2 } })
    expect(Buffer.compare(reseeded.bytes, first.bytes)).not.toBe(0)
  })

  it('sets the blocking threshold at or above the reviewing one', () => {
    const { threshold, block_threshold } = first.report
    expect(threshold).toBeGreaterThan(0)
    expect(block_threshold).toBeGreaterThanOrEqual(threshold)
    expect(block_threshold).toBeLessThanOrEqual(1)
  })
})
