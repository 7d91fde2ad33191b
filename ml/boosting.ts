import type { Binned } from './bins.ts'
import { BINS, binned, MISSING_BIN } from './bins.ts'
import { fork, index } from './random.ts'
import type { Forest, Tree } from './trees.ts'
import { emptyTree, fillMeans, sigmoid } from './trees.ts'

export type BoostSettings = {
  readonly seed: number
  readonly trees: number
  readonly depth: number
  readonly shrinkage: number
  readonly l2: number
  readonly least_rows: number
  /** Share of the features that each tree may ask for. */
  readonly columns: number
}

/** Sums per bin of one feature after another: gradients, hessians and rows. */
type Histogram = {
  readonly gradient: Float64Array
  readonly hessian: Float64Array
  readonly rows: Float64Array
}

type Sums = { readonly gradient: number; readonly hessian: number; readonly rows: number }

type Split = {
  readonly gain: number
  readonly column: number
  readonly bin: number
  readonly missing_yes: boolean
}

type Growth = {
  readonly settings: BoostSettings
  readonly features: readonly Binned[]
  readonly columns: readonly number[]
  readonly gradient: Float64Array
  readonly hessian: Float64Array
  readonly order: Int32Array
  readonly margins: Float64Array
  readonly tree: Tree
  nodes: number
}

const measure = (growth: Growth, begin: number, end: number): Histogram => {
  const size = growth.features.length * BINS
  const sums: Histogram = {
    gradient: new Float64Array(size),
    hessian: new Float64Array(size),
    rows: new Float64Array(size),
  }
  const { gradient, hessian, rows } = sums
  for (const column of growth.columns) {
    const bins = growth.features[column]?.bins as Uint8Array
    const offset = column * BINS
    for (let place = begin; place < end; place += 1) {
      const row = growth.order[place] as number
      const bin = offset + (bins[row] as number)
      gradient[bin] = (gradient[bin] as number) + (growth.gradient[row] as number)
      hessian[bin] = (hessian[bin] as number) + (growth.hessian[row] as number)
      rows[bin] = (rows[bin] as number) + 1
    }
  }
  return sums
}

/** What is left of the parent when one child is taken away: the other child, without counting. */
const without = (parent: Histogram, child: Histogram): Histogram => ({
  gradient: parent.gradient.map((sum, bin) => sum - (child.gradient[bin] as number)),
  hessian: parent.hessian.map((sum, bin) => sum - (child.hessian[bin] as number)),
  rows: parent.rows.map((sum, bin) => sum - (child.rows[bin] as number)),
})

const sumsOf = (growth: Growth, begin: number, end: number): Sums => {
  let [gradient, hessian] = [0, 0]
  for (let place = begin; place < end; place += 1) {
    const row = growth.order[place] as number
    gradient += growth.gradient[row] as number
    hessian += growth.hessian[row] as number
  }
  return { gradient, hessian, rows: end - begin }
}

/**
 * The split with the largest second-order gain (Chen and Guestrin, XGBoost, 2016, equation 7),
 * trying missing values on either side.
 */
const bestSplit = (growth: Growth, sums: Histogram, total: Sums): Split | undefined => {
  const { l2, least_rows } = growth.settings
  const score = (gradient: number, hessian: number) => (gradient * gradient) / (hessian + l2)
  const parent = score(total.gradient, total.hessian)
  let best: Split | undefined
  for (const column of growth.columns) {
    const offset = column * BINS
    const at = (list: Float64Array, bin: number) => list[offset + bin] as number
    const missing = at(sums.rows, MISSING_BIN)
    let [gradient, hessian, rows] = [0, 0, 0]
    const cuts = growth.features[column]?.cuts.length ?? 0
    for (let bin = 0; bin < cuts; bin += 1) {
      gradient += at(sums.gradient, bin)
      hessian += at(sums.hessian, bin)
      rows += at(sums.rows, bin)
      for (const missing_yes of missing > 0 ? [true, false] : [rows * 2 >= total.rows]) {
        const left = {
          gradient: gradient + (missing_yes ? at(sums.gradient, MISSING_BIN) : 0),
          hessian: hessian + (missing_yes ? at(sums.hessian, MISSING_BIN) : 0),
          rows: rows + (missing_yes ? missing : 0),
        }
        if (left.rows < least_rows || total.rows - left.rows < least_rows) continue
        const right = score(total.gradient - left.gradient, total.hessian - left.hessian)
        const gain = score(left.gradient, left.hessian) + right - parent
        if (gain > (best?.gain ?? 1e-6)) best = { gain, column, bin, missing_yes }
      }
    }
  }
  return best
}

