import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { boost } from '../../ml/boosting.ts'
import type { ChurnRow } from '../../ml/churn.ts'
import { CHURN_BOOST, CHURN_FEATURES, churnTable } from '../../ml/churn.ts'
import { readChurnCsv } from '../../ml/churn_csv.ts'
import type { Labelled } from '../../ml/folds.ts'
import { outOfFold, partAt, scoreAll, stratifiedFolds } from '../../ml/folds.ts'
import { atThreshold, bestF1Threshold, metrics } from '../../ml/metrics.ts'
import { loadModel, SHIPPED_CHURN_MODEL } from '../../ml/model.ts'
import type { Figure } from './aims.ts'

const REPETITIONS = 3
const FOLDS = 5
/** Folds within a training fold, of which the threshold is picked. */
const INNER_FOLDS = 4
const SEED = 20_260_101

const readRows = (path: string): Promise<ChurnRow[]> =>
  readChurnCsv(createReadStream(path).pipe(createGunzip()))

/** One fold: the threshold is picked on the training rows alone, before the others are looked at. */
const measureFold = (table: Labelled, folds: Uint8Array, fold: number, seed: number) => {
  const { training, testing } = partAt(table, folds, fold)
  const inner = stratifiedFolds(training.labels, INNER_FOLDS, seed)
  const threshold = bestF1Threshold(outOfFold(training, inner, CHURN_BOOST), training.labels)
  const scores = scoreAll(boost(training.columns, training.labels, CHURN_BOOST), testing)
  return {
    ...metrics(scores, testing.labels),
    ...atThreshold(scores, testing.labels, threshold),
  }
}

type Measured = ReturnType<typeof measureFold>

/** What the model that ships, which has seen simulated customers only, makes of real ones. */
const shippedOnRealRows = async (rows: readonly ChurnRow[], table: Labelled): Promise<Figure> => {
  const model = await loadModel(SHIPPED_CHURN_MODEL, CHURN_FEATURES)
  const vectors = new Float32Array(rows.length * CHURN_FEATURES.length)
  rows.forEach(({ vector }, row) => {
    vectors.set(vector, row * CHURN_FEATURES.length)
  })
  const { auc } = metrics(await model.score(vectors), table.labels)
  await model.close()
  return { name: 'AUC of churn-1, trained on the simulator only', value: auc }
}

/** The seven features the API knows, 3 x 5-fold, stratified and seeded. */
export const churn = async (path: string): Promise<Figure[]> => {
  const rows = await readRows(path)
  const table = churnTable(rows)
  const found: Measured[] = []
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    const folds = stratifiedFolds(table.labels, FOLDS, SEED + repetition)
    for (let fold = 0; fold < FOLDS; fold += 1) {
      found.push(measureFold(table, folds, fold, SEED + found.length))
    }
  }
  const mean = (of: (measured: Measured) => number) =>
    found.reduce((sum, measured) => sum + of(measured), 0) / found.length
  return [
    { name: 'AUC', value: mean(({ auc }) => auc), aim: { value: 0.845, better: 'more' } },
    {
      name: 'AP',
      value: mean(({ average_precision }) => average_precision),
      aim: { value: 0.67, better: 'more' },
    },
    {
      name: 'F1, threshold picked inside the training fold',
      value: mean(({ f1 }) => f1),
      aim: { value: 0.59, better: 'more' },
    },
    { name: 'precision there', value: mean(({ precision }) => precision) },
    { name: 'recall there', value: mean(({ recall }) => recall) },
    { name: 'accuracy there', value: mean(({ accuracy }) => accuracy) },
    { name: 'accuracy of guessing', value: mean((one) => one.accuracy_of_guessing) },
    { name: 'Brier', value: mean(({ brier }) => brier) },
    { name: 'log loss', value: mean(({ log_loss }) => log_loss) },
    { name: 'base rate', value: mean(({ base_rate }) => base_rate) },
    await shippedOnRealRows(rows, table),
  ]
}
