import { ranked } from './metrics.ts'
import { fork, index } from './random.ts'

export type Interval = {
  readonly difference: number
  readonly low: number
  readonly high: number
  /** Share of the resamples in which the first model was no better. */
  readonly no_better: number
}

export type BootstrapSettings = {
  readonly seed: number
  readonly resamples: number
  /** How much of the resamples lies inside the interval: 0.95. */
  readonly level: number
}

/** A model's scores, ranked once for all resamples. */
type Ranking = { readonly order: Int32Array; readonly scores: Float32Array }

/** Average precision when each row counts as often as `times` says; ties count together. */
const averagePrecision = ({ order, scores }: Ranking, labels: Uint8Array, times: Uint32Array) => {
  let [rows, hits, sum] = [0, 0, 0]
  for (let place = 0; place < order.length; ) {
    const score = scores[order[place] as number] as number
    const before = hits
    for (; place < order.length && scores[order[place] as number] === score; place += 1) {
      const row = order[place] as number
      const weight = times[row] as number
      rows += weight
      if (labels[row] === 1) hits += weight
    }
    if (hits > before) sum += (hits / rows) * (hits - before)
  }
  return sum / hits
}

/**
 * How much better the first scores rank these rows than the second, in average precision, and the
 * interval in which that lies when the rows are drawn again with replacement. Resamples without a
 * positive row say nothing and are left out.
 */
export const compareAveragePrecision = (
  labels: Uint8Array,
  first: Float32Array,
  second: Float32Array,
  { seed, resamples, level }: BootstrapSettings,
): Interval => {
  if (!labels.includes(1)) throw new Error('a comparison needs positive rows')
  const rankings = [first, second].map((scores) => ({ order: ranked(scores), scores }))
  const [one, other] = rankings as [Ranking, Ranking]
  const times = new Uint32Array(labels.length).fill(1)
  const lead = () => averagePrecision(one, labels, times) - averagePrecision(other, labels, times)
  const difference = lead()
  const found: number[] = []
  for (let number = 0; number < resamples; number += 1) {
    const next = fork(seed, number)
    times.fill(0)
    for (let draw = 0; draw < times.length; draw += 1) {
      const row = index(next, times.length)
      times[row] = (times[row] as number) + 1
    }
    const drawn = lead()
    if (!Number.isNaN(drawn)) found.push(drawn)
  }
  const sorted = Float64Array.from(found).sort()
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  const outside = (1 - level) / 2
  return {
    difference,
    low: at(outside),
    high: at(1 - outside),
    no_better: found.filter((drawn) => drawn <= 0).length / found.length,
  }
}
