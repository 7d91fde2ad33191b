import { Overloaded } from '../../commands/engine.ts'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import type { Ports } from '../../commands/ports.ts'
import { completeTask, failTask, lookAtTask } from '../../commands/tasks.ts'
import type { TaskKind, TaskRequest, TaskResult } from '../../domain/tasks.ts'
import type { Freshness } from '../../projections/freshness.ts'
import type { Database } from '../../projections/table.ts'
import { goOnWith } from '../left_behind.ts'
import type { Log } from '../log.ts'
import { SYSTEM } from '../system.ts'

export type Progress = { readonly stage: string; readonly done: number }

/** What stands in a task's way for good, in words for who asked for it. */
export class TaskImpossible extends Error {}

/** Does one task and answers what came of it, in a sentence, and in figures if there are some. */
export type Doer = (
  task: TaskRequest,
  tell: (progress: Progress) => void,
  signal: AbortSignal,
) => Promise<string | TaskResult>

export type WorkerOptions = {
  readonly ports: Ports
  readonly database: Database
  readonly freshness: Freshness
  readonly doers: Readonly<Record<TaskKind, Doer>>
  readonly log: Log
  readonly signal: AbortSignal
}

export type TaskWorker = {
  /** Does a task when its turn comes. Throws Overloaded when too many wait. */
  begin(task: string): void
  progressOf(task: string): Progress | undefined
  readonly settled: () => Promise<void>
}

const MOST_WAITING = 1000

type Work = WorkerOptions & { readonly progress: Map<string, Progress> }

const doOne = async (work: Work, task: string): Promise<void> => {
  const { ports, doers, log, signal, progress } = work
  const { status, request } = await lookAtTask(ports, task)
  if (status !== 'requested' || !request) return
  const tell = (now: Progress): void => void progress.set(task, now)
  const context = () => ({ actor: SYSTEM, at: ports.clock(), correlation: newUlid() })
  tell({ stage: 'It has begun.', done: 0 })
  try {
    const done = await doers[request.kind](request, tell, signal)
    const result = typeof done === 'string' ? { message: done } : done
    await execute(ports, completeTask, { task, ...result }, context())
  } catch (error) {
    // Ended in the middle, it is still asked for, and is done at the next start.
    if (signal.aborted) throw error
    const expected = error instanceof TaskImpossible
    if (!expected) log.error({ err: error, task }, 'a task failed')
    const message = expected ? error.message : 'It failed; the log of the server says why.'
    await execute(ports, failTask, { task, message }, context())
  } finally {
    progress.delete(task)
  }
}

/** Does tasks one after another in the background, those first that an earlier process left. */
export const startTasks = (options: WorkerOptions): TaskWorker => {
  const { database, log, signal } = options
  const work: Work = { ...options, progress: new Map() }
  const known = new Set<string>()
  let last: Promise<void> = Promise.resolve()

  const begin = (task: string): void => {
    if (known.has(task)) return
    if (known.size >= MOST_WAITING) throw new Overloaded('too many tasks wait')
    known.add(task)
    last = last
      .then(() => (signal.aborted ? undefined : doOne(work, task)))
      .catch((error: unknown) => {
        if (!signal.aborted) log.error({ task, error: String(error) }, 'a task was not done')
      })
      .finally(() => known.delete(task))
  }
  const goOn = async (): Promise<void> => {
    const { rows } = await database.query<{ task: string }>(
      `select task from tasks where status = 'requested' order by task limit ${MOST_WAITING}`,
    )
    for (const { task } of rows) begin(task)
  }
  goOnWith('tasks', options, goOn)
  return {
    begin,
    progressOf: (task) => work.progress.get(task),
    settled: async () => {
      while (known.size > 0) await last
    },
  }
}