/** Puts the rows that go to `yes` first, keeping their order; returns where the others begin. */
const partition = (growth: Growth, split: Split, begin: number, end: number): number => {
  const bins = growth.features[split.column]?.bins as Uint8Array
  const rest: number[] = []
  let place = begin
  for (let from = begin; from < end; from += 1) {
    const row = growth.order[from] as number
    const bin = bins[row] as number
    if (bin === MISSING_BIN ? split.missing_yes : bin <= split.bin) {
      growth.order[place] = row
      place += 1
    } else rest.push(row)
  }
  growth.order.set(rest, place)
  return place
}

const closeLeaf = (growth: Growth, node: number, total: Sums, begin: number, end: number): void => {
  const { l2, shrinkage } = growth.settings
  const weight = Math.fround((-total.gradient / (total.hessian + l2)) * shrinkage)
  growth.tree.value[node] = weight
  for (let place = begin; place < end; place += 1) {
    const row = growth.order[place] as number
    growth.margins[row] = (growth.margins[row] as number) + weight
  }
}

const grow = (
  growth: Growth,
  node: number,
  depth: number,
  begin: number,
  end: number,
  sums: Histogram | undefined,
): void => {
  const total = sumsOf(growth, begin, end)
  growth.tree.rows[node] = total.rows
  const split = sums && bestSplit(growth, sums, total)
  if (!split) {
    closeLeaf(growth, node, total, begin, end)
    return
  }
  const middle = partition(growth, split, begin, end)
  const [yes, no] = [growth.nodes, growth.nodes + 1]
  growth.nodes += 2
  growth.tree.feature[node] = split.column
  growth.tree.threshold[node] = growth.features[split.column]?.cuts[split.bin] as number
  growth.tree.missing_yes[node] = split.missing_yes ? 1 : 0
  growth.tree.yes[node] = yes
  growth.tree.no[node] = no
  let [left, right]: [Histogram | undefined, Histogram | undefined] = [undefined, undefined]
  if (depth > 1 && middle - begin <= end - middle) {
    left = measure(growth, begin, middle)
    right = without(sums, left)
  } else if (depth > 1) {
    right = measure(growth, middle, end)
    left = without(sums, right)
  }
  grow(growth, yes, depth - 1, begin, middle, left)
  grow(growth, no, depth - 1, middle, end, right)
}

const sample = (settings: BoostSettings, features: number, tree: number): number[] => {
  const next = fork(settings.seed, tree)
  const columns = Array.from({ length: features }, (_, column) => column)
  const wanted = Math.max(1, Math.round(features * settings.columns))
  while (columns.length > wanted) columns.splice(index(next, columns.length), 1)
  return columns
}

const trimmed = (tree: Tree, nodes: number): Tree => ({
  feature: tree.feature.slice(0, nodes),
  threshold: tree.threshold.slice(0, nodes),
  yes: tree.yes.slice(0, nodes),
  no: tree.no.slice(0, nodes),
  missing_yes: tree.missing_yes.slice(0, nodes),
  rows: tree.rows.slice(0, nodes),
  value: tree.value.slice(0, nodes),
})

/**
 * Histogram gradient-boosted trees on the logistic loss. `columns` holds one Float32Array per
 * feature, NaN where missing; `labels` 0 or 1 per row, both present. Same input, same forest.
 */
export const boost = (
  columns: readonly Float32Array[],
  labels: Uint8Array,
  settings: BoostSettings,
): Forest => {
  const rows = labels.length
  const positive = labels.reduce((sum, label) => sum + label, 0)
  if (positive === 0 || positive === rows) throw new Error('training needs rows of both labels')
  const base = Math.fround(Math.log(positive / (rows - positive)))
  const features = columns.map(binned)
  const margins = new Float64Array(rows).fill(base)
  const gradient = new Float64Array(rows)
  const hessian = new Float64Array(rows)
  const trees = Array.from({ length: settings.trees }, (_, number): Tree => {
    for (let row = 0; row < rows; row += 1) {
      const probability = sigmoid(margins[row] as number)
      gradient[row] = probability - (labels[row] as number)
      hessian[row] = probability * (1 - probability)
    }
    const growth: Growth = {
      settings,
      features,
      columns: sample(settings, features.length, number),
      gradient,
      hessian,
      order: Int32Array.from({ length: rows }, (_, row) => row),
      margins,
      tree: emptyTree(2 ** (settings.depth + 1) - 1),
      nodes: 1,
    }
    grow(growth, 0, settings.depth, 0, rows, measure(growth, 0, rows))
    return fillMeans(trimmed(growth.tree, growth.nodes))
  })
  return { base, trees }
}
