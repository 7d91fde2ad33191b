import { MISSING_BIN } from './bins.ts'
import type { Histogram, Share, Split, Sums } from './histograms.ts'
import { bestSplit, emptyHistogram, measure, subtract } from './histograms.ts'
import type { Tree } from './trees.ts'
import { emptyTree, fillMeans } from './trees.ts'

export type GrowthSettings = {
  readonly depth: number
  readonly leaves: number
  readonly shrinkage: number
  readonly l2: number
  readonly least_rows: number
}

/** Memory that tree after tree is grown in. */
export type Ground = {
  readonly order: Int32Array
  readonly aside: Int32Array
  readonly free: Histogram[]
  readonly width: number
}

/** A node that may still be split: its rows are `order` from `begin` up to, not including, `end`. */
type Leaf = {
  readonly node: number
  readonly depth: number
  readonly begin: number
  readonly end: number
  readonly total: Sums
  readonly histogram: Histogram | undefined
  readonly split: Split | undefined
}

type Growth = {
  readonly settings: GrowthSettings
  readonly ground: Ground
  readonly share: Share
  readonly tree: Tree
  nodes: number
}

const LARGEST_FLOAT32 = 3.4028234663852886e38

export const prepareGround = (rows: number, width: number): Ground => ({
  order: new Int32Array(rows),
  aside: new Int32Array(rows),
  free: [],
  width,
})

/** Sums of a node's rows, afresh: what subtraction leaves has lost digits. */
const sumsOf = ({ order, gradient, hessian }: Share, begin: number, end: number): Sums => {
  let [pull, weight] = [0, 0]
  for (let place = begin; place < end; place += 1) {
    const row = order[place] as number
    pull += gradient[row] as number
    weight += hessian[row] as number
  }
  return { gradient: pull, hessian: weight, rows: end - begin }
}

/** Puts the rows that go to `yes` first, keeping their order; returns where the others begin. */
const partition = ({ share, ground }: Growth, split: Split, begin: number, end: number): number => {
  const bins = share.table.columns[split.column] as Uint8Array
  const { order, aside } = ground
  let [place, put] = [begin, 0]
  for (let from = begin; from < end; from += 1) {
    const row = order[from] as number
    const bin = bins[row] as number
    if (bin === MISSING_BIN ? split.missing_yes : bin <= split.bin) {
      order[place] = row
      place += 1
    } else {
      aside[put] = row
      put += 1
    }
  }
  order.set(aside.subarray(0, put), place)
  return place
}

/** Whether a node of so many rows could be split at all. */
const maySplit = ({ settings }: Growth, depth: number, rows: number): boolean =>
  depth < settings.depth && rows >= 2 * settings.least_rows

const leafAt = (
  growth: Growth,
  place: Pick<Leaf, 'node' | 'depth' | 'begin' | 'end'>,
  histogram: Histogram | undefined,
): Leaf => {
  const total = sumsOf(growth.share, place.begin, place.end)
  growth.tree.rows[place.node] = total.rows
  const split = histogram && bestSplit(histogram, growth.share, total, growth.settings)
  if (histogram && !split) growth.ground.free.push(histogram)
  return { ...place, total, histogram: split && histogram, split }
}

const takeHistogram = ({ free, width }: Ground): Histogram => free.pop() ?? emptyHistogram(width)

/** The histograms of both children: the smaller is counted, the larger is what then remains. */
const divide = (growth: Growth, leaf: Leaf, middle: number): (Histogram | undefined)[] => {
  const { ground, share } = growth
  const parent = leaf.histogram as Histogram
  const [left, right] = [middle - leaf.begin, leaf.end - middle]
  if (!maySplit(growth, leaf.depth + 1, Math.max(left, right))) {
    ground.free.push(parent)
    return [undefined, undefined]
  }
  const smaller = takeHistogram(ground)
  if (left <= right) measure(smaller, share, leaf.begin, middle)
  else measure(smaller, share, middle, leaf.end)
  subtract(parent, smaller)
  if (maySplit(growth, leaf.depth + 1, Math.min(left, right))) {
    return left <= right ? [smaller, parent] : [parent, smaller]
  }
  ground.free.push(smaller)
  return left <= right ? [undefined, parent] : [parent, undefined]
}

const splitLeaf = (growth: Growth, leaf: Leaf, split: Split): [Leaf, Leaf] => {
  const { tree, share } = growth
  const { node, begin, end } = leaf
  const middle = partition(growth, split, begin, end)
  const [yes, no] = [growth.nodes, growth.nodes + 1]
  growth.nodes += 2
  tree.feature[node] = split.column
  // Beyond the last cut lie only missing values.
  tree.threshold[node] = share.table.cuts[split.column]?.[split.bin] ?? LARGEST_FLOAT32
  tree.missing_yes[node] = split.missing_yes ? 1 : 0
  tree.yes[node] = yes
  tree.no[node] = no
  const depth = leaf.depth + 1
  const [left, right] = divide(growth, leaf, middle)
  return [
    leafAt(growth, { node: yes, depth, begin, end: middle }, left),
    leafAt(growth, { node: no, depth, begin: middle, end }, right),
  ]
}

/** Where the leaf with the most to gain stands; -1 when none can be split. */
const mostPromising = (leaves: readonly Leaf[]): number => {
  let [best, gain] = [-1, 0]
  leaves.forEach(({ split }, place) => {
    if (split && split.gain > gain) [best, gain] = [place, split.gain]
  })
  return best
}

/** Gives a leaf its weight and moves the margins of its rows by it. */
const close = (growth: Growth, leaf: Leaf, margins: Float64Array): void => {
  const { l2, shrinkage } = growth.settings
  const { total, node, begin, end, histogram } = leaf
  const weight = Math.fround((-total.gradient / (total.hessian + l2)) * shrinkage)
  growth.tree.value[node] = weight
  for (let place = begin; place < end; place += 1) {
    const row = growth.ground.order[place] as number
    margins[row] = (margins[row] as number) + weight
  }
  if (histogram) growth.ground.free.push(histogram)
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
 * Grows one tree best-first: of all leaves the one with the most to gain is split next, until
 * there are `leaves` of them. Moves `margins` by what the tree says of each row.
 */
export const growTree = (
  ground: Ground,
  share: Omit<Share, 'order'>,
  margins: Float64Array,
  settings: GrowthSettings,
): Tree => {
  const { order } = ground
  for (let row = 0; row < order.length; row += 1) order[row] = row
  const tree = emptyTree(2 * settings.leaves - 1)
  const growth: Growth = { settings, ground, share: { ...share, order }, tree, nodes: 1 }
  const root = takeHistogram(ground)
  measure(root, growth.share, 0, order.length)
  const leaves = [leafAt(growth, { node: 0, depth: 0, begin: 0, end: order.length }, root)]
  while (leaves.length < settings.leaves) {
    const place = mostPromising(leaves)
    const leaf = leaves[place]
    if (!leaf?.split) break
    leaves.splice(place, 1, ...splitLeaf(growth, leaf, leaf.split))
  }
  for (const leaf of leaves) close(growth, leaf, margins)
  return fillMeans(trimmed(tree, growth.nodes))
}
