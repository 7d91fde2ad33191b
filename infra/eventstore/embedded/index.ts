import { Worker } from 'node:worker_threads'
import type { Faults } from './faults.ts'
import type { FromWorker, Settings, ToWorker } from './messages.ts'

export type EmbeddedEventStore = {
  /** A connection string for `@eventstore/db-client`. */
  readonly url: string
  /** Settles when the store has died by itself; never after `close`. */
  readonly failed: Promise<Error>
  readonly faults: {
    /** Changes the named faults and leaves the others as they are. */
    readonly set: (faults: Partial<Faults>) => Promise<void>
    /** Ends every subscription, read and batch in progress, as a lost connection would. */
    readonly cutStreams: () => Promise<void>
  }
  /** Empties the log, for tests. Positions go on from where they were. */
  readonly wipe: () => Promise<void>
  /** Writes what is queued, ends all calls and closes the log. */
  readonly close: () => Promise<void>
}

/**
 * Starts an event store of one node over the log in `directory`, in a thread of its own, on
 * 127.0.0.1. Port 0, the default, takes a free one. Rejects with a one-line message when the
 * log is damaged, foreign or in use, or when the port is taken.
 */
export async function startEmbeddedEventStore(settings: {
  readonly directory: string
  readonly port?: number
}): Promise<EmbeddedEventStore> {
  const workerData: Settings = { directory: settings.directory, port: settings.port ?? 0 }
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, execArgv: [] })
  const port = await started(worker)
  const requests = createRequests(worker)
  let closing: Promise<void> | undefined
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    failed: requests.failed,
    faults: {
      set: (faults) => requests.ask({ kind: 'faults', faults }),
      cutStreams: () => requests.ask({ kind: 'cut_streams' }),
    },
    wipe: () => requests.ask({ kind: 'wipe' }),
    close: () => {
      closing ??= requests.close()
      return closing
    },
  }
}

function started(worker: Worker): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (message: FromWorker) => {
      worker.off('error', reject)
      if (message.kind === 'listening') return resolve(message.port)
      const reason = message.kind === 'failed' ? message.reason : 'the event store did not start'
      worker.terminate().then(() => reject(new Error(reason)), reject)
    })
  })
}

type Question =
  | { readonly kind: 'faults'; readonly faults: Partial<Faults> }
  | { readonly kind: 'cut_streams' }
  | { readonly kind: 'wipe' }
  | { readonly kind: 'close' }

function createRequests(worker: Worker) {
  const waiting = new Map<number, (error?: Error) => void>()
  let last = 0
  let isClosing = false
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<Error>((resolve) => {
    fail = resolve
  })
  const ended = (error: Error): void => {
    if (!isClosing) fail(error)
    for (const settle of waiting.values()) settle(error)
    waiting.clear()
  }
  worker.on('message', (message: FromWorker) => {
    if (message.kind !== 'done') return
    waiting.get(message.request)?.()
    waiting.delete(message.request)
  })
  worker.on('error', ended)
  worker.on('exit', () => ended(new Error('the event store has stopped')))
  const ask = (question: Question): Promise<void> =>
    new Promise((resolve, reject) => {
      last += 1
      waiting.set(last, (error) => (error ? reject(error) : resolve()))
      worker.postMessage({ ...question, request: last } satisfies ToWorker)
    })
  return {
    ask,
    failed,
    close: async () => {
      isClosing = true
      await ask({ kind: 'close' })
      await worker.terminate()
    },
  }
}
