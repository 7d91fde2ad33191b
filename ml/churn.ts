import { CHURN_FEATURES } from '../domain/churn.ts'
import type { BoostReport, BoostSettings, Progress } from './boosting.ts'
import { boostWithReport } from './boosting.ts'
import { outOfFold, stratifiedFolds } from './folds.ts'
import type { AtThreshold, Metrics } from './metrics.ts'
import { atThreshold, bestF1Threshold, metrics } from './metrics.ts'
import { encodeOnnx } from './onnx.ts'
import { digestOf, metadataOf } from './provenance.ts'
import { importances } from './shapley.ts'

export { CHURN_FEATURES } from '../domain/churn.ts'
export type ChurnFeature = (typeof CHURN_FEATURES)[number]

/** What is known of a customer; what is not known may be left out. */
export type ChurnFacts = {
  readonly [feature in ChurnFeature]?: number | boolean | null | undefined
}

export type ChurnRow = { readonly vector: Float32Array; readonly churned: boolean }

export type ChurnSettings = {
  readonly version: string
  readonly boost: BoostSettings
  readonly folds: number
  /** What the rows are, for the file's metadata. */
  readonly trained_on: unknown
}

export type ChurnReport = {
  readonly rows: number
  readonly base_rate: number
  /** On rows that the scoring forest had not seen. */
  readonly cross_validated: Metrics
  readonly threshold: number
  /** Each fold called by the threshold that is best on the other folds. */
  readonly at_threshold: AtThreshold
  /** Shares of the mean absolute Shapley values, which add up to 1. */
  readonly importances: Readonly<Record<ChurnFeature, number>>
  readonly training: BoostReport
}

export type TrainedChurn = { readonly bytes: Uint8Array; readonly report: ChurnReport }

/** Small trees and many of them: seven features, few of which act together. */
export const CHURN_BOOST: BoostSettings = {
  seed: 1,
  trees: 180,
  depth: 4,
  leaves: 8,
  shrinkage: 0.05,
  l2: 5,
  least_rows: 20,
  columns: 0.7,
}

const FOLDING_SHARE = 0.75
const GROWING_SHARE = 0.15

const numberOf = (value: number | boolean | null | undefined): number =>
  value === null || value === undefined ? Number.NaN : Number(value)

/** What the model sees of a customer: NaN where nothing is known. */
export const churnVector = (facts: ChurnFacts): Float32Array =>
  Float32Array.from(CHURN_FEATURES, (feature) => numberOf(facts[feature]))

export const churnTable = (rows: readonly ChurnRow[]) => ({
  columns: CHURN_FEATURES.map((_, place) =>
    Float32Array.from(rows, ({ vector }) => vector[place] as number),
  ),
  labels: Uint8Array.from(rows, ({ churned }) => (churned ? 1 : 0)),
})

/** 1 where a row is called by the threshold that is best on the folds it is not in. */
const calls = (scores: Float32Array, labels: Uint8Array, folds: Uint8Array): Float32Array => {
  const thresholds = Array.from({ length: Math.max(...folds) + 1 }, (_, fold) => {
    const others = (_: number, row: number) => folds[row] !== fold
    return bestF1Threshold(scores.filter(others), labels.filter(others))
  })
  return scores.map((score, row) => (score >= (thresholds[folds[row] as number] as number) ? 1 : 0))
}

const named = (values: Float64Array): Record<ChurnFeature, number> =>
  Object.fromEntries(
    CHURN_FEATURES.map((feature, place) => [feature, values[place] as number]),
  ) as Record<ChurnFeature, number>

/**
 * Trains on all rows; what the report says of it was measured on forests that had not seen the rows
 * they scored. The same rows and settings give the same bytes.
 */
export const trainChurn = (
  rows: readonly ChurnRow[],
  settings: ChurnSettings,
  progress: (progress: Progress) => void = () => undefined,
): TrainedChurn => {
  const { columns, labels } = churnTable(rows)
  const folds = stratifiedFolds(labels, settings.folds, settings.boost.seed)
  const scores = outOfFold({ columns, labels }, folds, settings.boost, (done) =>
    progress({ stage: 'folding', done: done * FOLDING_SHARE }),
  )
  const { forest, report: training } = boostWithReport(columns, labels, settings.boost, (part) =>
    progress({ stage: 'growing', done: FOLDING_SHARE + part.done * GROWING_SHARE }),
  )
  progress({ stage: 'explaining', done: FOLDING_SHARE + GROWING_SHARE })
  const threshold = bestF1Threshold(scores, labels)
  const cross_validated = metrics(scores, labels)
  const report: ChurnReport = {
    rows: rows.length,
    base_rate: cross_validated.base_rate,
    cross_validated,
    threshold,
    at_threshold: { ...atThreshold(calls(scores, labels, folds), labels, 0.5), threshold },
    importances: named(importances(forest, columns, settings.boost.seed)),
    training,
  }
  const metadata = metadataOf({
    version: settings.version,
    features: CHURN_FEATURES,
    settings: settings.boost,
    report: training,
    data_digest: digestOf(columns, labels),
    trained_on: settings.trained_on,
    metrics: { ...cross_validated, at_threshold: report.at_threshold },
    thresholds: { threshold },
    importances: report.importances,
  })
  const bytes = encodeOnnx({ forest, features: CHURN_FEATURES.length, metadata })
  progress({ stage: 'done', done: 1 })
  return { bytes, report }
}
