/**
 * A regression tree as parallel arrays, one place per node, node 0 the root. A value goes to `yes`
 * when it is at most the threshold; a missing value (NaN) goes where `missing_yes` says.
 */
export type Tree = {
  /** The feature asked for; -1 at a leaf. */
  readonly feature: Int32Array
  readonly threshold: Float32Array
  readonly yes: Int32Array
  readonly no: Int32Array
  readonly missing_yes: Uint8Array
  /** How many training rows came by. */
  readonly rows: Float32Array
  /** At a leaf what it adds to the margin; elsewhere the mean of the leaves below, by rows. */
  readonly value: Float32Array
}

/** Log-odds: `base` plus the leaf that each tree sends the row to. */
export type Forest = { readonly base: number; readonly trees: readonly Tree[] }

export const emptyTree = (nodes: number): Tree => ({
  feature: new Int32Array(nodes).fill(-1),
  threshold: new Float32Array(nodes),
  yes: new Int32Array(nodes),
  no: new Int32Array(nodes),
  missing_yes: new Uint8Array(nodes),
  rows: new Float32Array(nodes),
  value: new Float32Array(nodes),
})

/** Gives inner nodes the mean of their leaves. Children always stand after their parent. */
export const fillMeans = (tree: Tree): Tree => {
  const { feature, yes, no, rows, value } = tree
  for (let node = feature.length - 1; node >= 0; node -= 1) {
    if ((feature[node] as number) < 0) continue
    const [left, right] = [yes[node] as number, no[node] as number]
    const [yesRows, noRows] = [rows[left] as number, rows[right] as number]
    const below = yesRows * (value[left] as number) + noRows * (value[right] as number)
    value[node] = below / (yesRows + noRows)
  }
  return tree
}

export const takesYes = (tree: Tree, node: number, value: number): boolean =>
  // Missing first: every comparison with NaN is false.
  Number.isNaN(value) ? tree.missing_yes[node] === 1 : value <= (tree.threshold[node] as number)

/** The node after `node`, which asks for this value. */
const step = (tree: Tree, node: number, value: number): number =>
  (takesYes(tree, node, value) ? tree.yes[node] : tree.no[node]) as number

/** What one tree adds to the log-odds of the row that begins at `offset`. */
export const leafValue = (tree: Tree, rows: Float32Array, offset: number): number => {
  let [node, feature] = [0, tree.feature[0] as number]
  while (feature >= 0) {
    node = step(tree, node, rows[offset + feature] as number)
    feature = tree.feature[node] as number
  }
  return tree.value[node] as number
}

export const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin))

/** The log-odds of one row, added up in float32 as onnxruntime does. */
export const margin = (forest: Forest, rows: Float32Array, offset = 0): number => {
  let sum = 0
  for (const tree of forest.trees) sum = Math.fround(sum + leafValue(tree, rows, offset))
  return Math.fround(sum + forest.base)
}

/** What the forest says of nobody in particular: the mean margin over the rows it grew on. */
export const expectation = (forest: Forest): number =>
  forest.trees.reduce((sum, tree) => sum + (tree.value[0] as number), forest.base)

/**
 * How far each feature moved the log-odds of this row: along each tree's path, the change of the
 * mean is credited to the feature that was asked (Saabas). They add up to the margin less what
 * the forest says of nobody in particular.
 */
export const contributions = (forest: Forest, row: Float32Array): Float64Array => {
  const moved = new Float64Array(row.length)
  for (const tree of forest.trees) {
    let [node, feature] = [0, tree.feature[0] as number]
    while (feature >= 0) {
      const next = step(tree, node, row[feature] as number)
      const change = (tree.value[next] as number) - (tree.value[node] as number)
      moved[feature] = (moved[feature] as number) + change
      node = next
      feature = tree.feature[node] as number
    }
  }
  return moved
}

/** Why these trees cannot be walked; undefined when they can. */
export const faultOf = (forest: Forest, features: number): string | undefined => {
  for (const [number, { feature, threshold, yes, no, rows, value }] of forest.trees.entries()) {
    for (const [node, asked] of feature.entries()) {
      const place = `node ${node} of tree ${number}`
      if (asked < 0 && Number.isFinite(value[node])) continue
      if (asked < 0) return `${place} has no finite value`
      const [left, right] = [yes[node] as number, no[node] as number]
      if (asked >= features) return `${place} asks for feature ${asked} of ${features}`
      if (Number.isNaN(threshold[node])) return `${place} has no threshold`
      // Children after their parent: so no walk can run in a circle.
      if (!(left > node && right > node && left < feature.length && right < feature.length)) {
        return `${place} leads nowhere`
      }
      const below = (rows[left] as number) + (rows[right] as number)
      if (!(below > 0 && below === rows[node])) return `${place} has no true count of its rows`
    }
  }
  return undefined
}
