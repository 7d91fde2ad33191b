/** A thread that trains a churn model: the API goes on meanwhile. */
import { parentPort, workerData } from 'node:worker_threads'
import { type ChurnReport, type ChurnRow, type ChurnSettings, trainChurn } from '../../ml/churn.ts'

export type ThreadWork = {
  readonly rows: readonly ChurnRow[]
  readonly settings: ChurnSettings
}

export type ThreadNews =
  | { readonly kind: 'progress'; readonly stage: string; readonly done: number }
  | { readonly kind: 'trained'; readonly bytes: Uint8Array; readonly report: ChurnReport }

const tell = (news: ThreadNews): void => parentPort?.postMessage(news)

const { rows, settings } = workerData as ThreadWork
const trained = trainChurn(rows, settings, ({ stage, done }) =>
  tell({ kind: 'progress', stage, done }),
)
tell({ kind: 'trained', ...trained })
