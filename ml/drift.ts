/** How a value is spread: the share of it that is missing, and that lies in each bin. */
type Spread = readonly number[]

const BINS = 10
/** An empty bin counts as this share, or its logarithm would be infinite. */
const LEAST_SHARE = 1e-4

/** Where a next bin begins: from a value up, and beyond a value that has a bin of its own. */
type Edges = { readonly from: ReadonlySet<number>; readonly beyond: ReadonlySet<number> }

/**
 * Deciles of what is not missing, each once. A value that is several of them, as of a flag that is
 * seldom set, has a bin of its own, or nothing above it could be told from it.
 */
const edgesOf = (values: Float32Array): Edges => {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort()
  const edges = { from: new Set<number>(), beyond: new Set<number>() }
  for (let bin = 1; bin < BINS; bin += 1) {
    const edge = sorted[Math.floor((bin * sorted.length) / BINS)]
    if (edge !== undefined) (edges.from.has(edge) ? edges.beyond : edges.from).add(edge)
  }
  return edges
}

const spreadOf = (values: Float32Array, { from, beyond }: Edges): Spread => {
  const counts = new Array<number>(from.size + beyond.size + 2).fill(0)
  for (const value of values) {
    let bin = Number.isNaN(value) ? 0 : 1
    for (const edge of from) if (value >= edge) bin += 1
    for (const edge of beyond) if (value > edge) bin += 1
    counts[bin] = (counts[bin] as number) + 1
  }
  return counts.map((count) => Math.max(LEAST_SHARE, count / values.length))
}

/**
 * Population stability index of what is seen now against what was seen before: 0 where both are
 * spread alike over the deciles of before. Missing values (NaN) are a bin of their own.
 */
export const stabilityIndex = (before: Float32Array, now: Float32Array): number => {
  const edges = edgesOf(before)
  const [expected, actual] = [spreadOf(before, edges), spreadOf(now, edges)]
  return expected.reduce((sum, share, bin) => {
    const found = actual[bin] as number
    return sum + (found - share) * Math.log(found / share)
  }, 0)
}

/** The usual reading: below 0.1 nothing, below 0.25 worth a look, above it another population. */
export const driftVerdict = (index: number): 'stable' | 'moderate' | 'drifted' => {
  if (index < 0.1) return 'stable'
  return index < 0.25 ? 'moderate' : 'drifted'
}
