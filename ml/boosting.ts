import { tabulate } from './bins.ts'
import type { Calibration } from './calibration.ts'
import { calibrated, fitCalibration, logLoss, NO_CALIBRATION } from './calibration.ts'
import { growTree, prepareGround } from './growing.ts'
import type { Metrics } from './metrics.ts'
import { metrics } from './metrics.ts'
import { fork, index } from './random.ts'
import { keepNegatives } from './sampling.ts'
import type { Forest, Tree } from './trees.ts'
import { leafValue, sigmoid } from './trees.ts'

export type BoostSettings = {
  readonly seed: number
  /** At most so many; early stopping may keep fewer. */
  readonly trees: number
  readonly depth: number
  /** Most leaves of a tree; without it only `depth` limits them. */
  readonly leaves?: number
  readonly shrinkage: number
  readonly l2: number
  readonly least_rows: number
  /** Share of the features that each tree may ask for. */
  readonly columns: number
  /** Share of the rows, the latest, that training only watches; none without it. */
  readonly valid_share?: number
  /** Trees without progress on the watched rows after which training stops. */
  readonly patience?: number
  /** Share of the rows labelled 0 that is trained on; all without it. */
  readonly negatives?: number
}

/** What does well on a bank's tables of some ten thousand rows. */
export const BOOST_DEFAULTS = {
  seed: 1,
  trees: 300,
  depth: 6,
  leaves: 24,
  shrinkage: 0.05,
  l2: 5,
  least_rows: 20,
  columns: 0.7,
  valid_share: 0.15,
  patience: 40,
} as const satisfies BoostSettings

export type Stage = 'binning' | 'folding' | 'growing' | 'calibrating' | 'explaining' | 'done'
/** `done` is the share of all work, 0 to 1; it never falls. */
export type Progress = { readonly stage: Stage; readonly done: number }

export type BoostReport = {
  readonly rows: number
  readonly base_rate: number
  /** Rows the trees were grown on, and the share of the negatives that is. */
  readonly grown_on: number
  readonly sampling_rate: number
  /** Trees kept of those grown. */
  readonly trees: number
  readonly trees_grown: number
  readonly calibration: Calibration
  /** On the latest slice, which chose the number of trees and the calibration: a little kind. */
  readonly watched: Metrics | undefined
}

export type Boosted = { readonly forest: Forest; readonly report: BoostReport }

const PATIENCE = 40
const BINNING_SHARE = 0.05
const GROWING_SHARE = 0.93

/** The latest rows, laid end to end, and what the trees so far say of them. */
type Watched = {
  readonly vectors: Float32Array
  readonly labels: Uint8Array
  readonly margins: Float64Array
}

const sampleColumns = (settings: BoostSettings, features: number, tree: number): Int32Array => {
  const next = fork(settings.seed, tree)
  const columns = Array.from({ length: features }, (_, column) => column)
  const wanted = Math.max(1, Math.round(features * settings.columns))
  while (columns.length > wanted) columns.splice(index(next, columns.length), 1)
  return Int32Array.from(columns)
}

const positives = (labels: Uint8Array): number => labels.reduce((sum, label) => sum + label, 0)

const watch = (
  columns: readonly Float32Array[],
  labels: Uint8Array,
  from: number,
  base: number,
): Watched => {
  const width = columns.length
  const vectors = new Float32Array((labels.length - from) * width)
  columns.forEach((column, place) => {
    for (let row = from; row < labels.length; row += 1) {
      vectors[(row - from) * width + place] = column[row] as number
    }
  })
  const margins = new Float64Array(labels.length - from).fill(base)
  return { vectors, labels: labels.subarray(from), margins }
}

/** Adds what a new tree says of the watched rows; answers their log loss. */
const listen = ({ vectors, labels, margins }: Watched, tree: Tree, width: number): number => {
  for (let row = 0; row < margins.length; row += 1) {
    margins[row] = (margins[row] as number) + leafValue(tree, vectors, row * width)
  }
  return logLoss(margins, labels)
}

type Grown = { readonly trees: readonly Tree[]; readonly grown: number }

type Sample = { readonly columns: readonly Float32Array[]; readonly labels: Uint8Array }

