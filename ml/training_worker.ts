/** A thread that trains one model, or compares two, and ends. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Progress } from './boosting.ts'
import { boostWithReport } from './boosting.ts'
import { trainChurn } from './churn.ts'
import { compareModels } from './comparison.ts'
import { trainFraud } from './fraud.ts'
import type { TrainingNews, TrainingResult, TrainingWork } from './training.ts'

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

type Tell = (progress: Progress) => void

const training: {
  readonly [Task in TrainingWork['task']]: (
    work: Extract<TrainingWork, { task: Task }>,
    tell: Tell,
  ) => TrainingResult
} = {
  boost: ({ columns, labels, settings }, tell) => boostWithReport(columns, labels, settings, tell),
  churn: ({ rows, settings }, tell) => trainChurn(rows, settings, tell),
  fraud: ({ rows, settings }, tell) => trainFraud(rows, settings, tell),
  compare: ({ asked }) => compareModels(...asked),
}

const train = (work: TrainingWork, tell: Tell): TrainingResult =>
  (training[work.task] as (work: TrainingWork, tell: Tell) => TrainingResult)(work, tell)

try {
  say({ kind: 'done', result: train(workerData as TrainingWork, telling()) })
} catch (fault) {
  say({ kind: 'failed', message: fault instanceof Error ? fault.message : String(fault) })
}
