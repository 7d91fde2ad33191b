import { Worker } from 'node:worker_threads'
import type { Boosted, BoostSettings, Progress } from './boosting.ts'
import type { ChurnRow, ChurnSettings, TrainedChurn } from './churn.ts'
import type { compareModels, Outcome } from './comparison.ts'
import type { Dataset } from './dataset.ts'
import type { FraudSettings, TrainedFraud } from './fraud.ts'

type Comparing = Parameters<typeof compareModels>

/** What a training thread is given. Comparing takes as long, and is done there too. */
export type TrainingWork =
  | {
      readonly task: 'boost'
      readonly columns: readonly Float32Array[]
      readonly labels: Uint8Array
      readonly settings: BoostSettings
    }
  | { readonly task: 'churn'; readonly rows: readonly ChurnRow[]; readonly settings: ChurnSettings }
  | { readonly task: 'fraud'; readonly rows: Dataset; readonly settings: FraudSettings }
  | { readonly task: 'compare'; readonly asked: Comparing }

export type TrainingResult = Boosted | TrainedChurn | TrainedFraud | Outcome

/** What a training thread says: `progress` any number of times, and then one of the others. */
export type TrainingNews =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly result: TrainingResult }
  | { readonly kind: 'failed'; readonly message: string }

/** How to follow a thread, and to end it. */
export type Watching = {
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

const WORKER = new URL('./training_worker.ts', import.meta.url)

const inThread = <Result extends TrainingResult>(
  work: TrainingWork,
  transferList: ArrayBuffer[],
  { onProgress, signal }: Watching,
): Promise<Result> => {
  if (signal?.aborted) return Promise.reject(signal.reason)
  const worker = new Worker(WORKER, { workerData: work, transferList })
  const { promise, resolve, reject } = Promise.withResolvers<Result>()
  const abort = () => reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  worker.on('message', (news: TrainingNews) => {
    if (news.kind === 'progress') onProgress?.(news.progress)
    else if (news.kind === 'done') resolve(news.result as Result)
    else reject(new Error(news.message))
  })
  worker.once('error', reject)
  worker.once('exit', (code) => reject(new Error(`the training thread ended with ${code}`)))
  return promise.finally(() => {
    signal?.removeEventListener('abort', abort)
    worker.removeAllListeners('message')
    return worker.terminate()
  })
}

/** The memory that goes over to the thread; what is shared stays where it is. */
const givenAway = (columns: readonly Float32Array[]): ArrayBuffer[] => {
  const buffers = new Set(columns.map(({ buffer }) => buffer))
  return [...buffers].filter((buffer) => buffer instanceof ArrayBuffer)
}

/**
 * Trains in a thread of its own, so that the caller goes on with other things. Columns over a
 * SharedArrayBuffer are shared with the thread; all others are handed over and are empty afterwards.
 * Aborting ends the thread at once and rejects with the signal's reason.
 */
export const trainInThread = (
  training: Omit<Extract<TrainingWork, { task: 'boost' }>, 'task'> & Watching,
): Promise<Boosted> => {
  const { columns, labels, settings } = training
  return inThread({ task: 'boost', columns, labels, settings }, givenAway(columns), training)
}

/** `trainChurn` in a thread of its own; the rows are copied. */
export const trainChurnInThread = (
  training: Omit<Extract<TrainingWork, { task: 'churn' }>, 'task'> & Watching,
): Promise<TrainedChurn> => {
  const { rows, settings } = training
  return inThread({ task: 'churn', rows, settings }, [], training)
}

/** `trainFraud` in a thread of its own; columns as above. */
export const trainFraudInThread = (
  training: Omit<Extract<TrainingWork, { task: 'fraud' }>, 'task'> & Watching,
): Promise<TrainedFraud> => {
  const { rows, settings } = training
  return inThread({ task: 'fraud', rows, settings }, givenAway(rows.columns), training)
}

/** `compareModels` in a thread of its own; the rows are copied. */
export const compareInThread = (...asked: Comparing): Promise<Outcome> =>
  inThread({ task: 'compare', asked }, [], {})
