import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Log } from '../log.ts'

/** What every role that runs in a thread of its own is told. */
export type RoleSettings = {
  readonly eventStoreUrl: string
  readonly databaseUrl: string
  /** Empty: the embedded bus in `busFile`. */
  readonly kafkaBrokers: readonly string[]
  readonly busFile: string
  readonly alertThreshold: number | undefined
}

/** What a thread tells the one that started it. */
type Told =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'log'
      readonly level: keyof Log
      readonly facts: object
      readonly text: string
    }
type Asked = 'stop'

export type Role = {
  /** Settles when the role has ended by itself, which it should not. */
  readonly failed: Promise<Error>
  stop(): Promise<void>
}

/** Starts a role in a thread; resolves when it says that it is ready. Rejects when it ends first. */
export const startRole = async (file: URL, settings: RoleSettings, log: Log): Promise<Role> => {
  const worker = new Worker(file, { workerData: settings, execArgv: [] })
  let stopping = false
  const ended = new Promise<Error>((resolve) => {
    worker.once('error', resolve)
    worker.once('exit', (code) => resolve(new Error(`the thread ended with code ${code}`)))
  })
  const ready = new Promise<void>((resolve) => {
    worker.on('message', (told: Told) => {
      if (told.kind === 'ready') resolve()
      else log[told.level](told.facts, told.text)
    })
  })
  const early = await Promise.race([ready, ended])
  if (early) throw early
  return {
    failed: new Promise((resolve) => {
      ended.then((error) => {
        if (!stopping) resolve(error)
      })
    }),
    stop: async () => {
      stopping = true
      worker.postMessage('stop' satisfies Asked)
      await ended
    },
  }
}

const tell = (told: Told): void => parentPort?.postMessage(told)

const logBy =
  (level: keyof Log) =>
  (facts: object, text: string): void => {
    // Errors do not survive the way between threads as they are.
    const plain = Object.fromEntries(
      Object.entries(facts).map(([name, value]) => [
        name,
        value instanceof Error ? (value.stack ?? value.message) : value,
      ]),
    )
    tell({ kind: 'log', level, facts: plain, text })
  }

/** The other side: runs a role inside its thread until it is told to stop. */
export const playRole = async (
  play: (
    settings: RoleSettings,
    stage: { readonly log: Log; readonly signal: AbortSignal; readonly ready: () => void },
  ) => Promise<void>,
): Promise<void> => {
  if (isMainThread) throw new Error('a role runs in a thread of its own')
  const stopping = new AbortController()
  parentPort?.on('message', () => stopping.abort())
  const log: Log = {
    info: logBy('info'),
    warn: logBy('warn'),
    error: logBy('error'),
    debug: logBy('debug'),
  }
  const ready = (): void => tell({ kind: 'ready' })
  await play(workerData as RoleSettings, { log, signal: stopping.signal, ready })
  parentPort?.close()
}
