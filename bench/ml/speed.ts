import { BOOST_DEFAULTS } from '../../ml/boosting.ts'
import type { Labelled } from '../../ml/folds.ts'
import { loadModel } from '../../ml/model.ts'
import { encodeOnnx } from '../../ml/onnx.ts'
import { fork } from '../../ml/random.ts'
import { trainInThread } from '../../ml/training.ts'
import type { Forest } from '../../ml/trees.ts'
import { sigmoid } from '../../ml/trees.ts'
import { percentile } from '../statistics.ts'
import type { Figure } from './aims.ts'

const ROWS = 60_000
const FEATURES = 24
const NAMES = Array.from({ length: FEATURES }, (_, place) => `feature_${place}`)
const SEED = 24
const SINGLE_SCORES = 3_000
const BATCHES = 400
const BATCH_ROWS = 256
const WARM_UP = 300

/** Rows with a little of everything: amounts, flags, counts, missing values; one in eleven positive. */
const madeUp = (): Labelled => {
  const next = fork(SEED, 0)
  const columns = NAMES.map((_, place) =>
    Float32Array.from({ length: ROWS }, () => {
      if (place % 7 === 3 && next() < 0.2) return Number.NaN
      if (place % 5 === 4) return next() < 0.5 ? 1 : 0
      return place % 5 === 2 ? Math.floor(next() * 30) : Math.exp(6 * next())
    }),
  )
  const at = (place: number, row: number) => columns[place]?.[row] as number
  const labels = Uint8Array.from({ length: ROWS }, (_, row) => {
    const flag = at(4, row) * (at(1, row) > 60 ? 1.4 : -0.3)
    const odds = -3.2 + 0.004 * at(0, row) + flag + (Number.isNaN(at(3, row)) ? 1 : 0)
    return next() < sigmoid(odds) ? 1 : 0
  })
  return { columns, labels }
}

/** In a thread, as in production; nothing is held back, so that all trees are grown on all rows. */
const trainingTime = async (table: Labelled) => {
  const settings = { ...BOOST_DEFAULTS, valid_share: 0 }
  const [began, effort] = [performance.now(), process.cpuUsage()]
  const { forest } = await trainInThread({ ...table, settings })
  const { user, system } = process.cpuUsage(effort)
  const seconds = (performance.now() - began) / 1_000
  return { forest, seconds, worked: (user + system) / 1e6 }
}

const times = async (count: number, once: () => Promise<unknown>): Promise<number[]> => {
  for (let number = 0; number < WARM_UP; number += 1) await once()
  const found: number[] = []
  for (let number = 0; number < count; number += 1) {
    const began = performance.now()
    await once()
    found.push(performance.now() - began)
  }
  return found
}

const p99 = (name: string, found: number[], aim?: number): Figure => ({
  name,
  value: percentile(found, 0.99),
  unit: 'ms',
  ...(aim !== undefined && { aim: { value: aim, better: 'less' } as const }),
  note: `p50 ${percentile(found, 0.5).toFixed(3)} ms`,
})

const scoringTimes = async (forest: Forest): Promise<Figure[]> => {
  const metadata = { version: 'speed', features: JSON.stringify(NAMES), threshold: '0.5' }
  const bytes = encodeOnnx({ forest, features: FEATURES, metadata })
  const model = await loadModel(bytes, NAMES)
  const next = fork(SEED, 1)
  const vectors = (rows: number) =>
    Float32Array.from({ length: rows * FEATURES }, () =>
      next() < 0.05 ? Number.NaN : Math.exp(6 * next()),
    )
  const vector = vectors(1)
  const batch = vectors(BATCH_ROWS)
  const single = await times(SINGLE_SCORES, async () => {
    await model.score(vector)
    model.explain(vector)
  })
  const many = await times(BATCHES, () => model.score(batch))
  const exact = await times(WARM_UP, async () => model.explainExactly(vector))
  await model.close()
  return [
    p99('one score with reasons, p99', single, 5),
    p99(`${BATCH_ROWS} rows, p99`, many, 10),
    p99('exact Shapley reasons of one row, p99', exact),
  ]
}

export const speed = async (): Promise<Figure[]> => {
  const { seconds, forest, worked } = await trainingTime(madeUp())
  return [
    {
      name: `training ${ROWS.toLocaleString('en-US')} rows x ${FEATURES} features in a thread`,
      value: seconds,
      unit: 's',
      aim: { value: 10, better: 'less' },
      note: `${BOOST_DEFAULTS.trees} trees of ${BOOST_DEFAULTS.leaves} leaves, ${worked.toFixed(1)} s of CPU`,
    },
    ...(await scoringTimes(forest)),
  ]
}
