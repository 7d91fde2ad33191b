import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import { lookAtModels, promoteModel } from '../../commands/models.ts'
import type { Ports } from '../../commands/ports.ts'
import { CHURN_FEATURES, type ChurnProfile } from '../../domain/churn.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { championOf } from '../../domain/models.ts'
import { CHURN_BOOST, type ChurnRow } from '../../ml/churn.ts'
import { ChurnCsvError, readChurnCsv } from '../../ml/churn_csv.ts'
import { metrics } from '../../ml/metrics.ts'
import { loadModel } from '../../ml/model.ts'
import { trainChurnInThread } from '../../ml/training.ts'
import { listLabelled } from '../../projections/churn/index.ts'
import type { Database } from '../../projections/table.ts'
import type { Artefacts } from '../models/artefacts.ts'
import { keepModel } from '../models/keep.ts'
import { SYSTEM } from '../system.ts'
import { type Doer, type Progress, TaskImpossible } from '../tasks/worker.ts'
import { vectorOf } from './model.ts'
import { uploadsIn } from './uploads.ts'

export type TrainingOptions = {
  readonly ports: Ports
  readonly database: Database
  readonly artefacts: Artefacts
  /** The data directory; uploads lie in it. */
  readonly directory: string
}

/** With less, what a model has learnt is chance. */
const LEAST_ROWS = 200
const LEAST_OF_EACH = 20
const FOLDS = 5

const knownRows = async ({ ports, database }: TrainingOptions): Promise<ChurnRow[]> => {
  const asker = { id: SYSTEM.id, reach: 'all', at: ports.clock() } as const
  const rows = await listLabelled.run(database, {}, asker, ports.vault)
  return rows.map(({ profile, churned }) => ({
    vector: vectorOf(profile as ChurnProfile),
    churned,
  }))
}

const uploadedRows = async ({ directory }: TrainingOptions, file: string): Promise<ChurnRow[]> => {
  const path = join(uploadsIn(directory), file)
  try {
    return await readChurnCsv(createReadStream(path))
  } catch (error) {
    if (error instanceof ChurnCsvError) throw new TaskImpossible(error.message)
    throw error
  } finally {
    // It may hold more of people than a model needs.
    await rm(path, { force: true })
  }
}

const refuseTooFew = (rows: readonly ChurnRow[]): void => {
  const left = rows.filter(({ churned }) => churned).length
  if (rows.length >= LEAST_ROWS && Math.min(left, rows.length - left) >= LEAST_OF_EACH) return
  throw new TaskImpossible(
    `There are ${rows.length} customers of whom it is known whether they left, ${left} of whom did: ` +
      `at least ${LEAST_ROWS} are needed, ${LEAST_OF_EACH} of each.`,
  )
}

/** How well the model that answers now does on the same rows; undefined when there is none. */
const championOn = async (
  { ports, artefacts }: TrainingOptions,
  rows: readonly ChurnRow[],
): Promise<{ readonly version: string; readonly average_precision: number } | undefined> => {
  // The shipped one is adopted when nobody has asked for it yet.
  await ports.churnModel.version()
  const champion = championOf(await lookAtModels(ports, 'churn'))
  if (!champion) return undefined
  const model = await loadModel(await artefacts.load(champion.sha256), CHURN_FEATURES)
  try {
    const vectors = new Float32Array(rows.length * CHURN_FEATURES.length)
    for (const [row, { vector }] of rows.entries()) vectors.set(vector, row * CHURN_FEATURES.length)
    const labels = Uint8Array.from(rows, ({ churned }) => (churned ? 1 : 0))
    const { average_precision } = metrics(await model.score(vectors), labels)
    return { version: champion.version, average_precision }
  } finally {
    await model.close()
  }
}

const places = (value: number): string => value.toFixed(3)

/**
 * Trains a churn model on an uploaded file, or on the customers of whom the outcome is known. It
 * answers from now on when its average precision, on rows it had not seen, is above that of the
 * present one on the same rows.
 */
export const trainChurnModel =
  (options: TrainingOptions): Doer =>
  async ({ input }, tell, signal) => {
    const { ports } = options
    const file = typeof input.file === 'string' ? input.file : undefined
    const rows = file === undefined ? await knownRows(options) : await uploadedRows(options, file)
    refuseTooFew(rows)
    const { models } = await lookAtModels(ports, 'churn')
    const version = `churn-${Math.max(2, models.length + 1)}`
    const trained_on = `${rows.length} ${file === undefined ? 'customers' : 'rows of an upload'}`
    const settings = { version, boost: CHURN_BOOST, folds: FOLDS, trained_on }
    const onProgress = ({ stage, done }: Progress): void =>
      tell({ stage: `Training: ${stage}.`, done })
    const { bytes, report } = await trainChurnInThread({ rows, settings, onProgress, signal })
    const before = await championOn(options, rows)
    const { recorded } = await keepModel(options, 'churn', bytes)
    if (isRefusal(recorded)) throw new TaskImpossible(recorded.detail)
    const ours = report.cross_validated.average_precision
    const theirs = before?.average_precision ?? 0
    const said = `${version}: average precision ${places(ours)} on ${trained_on} it had not seen`
    if (ours <= theirs) {
      return `${said}; ${before?.version} has ${places(theirs)} there and goes on answering.`
    }
    const reason = `Average precision ${places(ours)} against ${places(theirs)}`
    const promotion = { family: 'churn' as const, version, reason }
    const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
    const promoted = await execute(ports, promoteModel, promotion, context)
    if (isRefusal(promoted)) throw new TaskImpossible(promoted.detail)
    return `${said}, against ${places(theirs)} of ${before?.version}; it answers from now on.`
  }
