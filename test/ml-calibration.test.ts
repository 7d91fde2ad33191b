import { describe, expect, it } from 'vitest'
import { BOOST_DEFAULTS, boost, boostWithReport } from '../ml/boosting.ts'
import { calibrated, fitCalibration, logLoss } from '../ml/calibration.ts'
import { scoreAll } from '../ml/folds.ts'
import { metrics } from '../ml/metrics.ts'
import { encodeOnnx } from '../ml/onnx.ts'
import { fork } from '../ml/random.ts'
import { keepNegatives } from '../ml/sampling.ts'
import { type Forest, margin, sigmoid } from '../ml/trees.ts'

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
    // The same trees, grown without watching, and the loss after each of them.
    const early = columns.map((column) => column.slice(0, 3_400))
    const blind = { ...eager, trees: report.trees_grown, valid_share: 0 }
    const { base, trees } = boost(early, labels.slice(0, 3_400), blind)
    const latest = {
      columns: columns.map((column) => column.slice(3_400)),
      labels: labels.slice(3_400),
    }
    const losses = trees.map((_, last) => {
      const scores = scoreAll({ base, trees: trees.slice(0, last + 1) }, latest)
      return metrics(scores, latest.labels).log_loss
    })
    expect(losses.indexOf(Math.min(...losses)) + 1).toBe(report.trees)
  })

  it('cannot watch rows that are all alike', () => {
    const { columns, labels } = noisy(1_000, 1)
    const quiet = labels.map((label, row) => (row < 800 ? label : 0))
    expect(() => boost(columns, quiet, eager)).toThrow('latest rows')
  })

  it('watches the latest rows: what they hold cannot be learnt, only counted', () => {
    const { columns, labels } = noisy(4_000, 1)
    const turned = labels.map((label, row) => (row >= 3_400 ? 1 - label : label))
    expect(boostWithReport(columns, turned, eager).report.trees).toBe(1)
  })
})

describe('leaving out negatives', () => {
  const { columns, labels } = noisy(12_000, 2)
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
    const mean =
      scoreAll(forest, { columns, labels }).reduce((sum, score) => sum + score, 0) / labels.length
    expect(report.grown_on).toBeLessThan(4_000)
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
    const forest = boost(columns, truth, { ...BOOST_DEFAULTS, trees: 40, valid_share: 0 })
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
