import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { explainWriteFailure } from './database.ts'
import type { Faults } from './faults.ts'

/** Keeps a group small enough that those at its front do not wait long for those at its end. */
const GROUP_BYTES = 8 * 1024 * 1024
const GROUP_WRITES = 2_000
/** Above this, whoever reads from the network stops until the queue has been written. */
const QUEUE_BYTES = 64 * 1024 * 1024

export type Failed = { readonly kind: 'unavailable'; readonly reason: string }

/** Writes that wait, and those that wait for room behind them. */
export type Committer = {
  /** Runs `work` inside a transaction; resolves with its answer once that is durable. */
  readonly submit: <Result>(bytes: number, work: () => Result) => Promise<Result | Failed>
  /** Resolves at once unless too much is queued. */
  readonly room: () => Promise<void>
  /** Writes what is queued and refuses the rest. */
  readonly drain: () => Promise<void>
}

type Write = {
  readonly bytes: number
  readonly run: () => void
  readonly answer: () => void
  readonly fail: (reason: string) => void
}

/**
 * One writer for the whole log. Everything that has queued up while the last transaction was on
 * its way to the disk goes into the next one, so a flush is shared by all who wait for it.
 */
export function createCommitter(
  database: DatabaseSync,
  faults: Faults,
  committed: () => void,
): Committer {
  const queue: Write[] = []
  let queuedBytes = 0
  let running: Promise<void> | undefined
  let draining = false
  let waiting: (() => void)[] = []

  const takeGroup = (): Write[] => {
    let bytes = 0
    let count = 0
    while (count < queue.length && count < GROUP_WRITES && bytes < GROUP_BYTES) {
      bytes += queue[count++]?.bytes ?? 0
    }
    queuedBytes -= bytes
    return queue.splice(0, count)
  }

  const commitQueue = async (): Promise<void> => {
    // Lets the requests that are already in the socket join the first group.
    await new Promise((resolve) => setImmediate(resolve))
    while (queue.length > 0) {
      if (faults.slowDiskMs > 0) await sleep(faults.slowDiskMs)
      const group = takeGroup()
      const failure = writeGroup(database, group)
      if (failure === undefined) committed()
      for (const write of group) failure === undefined ? write.answer() : write.fail(failure)
      if (queuedBytes < QUEUE_BYTES) {
        for (const proceed of waiting) proceed()
        waiting = []
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    running = undefined
  }

  return {
    submit: (bytes, work) =>
      new Promise((resolve) => {
        if (draining) return resolve({ kind: 'unavailable', reason: 'the event store is closing' })
        let result: ReturnType<typeof work>
        queue.push({
          bytes,
          run: () => {
            result = work()
          },
          answer: () => resolve(result),
          fail: (reason) => resolve({ kind: 'unavailable', reason }),
        })
        queuedBytes += bytes
        running ??= commitQueue()
      }),
    room: () =>
      queuedBytes < QUEUE_BYTES
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push(resolve)),
    drain: async () => {
      draining = true
      await running
    },
  }
}

/** Returns why it failed, or undefined once the group is on the disk. */
function writeGroup(database: DatabaseSync, group: readonly Write[]): string | undefined {
  try {
    database.exec('BEGIN IMMEDIATE')
    for (const write of group) write.run()
    database.exec('COMMIT')
    return undefined
  } catch (error) {
    // SQLite has rolled back by itself after some failures, a full disk among them.
    if (database.isTransaction) database.exec('ROLLBACK')
    return explainWriteFailure(error)
  }
}
