/** Trains the models that ship with Daybook: `node ml/train.ts [churn|fraud]`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BoostSettings } from './boosting.ts'
import { BOOST_DEFAULTS, boostWithReport } from './boosting.ts'
import { trainChurn } from './churn.ts'
import { SHIPPED_CHURN, simulateChurn } from './churn_simulator.ts'
import { datasetOf, slice } from './dataset.ts'
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
import type { SimulationSettings } from './simulator.ts'
import { simulate } from './simulator.ts'

export type TrainingSettings = {
  readonly version: string
  readonly traffic: SimulationSettings
  /** Its `valid_share` is the slice that also sets the thresholds. */
  readonly boost: BoostSettings & { readonly valid_share: number }
}

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

/** What the shipped model was trained on. */
export const SHIPPED: TrainingSettings = {
  version: 'fraud-2',
  traffic: {
    seed: 20260101,
    customers: 300,
    from: new Date('2026-01-01'),
    days: 90,
    fraud: { attacks: 40, mules: 12 },
  },
  boost: { ...BOOST_DEFAULTS, valid_share: 0.25 },
}

/** Of all scores that block, this share is fraud on the calibration slice. */
const BLOCK_PRECISION = 0.98
/** In units of one analyst's look at one movement. */
const COSTS: Costs = { missed: 40, review: 1, wrong_block: 0 }
/** The latest share of the rows, on which nothing is chosen. */
const TEST_SHARE = 0.2

const rounded = (value: number): number => Math.floor(value * 10_000) / 10_000

/**
 * Simulates and trains on the first 80 % of the time: the last quarter of that stops the growth,
 * calibrates and sets the thresholds. Tests on the rest. The same settings give the same bytes: no
 * clock and no chance but the seeds.
 */
export const train = (settings: TrainingSettings): { bytes: Uint8Array; report: Report } => {
  const all = datasetOf(simulate(settings.traffic))
  const rows = all.labels.length
  const until = Math.floor(rows * (1 - TEST_SHARE))
  const known = slice(all, 0, until)
  const from = until - Math.floor(until * settings.boost.valid_share)
  const [training, calibration] = [slice(known, 0, from), slice(known, from, until)]
  const test = slice(all, until, rows)
  const { forest, report: grown } = boostWithReport(known.columns, known.labels, settings.boost)

  const calibrated = scoreAll(forest, calibration)
  const tested = scoreAll(forest, test)
  const threshold = rounded(bestF1Threshold(calibrated, calibration.labels))
  const sure = rounded(precisionThreshold(calibrated, calibration.labels, BLOCK_PRECISION))
  const block_threshold = Math.max(threshold, sure)
  const cheapest = cheapestThreshold(calibrated, calibration.labels, COSTS)
  const cheapest_threshold = rounded(cheapest.threshold)
  const at = (limit: number) => atThreshold(tested, test.labels, limit)
  const report: Report = {
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
  const metadata = metadataOf({
    version: settings.version,
    features: FEATURE_NAMES,
    settings: settings.boost,
    report: grown,
    data_digest: digestOf(known.columns, known.labels),
    trained_on: settings.traffic,
    metrics: { ...report.tested_on, at_threshold: report.at_threshold },
    thresholds: { threshold, block_threshold },
  })
  return { bytes: encodeOnnx({ forest, features: FEATURE_NAMES.length, metadata }), report }
}

const line = (name: string, found: Metrics): string =>
  `${name.padEnd(12)} ${String(found.rows).padStart(6)} rows  base rate ${found.base_rate.toFixed(4)}` +
  `  AUC ${found.auc.toFixed(4)}  AP ${found.average_precision.toFixed(4)}` +
  `  Brier ${found.brier.toFixed(5)}  log loss ${found.log_loss.toFixed(5)}`

const share = (found: AtThreshold): string =>
  `from ${found.threshold.toFixed(4)}: precision ${found.precision.toFixed(3)},` +
  ` recall ${found.recall.toFixed(3)}, F1 ${found.f1.toFixed(3)},` +
  ` accuracy ${found.accuracy.toFixed(4)} (guessing ${found.accuracy_of_guessing.toFixed(4)}),` +
  ` ${(found.flagged * 100).toFixed(2)} % flagged`

const trainFraud = (): Uint8Array => {
  const { bytes, report } = train(SHIPPED)
  console.log(line('training', report.trained_on))
  console.log(line('calibration', report.calibrated_on))
  console.log(line('test', report.tested_on))
  console.log(`review   ${share(report.at_threshold)}`)
  console.log(`block    ${share(report.at_block_threshold)}`)
  console.log(`cheapest ${share(report.at_cheapest_threshold)}`)
  return bytes
}

const trainShippedChurn = (): Uint8Array => {
  const { bytes, report } = trainChurn(simulateChurn(SHIPPED_CHURN.traffic), SHIPPED_CHURN)
  console.log(line('out of fold', report.cross_validated))
  console.log(`alert ${share(report.at_threshold)}`)
  for (const [feature, weight] of Object.entries(report.importances)) {
    console.log(`  ${feature.padEnd(12)} ${weight.toFixed(3)}`)
  }
  return bytes
}

const MODELS = {
  fraud: { version: SHIPPED.version, make: trainFraud },
  churn: { version: SHIPPED_CHURN.version, make: trainShippedChurn },
} as const

const write = (version: string, make: () => Uint8Array): void => {
  const path = fileURLToPath(new URL(`./models/${version}.onnx`, import.meta.url))
  const begun = performance.now()
  console.log(version)
  const bytes = make()
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  console.log(`wrote ${path}, ${bytes.length} bytes, in ${seconds} s`)
}

if (import.meta.main) {
  const [wanted] = process.argv.slice(2)
  const chosen = Object.entries(MODELS).filter(([name]) => name === (wanted ?? name))
  if (chosen.length === 0) {
    console.error(`There is no model ${wanted}: ${Object.keys(MODELS).join(' or ')}.`)
    process.exitCode = 1
  }
  for (const [, { version, make }] of chosen) write(version, make)
}
