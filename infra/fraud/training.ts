import { z } from 'zod'
import type { Ports } from '../../commands/ports.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { Models, type ModelsState } from '../../domain/models.ts'
import { BOOST_DEFAULTS } from '../../ml/boosting.ts'
import { type Dataset, keepNewest } from '../../ml/dataset.ts'
import { type FraudBoost, slicesOf } from '../../ml/fraud.ts'
import { readVerdicts, replayBook } from '../../ml/replay.ts'
import { trainFraudInThread } from '../../ml/training.ts'
import type { Glance } from '../glance.ts'
import type { Artefacts } from '../models/artefacts.ts'
import { keepModel } from '../models/keep.ts'
import { type Doer, TaskImpossible } from '../tasks/worker.ts'

export type FraudTrainingOptions = {
  readonly ports: Ports
  readonly glance: Glance
  readonly artefacts: Artefacts
}

const Asked = z.object({ book: z.string(), matured_days: z.coerce.number() })
type Asked = z.infer<typeof Asked>

const DAY_MS = 86_400_000
const LEAST_ROWS = 1_000
const LEAST_FRAUDS = 50
/** The newest that are looked at: 28 columns of these take 56 MB. */
const MOST_ROWS = 500_000
const BOOST: FraudBoost = { ...BOOST_DEFAULTS, valid_share: 0.25 }

/**
 * Matured movements in the order of the book, and whether each was fraud by what is known now: those
 * that nobody labelled in all that time count as legitimate.
 */
const readRows = async (
  { ports }: FraudTrainingOptions,
  { book, matured_days }: Asked,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<Dataset> => {
  const { store, clock } = ports
  const until = new Date(clock().getTime() - matured_days * DAY_MS).toISOString()
  const verdicts = await readVerdicts(store, book, signal)
  const { take, finish } = keepNewest(MOST_ROWS)
  for await (const { movement, vector } of replayBook({ store, book, signal, onProgress })) {
    if (movement.booked_at < until) take(vector, verdicts.get(movement.entry) ? 1 : 0)
  }
  return finish()
}

const countOf = (labels: Uint8Array): number => labels.reduce((sum, label) => sum + label, 0)

const refuseTooFew = (rows: Dataset): void => {
  const { labels } = rows
  const frauds = countOf(labels)
  if (labels.length < LEAST_ROWS || frauds < LEAST_FRAUDS) {
    throw new TaskImpossible(
      `There are ${labels.length} movements that are old enough, ${frauds} of them fraud: at ` +
        `least ${LEAST_ROWS} are needed, with ${LEAST_FRAUDS} frauds.`,
    )
  }
  const { training, calibration, test } = slicesOf(rows, BOOST)
  if ([training, calibration, test].some((part) => countOf(part.labels) === 0)) {
    throw new TaskImpossible(
      'Of its frauds none are in one of the parts to train, set and test by.',
    )
  }
}

const SHIPPED = 2

const nextVersion = ({ models }: Pick<ModelsState, 'models'>): string => {
  const numbers = models.map(({ version }) => Number(/^fraud-(\d{1,9})$/.exec(version)?.[1] ?? 0))
  return `fraud-${Math.max(SHIPPED, ...numbers) + 1}`
}

const places = (value: number): string => value.toFixed(3)

/**
 * Trains a fraud model on a book's own movements and labels. It answers nothing yet: it may be named
 * a challenger, and earn to answer.
 */
export const trainFraudModel =
  (options: FraudTrainingOptions): Doer =>
  async ({ input }, tell, signal) => {
    const { glance } = options
    const asked = Asked.parse(input)
    const onRead = (done: number): void => tell({ stage: 'Replaying the book.', done: done / 2 })
    const rows = await readRows(options, asked, onRead, signal)
    refuseTooFew(rows)
    const { state } = await glance(Models, 'fraud')
    const version = nextVersion(state)
    const { book } = asked
    const trained_on = { book, movements: rows.labels.length, frauds: countOf(rows.labels) }
    const { bytes, report } = await trainFraudInThread({
      ...{ rows, settings: { version, boost: BOOST, trained_on }, signal },
      onProgress: ({ stage, done }) => tell({ stage: `Training: ${stage}.`, done: 0.5 + done / 2 }),
    })
    const { recorded } = await keepModel(options, 'fraud', bytes)
    if (isRefusal(recorded)) throw new TaskImpossible(recorded.detail)
    const { tested_on, at_threshold, threshold, block_threshold } = report
    const { rows: tested, base_rate, auc, average_precision, brier } = tested_on
    return {
      message:
        `${version}: average precision ${places(average_precision)}, AUC ${places(auc)} on the ` +
        `latest ${tested} movements, which it had not seen.`,
      figures: {
        ...{ version, rows: tested, base_rate, auc, average_precision, brier },
        ...{ threshold, precision: at_threshold.precision, recall: at_threshold.recall },
        block_threshold,
      },
    }
  }
