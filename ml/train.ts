/** Trains the models that ship with Daybook: `node ml/train.ts [churn|fraud]`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BOOST_DEFAULTS } from './boosting.ts'
import { trainChurn } from './churn.ts'
import { SHIPPED_CHURN, simulateChurn } from './churn_simulator.ts'
import { datasetOf } from './dataset.ts'
import { type FraudBoost, type TrainedFraud, trainFraud } from './fraud.ts'
import type { AtThreshold, Metrics } from './metrics.ts'
import type { SimulationSettings } from './simulator.ts'
import { simulate } from './simulator.ts'

export type TrainingSettings = {
  readonly version: string
  readonly traffic: SimulationSettings
  readonly boost: FraudBoost
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

/** Simulates, trains and tests. The same settings give the same bytes. */
export const train = ({ version, traffic, boost }: TrainingSettings): TrainedFraud =>
  trainFraud(datasetOf(simulate(traffic)), { version, boost, trained_on: traffic })

const line = (name: string, found: Metrics): string =>
  `${name.padEnd(12)} ${String(found.rows).padStart(6)} rows  base rate ${found.base_rate.toFixed(4)}` +
  `  AUC ${found.auc.toFixed(4)}  AP ${found.average_precision.toFixed(4)}` +
  `  Brier ${found.brier.toFixed(5)}  log loss ${found.log_loss.toFixed(5)}`

const share = (found: AtThreshold): string =>
  `from ${found.threshold.toFixed(4)}: precision ${found.precision.toFixed(3)},` +
  ` recall ${found.recall.toFixed(3)}, F1 ${found.f1.toFixed(3)},` +
  ` accuracy ${found.accuracy.toFixed(4)} (guessing ${found.accuracy_of_guessing.toFixed(4)}),` +
  ` ${(found.flagged * 100).toFixed(2)} % flagged`

const trainShippedFraud = (): Uint8Array => {
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
  fraud: { version: SHIPPED.version, make: trainShippedFraud },
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