/** Grows tree after tree on the sample, and keeps as many as served the watched rows best. */
const growForest = (
  { columns, labels }: Sample,
  base: number,
  watched: Watched | undefined,
  settings: BoostSettings,
  progress: (progress: Progress) => void,
): Grown => {
  const rows = labels.length
  const table = tabulate(columns, (done) =>
    progress({ stage: 'binning', done: done * BINNING_SHARE }),
  )
  const margins = new Float64Array(rows).fill(base)
  const [gradient, hessian] = [new Float64Array(rows), new Float64Array(rows)]
  const ground = prepareGround(rows, table.width)
  const limits = { ...settings, leaves: settings.leaves ?? 2 ** settings.depth }
  const trees: Tree[] = []
  let [best, kept] = [watched ? logLoss(watched.margins, watched.labels) : 0, 0]
  for (let number = 0; number < settings.trees; number += 1) {
    for (let row = 0; row < rows; row += 1) {
      const probability = sigmoid(margins[row] as number)
      gradient[row] = probability - (labels[row] as number)
      hessian[row] = probability * (1 - probability)
    }
    const chosen = sampleColumns(settings, table.width, number)
    const tree = growTree(ground, { table, columns: chosen, gradient, hessian }, margins, limits)
    trees.push(tree)
    const share = (number + 1) / settings.trees
    progress({ stage: 'growing', done: BINNING_SHARE + GROWING_SHARE * share })
    if (!watched) continue
    const loss = listen(watched, tree, table.width)
    if (loss < best) [best, kept] = [loss, trees.length]
    else if (trees.length - kept >= (settings.patience ?? PATIENCE)) break
  }
  return { trees: watched ? trees.slice(0, Math.max(1, kept)) : trees, grown: trees.length }
}

/** Margins of the watched rows by the trees that were kept. */
const listenAgain = (watched: Watched, base: number, trees: readonly Tree[], width: number) => {
  watched.margins.fill(base)
  for (const tree of trees) listen(watched, tree, width)
}

const holdsBoth = (labels: Uint8Array): boolean => labels.includes(0) && labels.includes(1)

const check = (
  columns: readonly Float32Array[],
  labels: Uint8Array,
  until: number,
  settings: BoostSettings,
): void => {
  if (columns.length === 0 || columns.some(({ length }) => length !== labels.length)) {
    throw new Error('training needs columns, each with a value per label')
  }
  const { valid_share = 0, negatives = 1, leaves = 2 } = settings
  if (!(valid_share >= 0 && valid_share < 1 && negatives > 0 && negatives <= 1 && leaves >= 2)) {
    throw new Error('valid_share is 0 to below 1, negatives above 0 to 1, leaves at least 2')
  }
  if (labels.some((label) => label > 1)) throw new Error('a label is neither 0 nor 1')
  if (!holdsBoth(labels.subarray(0, until))) throw new Error('training needs rows of both labels')
  if (until < labels.length && !holdsBoth(labels.subarray(until))) {
    throw new Error('the latest rows, which training only watches, need both labels')
  }
}

/**
 * Histogram gradient-boosted trees on the logistic loss. `columns` holds one Float32Array per
 * feature, NaN where missing; `labels` 0 or 1 per row, both present; rows in order of time. With
 * `negatives` only a share of the 0s is grown on, and the margin is put right by the logarithm of
 * that share. With `valid_share` the latest rows choose how many trees are kept, and calibrate
 * them; scale and shift are folded into the leaves and the base. Same input, same forest.
 */
export const boostWithReport = (
  columns: readonly Float32Array[],
  labels: Uint8Array,
  settings: BoostSettings,
  progress: (progress: Progress) => void = () => undefined,
): Boosted => {
  const rows = labels.length
  const until = rows - Math.floor(rows * (settings.valid_share ?? 0))
  check(columns, labels, until, settings)
  const sample = keepNegatives(
    columns,
    labels.subarray(0, until),
    settings.negatives ?? 1,
    settings.seed,
  )
  const positive = positives(sample.labels)
  const sampled = Math.fround(Math.log(positive / (sample.labels.length - positive)))
  const base = sampled + Math.log(sample.rate)

  const watched = until < rows ? watch(columns, labels, until, base) : undefined
  const { trees, grown } = growForest(sample, sampled, watched, settings, progress)
  progress({ stage: 'calibrating', done: BINNING_SHARE + GROWING_SHARE })
  let calibration = NO_CALIBRATION
  if (watched) {
    listenAgain(watched, base, trees, columns.length)
    calibration = fitCalibration(watched.margins, watched.labels)
  }
  const { scale, shift } = calibration
  const probabilities =
    watched && Float32Array.from(watched.margins, (margin) => sigmoid(margin * scale + shift))
  progress({ stage: 'done', done: 1 })
  return {
    forest: calibrated({ base, trees }, calibration),
    report: {
      rows,
      base_rate: positives(labels) / rows,
      grown_on: sample.labels.length,
      sampling_rate: sample.rate,
      trees: trees.length,
      trees_grown: grown,
      calibration,
      watched: watched && probabilities && metrics(probabilities, watched.labels),
    },
  }
}

export const boost = (
  columns: readonly Float32Array[],
  labels: Uint8Array,
  settings: BoostSettings,
): Forest => boostWithReport(columns, labels, settings).forest
