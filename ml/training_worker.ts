/** A thread that trains one model and ends. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Progress } from './boosting.ts'
import { boostWithReport } from './boosting.ts'
import { trainChurn } from './churn.ts'
import type { TrainingNews, TrainingWork } from './training.ts'

/** A hundred words are enough for any bar. */
const LEAST_STEP = 0.01

const say = (news: TrainingNews): void => parentPort?.postMessage(news)

const telling = () => {
  let last: Progress | undefined
  return (progress: Progress): void => {
    const known = last?.stage === progress.stage && progress.done - last.done < LEAST_STEP
    if (known) return
    last = progress
    say({ kind: 'progress', progress })
  }
}

const train = (work: TrainingWork, progress: (progress: Progress) => void) =>
  work.task === 'boost'
    ? boostWithReport(work.columns, work.labels, work.settings, progress)
    : trainChurn(work.rows, work.settings, progress)

try {
  say({ kind: 'done', result: train(workerData as TrainingWork, telling()) })
} catch (fault) {
  say({ kind: 'failed', message: fault instanceof Error ? fault.message : String(fault) })
}
