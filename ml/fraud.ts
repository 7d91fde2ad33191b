import { type Boosted, type BoostSettings, boostWithReport, type Progress } from './boosting.ts'
import type { Dataset } from './dataset.ts'
import { slice } from './dataset.ts'
import { FEATURE_NAMES } from './features.ts'
import { scoreAll } from './folds.ts'
import type { AtThreshold, Costs, Metrics } from './metrics.ts'
import {
  atThreshold,
  bestF1Threshold,
  cheapestThreshold,
  metrics,
  precisionThreshold,
} from './metrics.ts'
import { encodeOnnx } from './onnx.ts'
import { digestOf, metadataOf } from './provenance.ts'
import type { Forest } from './trees.ts'

export type Report = {
  readonly trained_on: Metrics
  readonly calibrated_on: Metrics
  readonly tested_on: Metrics
  /** Best F1; where reviewing begins. */
  readonly threshold: number
  readonly block_threshold: number
  /** Where reviewing would begin if only `COSTS` counted. */
  readonly cheapest_threshold: number
  readonly at_threshold: AtThreshold
  readonly at_block_threshold: AtThreshold
  readonly at_cheapest_threshold: AtThreshold
}

/** Its `valid_share` is the slice that also sets the thresholds. */
export type FraudBoost = BoostSettings & { readonly valid_share: number }

/** Of all scores that block, this share is fraud on the calibration slice. */
const BLOCK_PRECISION = 0.98
/** In units of one analyst's look at one movement. */
const COSTS: Costs = { missed: 40, review: 1, wrong_block: 0 }
/** The latest share of the rows, on which nothing is chosen. */
const TEST_SHARE = 0.2

const rounded = (value: number): number => Math.floor(value * 10_000) / 10_000

/** Rows in the order in which they were made, by what they are for. */
export type Slices = {
  /** What the trainer is given: `training` and `calibration` together. */
  readonly known: Dataset
  readonly training: Dataset
  readonly calibration: Dataset
  readonly test: Dataset
}

/**
 * The first 80 % of the time to train on: the last part of that stops the growth, calibrates and
 * sets the thresholds. The rest to test on.
 */
export const slicesOf = (all: Dataset, { valid_share }: FraudBoost): Slices => {
  const rows = all.labels.length
  const until = Math.floor(rows * (1 - TEST_SHARE))
  const known = slice(all, 0, until)
  const from = until - Math.floor(until * valid_share)
  return {
    known,
    training: slice(known, 0, from),
    calibration: slice(known, from, until),
    test: slice(all, until, rows),
  }
}

/** How good the trees are on each slice, and the thresholds that follow. */
const reportOn = (forest: Forest, slices: Omit<Slices, 'known'>): Report => {
  const { training, calibration, test } = slices
  const calibrated = scoreAll(forest, calibration)
  const tested = scoreAll(forest, test)
  const threshold = rounded(bestF1Threshold(calibrated, calibration.labels))
  const sure = rounded(precisionThreshold(calibrated, calibration.labels, BLOCK_PRECISION))
  const block_threshold = Math.max(threshold, sure)
  const cheapest = cheapestThreshold(calibrated, calibration.labels, COSTS)
  const cheapest_threshold = rounded(cheapest.threshold)
  const at = (limit: number) => atThreshold(tested, test.labels, limit)
  return {
    trained_on: metrics(scoreAll(forest, training), training.labels),
    calibrated_on: metrics(calibrated, calibration.labels),
    tested_on: metrics(tested, test.labels),
    threshold,
    block_threshold,
    cheapest_threshold,
    at_threshold: at(threshold),
    at_block_threshold: at(block_threshold),
    at_cheapest_threshold: at(cheapest_threshold),
  }
}

export type FraudSettings = {
  readonly version: string
  readonly boost: FraudBoost
  /** What the rows are, in a form that JSON can hold. */
  readonly trained_on: unknown
}

/** The model as an ONNX file, with its provenance. */
const encode = (
  { version, boost, trained_on }: FraudSettings,
  { columns, labels }: Dataset,
  { forest, report: grown }: Boosted,
  { tested_on, at_threshold, threshold, block_threshold }: Report,
): Uint8Array => {
  const metadata = metadataOf({
    version,
    features: FEATURE_NAMES,
    settings: boost,
    report: grown,
    data_digest: digestOf(columns, labels),
    trained_on,
    metrics: { ...tested_on, at_threshold },
    thresholds: { threshold, block_threshold },
  })
  return encodeOnnx({ forest, features: FEATURE_NAMES.length, metadata })
}

export type TrainedFraud = { readonly bytes: Uint8Array; readonly report: Report }

/**
 * Trains on rows in the order in which they were made, and tests on the latest of them. The same
 * rows and settings give the same bytes: no clock and no chance but the seeds.
 */
export const trainFraud = (
  rows: Dataset,
  settings: FraudSettings,
  onProgress?: (progress: Progress) => void,
): TrainedFraud => {
  const slices = slicesOf(rows, settings.boost)
  const { known } = slices
  const boosted = boostWithReport(known.columns, known.labels, settings.boost, onProgress)
  const report = reportOn(boosted.forest, slices)
  return { bytes: encode(settings, known, boosted, report), report }
}
