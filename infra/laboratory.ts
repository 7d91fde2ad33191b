/** What the scores and labels of a book say of its models and thresholds. */
import type { Pool } from 'pg'
import {
  type AskedContest,
  type AskedDrift,
  type AskedThresholds,
  type Contest,
  type Drift,
  type Laboratory,
  LEAST_FRAUDS,
  LEAST_ROWS,
  type ThresholdAdvice,
  tooLittle,
} from '../commands/laboratory.ts'
import { thresholdsOf } from '../domain/judgement.ts'
import { type Refusal, refuse } from '../domain/kernel.ts'
import { Models } from '../domain/models.ts'
import { Policies } from '../domain/policies.ts'
import { RISK_FEATURES } from '../domain/risk.ts'
import type { Interval } from '../ml/bootstrap.ts'
import { cheapestCutoffs, costAt } from '../ml/costs.ts'
import { driftVerdict, stabilityIndex } from '../ml/drift.ts'
import { metrics } from '../ml/metrics.ts'
import { compareInThread } from '../ml/training.ts'
import {
  type Evidence,
  type Matured,
  readContested,
  readMatured,
  type Sample,
  sampleScores,
} from '../projections/evidence.ts'
import type { Glance } from './glance.ts'
import type { Bench } from './models/panel.ts'

export type LaboratoryOptions = {
  readonly database: Pool
  readonly glance: Glance
  readonly fraud: Pick<Bench, 'withPanel'>
  readonly clock: () => Date
}

const DAY_MS = 86_400_000
const SEED = 1
const RESAMPLES = 500

const daysBefore = (at: Date, days: number): Date => new Date(at.getTime() - days * DAY_MS)

const lacking = ({ labels }: Pick<Evidence, 'labels'>): Refusal | undefined => {
  const frauds = labels.reduce((count, label) => count + label, 0)
  const enough = labels.length >= LEAST_ROWS && frauds >= LEAST_FRAUDS
  return enough && frauds < labels.length ? undefined : tooLittle(labels.length, frauds)
}

const championIn = ({ fraud }: LaboratoryOptions) =>
  fraud.withPanel(async ({ champion: { version, threshold, block_threshold } }) => ({
    ...{ version, threshold, block_threshold },
  }))

const maturedOf = (
  { clock }: LaboratoryOptions,
  { book, matured_days, since_days }: Pick<AskedContest, 'book' | 'matured_days' | 'since_days'>,
  model: string,
): Matured => {
  const until = daysBefore(clock(), matured_days)
  return { book, model, from: daysBefore(clock(), since_days), until }
}

const thresholds = async (
  options: LaboratoryOptions,
  asked: AskedThresholds,
): Promise<ThresholdAdvice | Refusal> => {
  const champion = await championIn(options)
  const { model = champion.version } = asked
  const evidence = await readMatured(options.database, maturedOf(options, asked, model))
  const refusal = lacking(evidence)
  if (refusal) return refusal
  const { scores, labels, more } = evidence
  const { missed, review, wrong_block } = asked
  const costs = { missed, review, wrong_block }
  const { state: policy } = await options.glance(Policies, asked.book)
  const present = thresholdsOf(policy, champion)
  const { base_rate, auc, average_precision, brier } = metrics(scores, labels)
  return {
    ...{ model, rows: labels.length, more, base_rate, auc, average_precision, brier },
    best: cheapestCutoffs(scores, labels, costs),
    present: { ...present, cost: costAt(scores, labels, present, costs) },
    approve_all: costAt(scores, labels, { review_from: 2, block_from: 2 }, costs),
  }
}

const columnOf = (samples: readonly Sample[], feature: string): Float32Array =>
  Float32Array.from(samples, ({ features }) => features[feature] ?? Number.NaN)

const drift = async (
  options: LaboratoryOptions,
  { book, model: named, days, reference_days }: AskedDrift,
): Promise<Drift | Refusal> => {
  const { database, clock } = options
  const model = named ?? (await championIn(options)).version
  const [now, since] = [clock(), daysBefore(clock(), days)]
  const reference = { book, model, from: daysBefore(since, reference_days), until: since }
  const before = await sampleScores(database, reference)
  const after = await sampleScores(database, { book, model, from: since, until: now })
  const fewest = Math.min(before.length, after.length)
  if (fewest < LEAST_ROWS) return tooLittle(fewest)
  const drifted = (of: (samples: readonly Sample[]) => Float32Array) => {
    const psi = stabilityIndex(of(before), of(after))
    return { psi, verdict: driftVerdict(psi) }
  }
  const features = RISK_FEATURES.map((feature) => ({
    feature,
    ...drifted((samples) => columnOf(samples, feature)),
  }))
  return {
    ...{ model, reference_rows: before.length, rows: after.length },
    score: drifted((samples) => Float32Array.from(samples, ({ probability }) => probability)),
    features: features.sort((one, other) => other.psi - one.psi),
  }
}

const minorUnits = (value: number): string => BigInt(Math.round(value)).toString()

const leadOf = ({ difference, low, high }: Interval) => ({ difference, low, high })

const contest = async (
  options: LaboratoryOptions,
  asked: AskedContest,
): Promise<Contest | Refusal> => {
  const { family, version, asset, level, review, wrong_block } = asked
  const { state } = await options.glance(Models, family)
  const challenger = state.models.find((model) => model.version === version)
  if (!challenger) return refuse('MODEL_NOT_FOUND', `There is no ${family} model ${version}.`)
  const champion = await championIn(options)
  const matured = maturedOf(options, asked, champion.version)
  const evidence = await readContested(options.database, matured, { challenger: version, asset })
  const refusal = lacking(evidence)
  if (refusal) return refusal
  const { rows, frauds, average_precision, net_value, precision_lead, value_lead, earned } =
    await compareInThread(
      {
        labels: evidence.labels,
        amounts: evidence.amounts,
        champion: { scores: evidence.scores, review_from: champion.threshold },
        challenger: { scores: evidence.challenging, review_from: challenger.metrics.threshold },
      },
      { review: Number(review), wrong_block: Number(wrong_block) },
      { seed: SEED, resamples: RESAMPLES, level },
    )
  return {
    ...{ champion: champion.version, challenger: version, rows, frauds },
    ...{ average_precision, earned },
    precision_lead: leadOf(precision_lead),
    net_value: {
      champion: minorUnits(net_value.champion),
      challenger: minorUnits(net_value.challenger),
    },
    value_lead: {
      difference: minorUnits(value_lead.difference),
      low: minorUnits(value_lead.low),
      high: minorUnits(value_lead.high),
    },
  }
}

export const createLaboratory = (options: LaboratoryOptions): Laboratory => ({
  thresholds: (asked) => thresholds(options, asked),
  drift: (asked) => drift(options, asked),
  contest: (asked) => contest(options, asked),
})
