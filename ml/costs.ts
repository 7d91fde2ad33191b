import { ranked } from './metrics.ts'

/** What comes of movements, in any one unit. */
export type OutcomeCosts = {
  /** A fraud that was approved. */
  readonly missed: number
  /** Somebody's look at a movement that was held for review, fraud or not. */
  readonly review: number
  /** A legitimate movement that was blocked. */
  readonly wrong_block: number
}

export type Cutoffs = { readonly review_from: number; readonly block_from: number }

type Prefix = { readonly score: number; readonly rows: number; readonly hits: number }

/**
 * Rows and frauds among the highest scores, down to each distinct score. None of them comes first,
 * unless one is 1: no cut-off lies above that.
 */
const prefixes = (scores: Float32Array, labels: Uint8Array): Prefix[] => {
  const order = ranked(scores)
  const isNoneCertain = scores[order[0] as number] !== 1
  const found: Prefix[] = isNoneCertain ? [{ score: 1, rows: 0, hits: 0 }] : []
  let [rows, hits] = [0, 0]
  order.forEach((row, place) => {
    rows += 1
    hits += labels[row] as number
    const score = scores[row] as number
    const next = order[place + 1]
    if (next === undefined || scores[next] !== score) found.push({ score, rows, hits })
  })
  return found
}

/** What these rows would have cost, judged by these cut-offs. */
export const costAt = (
  scores: Float32Array,
  labels: Uint8Array,
  { review_from, block_from }: Cutoffs,
  { missed, review, wrong_block }: OutcomeCosts,
): number => {
  let cost = 0
  scores.forEach((score, row) => {
    const fraud = labels[row] === 1
    if (score < review_from) cost += fraud ? missed : 0
    else if (score < block_from) cost += review
    else cost += fraud ? 0 : wrong_block
  })
  return cost
}

/**
 * The two cut-offs that would have cost least on these rows; 1 for never. Exact: whatever is blocked
 * is a run of the highest scores, whatever is reviewed the run after it, and the cost is a sum of
 * what each run's end adds.
 */
export const cheapestCutoffs = (
  scores: Float32Array,
  labels: Uint8Array,
  { missed, review, wrong_block }: OutcomeCosts,
): Cutoffs & { readonly cost: number } => {
  const runs = prefixes(scores, labels)
  const frauds = runs.at(-1)?.hits ?? 0
  let best = { review_from: 1, block_from: 1, cost: Number.POSITIVE_INFINITY }
  let [block_from, blocking] = [1, Number.POSITIVE_INFINITY]
  for (const { score, rows, hits } of runs) {
    const blockedToHere = wrong_block * (rows - hits) - review * rows
    if (blockedToHere < blocking) [block_from, blocking] = [score, blockedToHere]
    const cost = blocking + review * rows + missed * (frauds - hits)
    if (cost < best.cost) best = { review_from: score, block_from, cost }
  }
  return best
}
