import { describe, expect, it } from 'vitest'
import { binned, MISSING_BIN } from '../ml/bins.ts'
import { BOOST_DEFAULTS, boost, boostWithReport } from '../ml/boosting.ts'
import { calibrated, fitCalibration, logLoss } from '../ml/calibration.ts'
import { metrics } from '../ml/metrics.ts'
import { encodeOnnx } from '../ml/onnx.ts'
import { fork } from '../ml/random.ts'
import { keepNegatives } from '../ml/sampling.ts'
import { contributions, expectation, type Forest, margin, sigmoid, type Tree } from '../ml/trees.ts'

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

const depthOf = (tree: Tree, node = 0): number =>
  (tree.feature[node] as number) < 0
    ? 0
    : 1 + Math.max(depthOf(tree, tree.yes[node] as number), depthOf(tree, tree.no[node] as number))

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

  it('keep within depth, number of leaves and size of leaves', () => {
    const { columns, labels } = puzzle(2_000, 1)
    const forest = boost(columns, labels, { ...settings, depth: 3, leaves: 6, least_rows: 50 })
    const shapes = forest.trees.map((tree) => ({ depth: depthOf(tree), nodes: tree.rows.length }))
    expect(Math.max(...shapes.map(({ depth }) => depth))).toBe(3)
    expect(Math.max(...shapes.map(({ nodes }) => nodes))).toBe(11)
    for (const tree of forest.trees) expect(Math.min(...tree.rows)).toBeGreaterThanOrEqual(50)
  })

  it('grow where there is most to gain, not evenly', () => {
    const columns = [Float32Array.from({ length: 4_000 }, (_, row) => row)]
    const wave = Uint8Array.from({ length: 4_000 }, (_, row) => (row < 800 ? (row >> 7) & 1 : 0))
    const [tree] = boost(columns, wave, { ...settings, trees: 1, depth: 8, leaves: 7 }).trees
    expect(depthOf(tree as Tree)).toBeGreaterThan(3)
    expect(tree?.rows).toHaveLength(13)
  })

  it('learn from a feature of which nothing is known but whether it is there', () => {
    const next = fork(12, 0)
    const labels = Uint8Array.from({ length: 1_000 }, () => (next() < 0.3 ? 1 : 0))
    const column = Float32Array.from(labels, (label) => (label === 1 ? Number.NaN : 7))
    expect(metrics(scores(boost([column], labels, settings), [column]), labels).auc).toBe(1)
  })

  it('explain a margin as the mean margin plus contributions', () => {
    const { columns, labels } = puzzle(1_000, 3)
    const forest = boost(columns, labels, settings)
    const nobody = expectation(forest)
    for (let row = 0; row < 100; row += 1) {
      const vector = Float32Array.from(columns, (column) => column[row] as number)
      const moved = contributions(forest, vector).reduce((sum, part) => sum + part, 0)
      expect(nobody + moved).toBeCloseTo(margin(forest, vector), 3)
    }
  })

  it('refuse rows that are all alike, labels that are none, and shares that are none', () => {
    const column = [Float32Array.of(1, 2)]
    expect(() => boost(column, Uint8Array.of(0, 0), settings)).toThrow('both labels')
    expect(() => boost(column, Uint8Array.of(0, 2), settings)).toThrow('neither 0 nor 1')
    expect(() => boost(column, Uint8Array.of(0, 1, 1), settings)).toThrow('per label')
    const none = { ...settings, negatives: 0 }
    expect(() => boost(column, Uint8Array.of(0, 1), none)).toThrow('negatives')
  })
})

/** One row in ten or so is positive, more by chance than by the features. */
const noisy = (rows: number, seed: number) => {
  const next = fork(seed, 1)
  const columns = [0, 1, 2, 3, 4].map(() => Float32Array.from({ length: rows }, () => next()))
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    const [one, other] = [columns[0]?.[row] as number, columns[1]?.[row] as number]
    return next() < sigmoid(-5 + 3 * one + 2 * (one > 0.5 ? other : 0)) ? 1 : 0
  })
  return { columns, labels }
}

describe('early stopping', () => {
  const eager = { ...BOOST_DEFAULTS, shrinkage: 0.4, patience: 10 }

  it('keeps the trees up to the best one on the latest rows', () => {
    const { columns, labels } = noisy(4_000, 1)
    const { forest, report } = boostWithReport(columns, labels, eager)
    expect(report.trees).toBe(forest.trees.length)
    expect(report.trees_grown).toBe(report.trees + 10)
    expect(report.watched?.rows).toBe(600)
    const fixed = { ...eager, trees: report.trees, patience: 400 }
    expect(boostWithReport(columns, labels, fixed).forest).toEqual(forest)
  })

  it('watches the latest rows: what they hold cannot be learnt, only counted', () => {
    const { columns, labels } = noisy(4_000, 1)
    const turned = labels.map((label, row) => (row >= 3_400 ? 1 - label : label))
    expect(boostWithReport(columns, turned, eager).report.trees).toBe(1)
  })
})

