/** How a value is spread: the share of it that is missing, and that lies up to each edge. */
type Spread = readonly number[]

const BINS = 10
/** An empty bin counts as this share, or its logarithm would be infinite. */
const LEAST_SHARE = 1e-4

/** Deciles of what is not missing, each once. */
const edgesOf = (values: Float32Array): number[] => {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort()
  const edges = new Set<number>()
  for (let bin = 1; bin < BINS; bin += 1) {
    const edge = sorted[Math.floor((bin * sorted.length) / BINS)]
    if (edge !== undefined) edges.add(edge)
  }
  return [...edges]
}

const spreadOf = (values: Float32Array, edges: readonly number[]): Spread => {
  const counts = new Array<number>(edges.length + 2).fill(0)
  for (const value of values) {
    const above = edges.findIndex((edge) => value < edge)
    const bin = Number.isNaN(value) ? 0 : 1 + (above < 0 ? edges.length : above)
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
