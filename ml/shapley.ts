import { index, random } from './random.ts'
import type { Forest, Tree } from './trees.ts'
import { takesYes } from './trees.ts'

/**
 * The features asked on the way down one tree, each once. `zero` is the share of the training rows
 * that goes on when the feature is unknown, `one` is 1 when the row itself goes this way, and
 * `weight` how much of all subsets of a given size lead here.
 */
type Path = {
  readonly feature: Int32Array
  readonly zero: Float64Array
  readonly one: Float64Array
  readonly weight: Float64Array
  length: number
}

type Walk = {
  readonly tree: Tree
  readonly row: Float32Array
  readonly found: Float64Array
  /** A path per depth, so that nothing is allocated on the way. */
  readonly paths: Path[]
}

const emptyPath = (length: number): Path => ({
  feature: new Int32Array(length),
  zero: new Float64Array(length),
  one: new Float64Array(length),
  weight: new Float64Array(length),
  length: 0,
})

const copy = (from: Path, to: Path): void => {
  to.feature.set(from.feature)
  to.zero.set(from.zero)
  to.one.set(from.one)
  to.weight.set(from.weight)
  to.length = from.length
}

const extend = (path: Path, zero: number, one: number, feature: number): void => {
  const { weight, length } = path
  path.feature[length] = feature
  path.zero[length] = zero
  path.one[length] = one
  weight[length] = length === 0 ? 1 : 0
  for (let place = length - 1; place >= 0; place -= 1) {
    const here = weight[place] as number
    weight[place + 1] = (weight[place + 1] as number) + (one * here * (place + 1)) / (length + 1)
    weight[place] = (zero * here * (length - place)) / (length + 1)
  }
  path.length = length + 1
}

/** The weights as they were before the feature at `chosen`: put into `into`, and their sum. */
const unwoundWeights = (path: Path, chosen: number, into?: Float64Array): number => {
  const { weight } = path
  const last = path.length - 1
  const [zero, one] = [path.zero[chosen] as number, path.one[chosen] as number]
  let [next, sum] = [weight[last] as number, 0]
  for (let place = last - 1; place >= 0; place -= 1) {
    const here = weight[place] as number
    let undone = (here * (last + 1)) / (zero * (last - place))
    if (one !== 0) {
      undone = (next * (last + 1)) / ((place + 1) * one)
      next = here - (undone * zero * (last - place)) / (last + 1)
    }
    if (into) into[place] = undone
    sum += undone
  }
  return sum
}

const unwind = (path: Path, chosen: number): void => {
  unwoundWeights(path, chosen, path.weight)
  const last = path.length - 1
  for (let place = chosen; place < last; place += 1) {
    path.feature[place] = path.feature[place + 1] as number
    path.zero[place] = path.zero[place + 1] as number
    path.one[place] = path.one[place + 1] as number
  }
  path.length = last
}

/** At a leaf every feature of the path gets what it turned. */
const credit = ({ found }: Walk, path: Path, value: number): void => {
  for (let place = 1; place < path.length; place += 1) {
    const feature = path.feature[place] as number
    const turned = (path.one[place] as number) - (path.zero[place] as number)
    const due = unwoundWeights(path, place) * turned * value
    found[feature] = (found[feature] as number) + due
  }
}

const descend = (
  walk: Walk,
  node: number,
  depth: number,
  zero: number,
  one: number,
  asked: number,
): void => {
  const { tree, row, paths } = walk
  const path = paths[depth] as Path
  if (depth > 0) copy(paths[depth - 1] as Path, path)
  extend(path, zero, one, asked)
  const feature = tree.feature[node] as number
  if (feature < 0) {
    credit(walk, path, tree.value[node] as number)
    return
  }
  let [zeroBefore, oneBefore] = [1, 1]
  let before = path.length - 1
  while (before > 0 && path.feature[before] !== feature) before -= 1
  if (before > 0) {
    zeroBefore = path.zero[before] as number
    oneBefore = path.one[before] as number
    unwind(path, before)
  }
  const [yes, no] = [tree.yes[node] as number, tree.no[node] as number]
  const goes = takesYes(tree, node, row[feature] as number)
  for (const child of [yes, no]) {
    const share = (tree.rows[child] as number) / (tree.rows[node] as number)
    const taken = (child === yes) === goes ? oneBefore : 0
    descend(walk, child, depth + 1, share * zeroBefore, taken, feature)
  }
}

const depthOf = (tree: Tree, node = 0): number =>
  (tree.feature[node] as number) < 0
    ? 0
    : 1 + Math.max(depthOf(tree, tree.yes[node] as number), depthOf(tree, tree.no[node] as number))

/**
 * What each feature added to the log-odds of this row: its exact Shapley value, where a feature
 * that is not known sends the row both ways in the proportion of the training rows (Lundberg, Erion
 * and Lee, 2018, algorithm 2). They add up to the margin less `expectation`.
 */
export const shapley = (forest: Forest, row: Float32Array): Float64Array => {
  const found = new Float64Array(row.length)
  const deepest = forest.trees.reduce((depth, tree) => Math.max(depth, depthOf(tree)), 0)
  const paths = Array.from({ length: deepest + 1 }, () => emptyPath(deepest + 2))
  for (const tree of forest.trees) {
    ;(paths[0] as Path).length = 0
    descend({ tree, row, found, paths }, 0, 0, 1, 1, -1)
  }
  return found
}

const MOST_ROWS = 1_000

/**
 * The share of each feature in all that moved the scores: the mean of the absolute Shapley values
 * over these rows (a seeded thousand of them at most), made to add up to 1.
 */
export const importances = (
  forest: Forest,
  columns: readonly Float32Array[],
  seed = 1,
): Float64Array => {
  const next = random(seed)
  const rows = columns[0]?.length ?? 0
  const sum = new Float64Array(columns.length)
  for (let number = 0; number < Math.min(rows, MOST_ROWS); number += 1) {
    const row = rows <= MOST_ROWS ? number : index(next, rows)
    const vector = Float32Array.from(columns, (column) => column[row] as number)
    shapley(forest, vector).forEach((value, feature) => {
      sum[feature] = (sum[feature] as number) + Math.abs(value)
    })
  }
  const whole = sum.reduce((all, part) => all + part, 0)
  return whole === 0 ? sum : sum.map((part) => part / whole)
}