describe('leaving out negatives', () => {
  const { columns, labels } = noisy(30_000, 2)
  const tenth = { ...BOOST_DEFAULTS, trees: 60, valid_share: 0, negatives: 0.1 }

  it('keeps all positives, and exactly the share of the others, in order', () => {
    const numbers = [Float32Array.from(labels, (_, row) => row)]
    const kept = keepNegatives(numbers, labels, 0.1, 1)
    const positive = labels.reduce((sum, label) => sum + label, 0)
    const negative = labels.length - positive
    expect(kept.labels.reduce((sum, label) => sum + label, 0)).toBe(positive)
    expect(kept.labels.length - positive).toBe(Math.round(negative * 0.1))
    expect(kept.rate).toBeCloseTo(0.1, 3)
    const rows = kept.columns[0] as Float32Array
    expect([...rows]).toEqual([...rows].sort((one, other) => one - other))
    expect(keepNegatives(numbers, labels, 0.1, 2).columns).not.toEqual(kept.columns)
  })

  it('still says how likely the positives are among all', () => {
    const { forest, report } = boostWithReport(columns, labels, tenth)
    const mean = scores(forest, columns).reduce((sum, score) => sum + score, 0) / labels.length
    expect(report.grown_on).toBeLessThan(10_000)
    expect(Math.abs(mean / report.base_rate - 1)).toBeLessThan(0.1)
  })

  it('corrects the margin by the logarithm of the share, and by nothing else', () => {
    const { forest, report } = boostWithReport(columns, labels, tenth)
    const sample = keepNegatives(columns, labels, 0.1, tenth.seed)
    const { negatives: _, ...all } = tenth
    const biased = boost(sample.columns, sample.labels, all)
    expect(forest.trees).toEqual(biased.trees)
    expect(forest.base).toBeCloseTo(biased.base + Math.log(report.sampling_rate), 5)
  })

  it('gives the same bytes for the same seed', () => {
    const bytes = (seed: number) => {
      const forest = boost(columns, labels, { ...tenth, seed, trees: 10, valid_share: 0.2 })
      return Buffer.from(encodeOnnx({ forest, features: 5, metadata: {} }))
    }
    expect(bytes(1).equals(bytes(1))).toBe(true)
    expect(bytes(1).equals(bytes(2))).toBe(false)
  })
})

describe('calibration', () => {
  const next = fork(13, 0)
  const odds = Float64Array.from({ length: 20_000 }, () => 6 * next() - 4)
  const labels = Uint8Array.from(odds, (margin) => (next() < sigmoid(margin) ? 1 : 0))

  it('finds the scale and the shift that were taken away', () => {
    const { scale, shift } = fitCalibration(
      odds.map((margin) => (margin - 0.7) / 2),
      labels,
    )
    expect(Math.abs(scale - 2)).toBeLessThan(0.1)
    expect(Math.abs(shift - 0.7)).toBeLessThan(0.1)
  })

  it('leaves alone what is right, what is too little and what is the wrong way round', () => {
    const right = fitCalibration(odds, labels)
    expect(Math.abs(right.scale - 1) + Math.abs(right.shift)).toBeLessThan(0.1)
    const few = labels.map((label, row) => (row < 50 ? label : 0))
    const nothing = { scale: 1, shift: 0 }
    expect(fitCalibration(odds.slice(0, 15), few.slice(0, 15))).toEqual(nothing)
    const wrong = odds.map((margin) => -margin)
    expect(fitCalibration(wrong, labels)).toEqual(nothing)
  })

  it('lies in leaves and base, so that the forest needs nothing beside it', () => {
    const { columns, labels: truth } = noisy(2_000, 3)
    const forest = boost(columns, truth, settings)
    const moved = calibrated(forest, { scale: 0.5, shift: -0.25 })
    for (let row = 0; row < 50; row += 1) {
      const vector = Float32Array.from(columns, (column) => column[row] as number)
      expect(margin(moved, vector)).toBeCloseTo(0.5 * margin(forest, vector) - 0.25, 4)
    }
  })

  it('brings an overconfident forest nearer to the truth on rows it never saw', () => {
    const { columns, labels: truth } = noisy(6_000, 4)
    const sure = { ...BOOST_DEFAULTS, trees: 1, shrinkage: 3, leaves: 12, valid_share: 0.4 }
    const { forest, report } = boostWithReport(columns, truth, sure)
    expect(report.calibration.scale).toBeLessThan(0.9)
    const raw = boost(
      columns.map((column) => column.slice(0, 3_600)),
      truth.slice(0, 3_600),
      { ...sure, valid_share: 0 },
    )
    const other = noisy(6_000, 5)
    const loss = (one: Forest) =>
      logLoss(
        Float64Array.from(other.labels, (_, row) =>
          margin(
            one,
            Float32Array.from(other.columns, (column) => column[row] as number),
          ),
        ),
        other.labels,
      )
    expect(loss(forest)).toBeLessThan(loss(raw))
  })
})
