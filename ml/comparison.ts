import { type BootstrapSettings, compareAveragePrecision, type Interval } from './bootstrap.ts'
import { type Costs, metrics } from './metrics.ts'
import { fork, index } from './random.ts'

/** Movements of which it is known what they were, scored by two models. Amounts in any unit of money. */
export type Contest = {
  readonly labels: Uint8Array
  readonly amounts: Float64Array
  readonly champion: { readonly scores: Float32Array; readonly review_from: number }
  readonly challenger: { readonly scores: Float32Array; readonly review_from: number }
}

/** In the unit of the amounts: a look at one movement, and a legitimate one that was stopped. */
export type ContestCosts = Pick<Costs, 'review' | 'wrong_block'>

export type Outcome = {
  readonly rows: number
  readonly frauds: number
  readonly average_precision: { readonly champion: number; readonly challenger: number }
  /** Money of the frauds that it stops, less what its stops cost. */
  readonly net_value: { readonly champion: number; readonly challenger: number }
  /** Challenger less champion, with the interval when the rows are drawn again. */
  readonly precision_lead: Interval
  readonly value_lead: Interval
  /** Better in both, and not by chance. */
  readonly earned: boolean
}

type Side = Contest['champion']

/** What stopping each row by a model is worth: 0 for what it lets pass. */
const valuesOf = (
  { labels, amounts }: Contest,
  { scores, review_from }: Side,
  { review, wrong_block }: ContestCosts,
): Float64Array =>
  amounts.map((amount, row) => {
    if ((scores[row] as number) < review_from) return 0
    return labels[row] === 1 ? amount - review : -review - wrong_block
  })

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)

/** The interval of a sum over rows that are drawn again with replacement. */
const intervalOfSum = (
  values: Float64Array,
  { seed, resamples, level }: BootstrapSettings,
): Interval => {
  const found = Float64Array.from({ length: resamples }, (_, number) => {
    const next = fork(seed, number)
    let total = 0
    for (let draw = 0; draw < values.length; draw += 1) {
      total += values[index(next, values.length)] as number
    }
    return total
  }).sort()
  const at = (share: number): number =>
    found[Math.min(found.length - 1, Math.floor(share * found.length))] ?? Number.NaN
  const outside = (1 - level) / 2
  return {
    difference: sum(values),
    low: at(outside),
    high: at(1 - outside),
    no_better: found.filter((total) => total <= 0).length / found.length,
  }
}

/**
 * Whether a challenger has earned to answer: a better average precision and a better net value on
 * the same movements, both beyond their bootstrap intervals. There must be frauds among them.
 */
export const compareModels = (
  contest: Contest,
  costs: ContestCosts,
  settings: BootstrapSettings,
): Outcome => {
  const { labels, champion, challenger } = contest
  const [theirs, ours] = [valuesOf(contest, champion, costs), valuesOf(contest, challenger, costs)]
  const lead = ours.map((value, row) => value - (theirs[row] as number))
  const precision_lead = compareAveragePrecision(
    labels,
    challenger.scores,
    champion.scores,
    settings,
  )
  const value_lead = intervalOfSum(lead, settings)
  return {
    rows: labels.length,
    frauds: labels.reduce((count, label) => count + label, 0),
    average_precision: {
      champion: metrics(champion.scores, labels).average_precision,
      challenger: metrics(challenger.scores, labels).average_precision,
    },
    net_value: { champion: sum(theirs), challenger: sum(ours) },
    precision_lead,
    value_lead,
    earned: precision_lead.low > 0 && value_lead.low > 0,
  }
}
