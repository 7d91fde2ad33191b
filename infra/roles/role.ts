import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Log } from '../log.ts'
import { StartError } from '../start/error.ts'

/** What every role that runs in a thread of its own is told. */
export type RoleSettings = {
  readonly eventStoreUrl: string
  readonly databaseUrl: string
  /** Empty: the embedded bus in `busFile`. */
  readonly kafkaBrokers: readonly string[]
  readonly busFile: string
  /** The data directory: model files lie in it. */
  readonly directory: string
  readonly alertThreshold: number | undefined
  /** What the thread that has both shall do: with the embedded bus, both. */
  readonly relay: boolean
  readonly score: boolean
  /** The clock that is shared by all threads. */
  readonly clock: SharedArrayBuffer
}

/** What a thread tells the one that started it. */
type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'paused' }
  | {
      readonly kind: 'log'
      readonly level: keyof Log
      readonly facts: object
      readonly text: string
    }
type Asked = 'stop' | 'pause' | 'resume'

export type Role = {
  stop(): Promise<void>
  /** Lets go of the stores until `resume`, without ending the thread. */
  pause(): Promise<void>
  /** Begins anew, as after a start; resolves when it is ready. */
  resume(): Promise<void>
}

type Life = Role & { readonly ended: Promise<Error> }

/** Room for short-lived objects: with the default, a busy thread collects garbage all the time. */
const resourceLimits = { maxYoungGenerationSizeMb: 64 }

// kafkajs sets timers in the past, which Node remarks upon on the terminal.
const execArgv = ['--disable-warning=TimeoutNegativeWarning']

/** Starts a thread; resolves when it says that it is ready. Rejects when it ends first. */
const bear = async (file: URL, settings: RoleSettings, log: Log): Promise<Life> => {
  const worker = new Worker(file, { workerData: settings, execArgv, resourceLimits })
  const ended = new Promise<Error>((resolve) => {
    worker.once('error', resolve)
    worker.once('exit', (code) => resolve(new Error(`the thread ended with code ${code}`)))
  })
  const waiting = new Map<Told['kind'], () => void>()
  worker.on('message', (told: Told) => {
    if (told.kind === 'log') log[told.level](told.facts, told.text)
    else waiting.get(told.kind)?.()
  })
  const hear = (kind: Told['kind']): Promise<undefined> =>
    new Promise((resolve) => waiting.set(kind, () => resolve(undefined)))
  const ask = async (asked: Asked, answer: Told['kind']): Promise<void> => {
    const heard = hear(answer)
    worker.postMessage(asked)
    await Promise.race([heard, ended])
  }
  const early = await Promise.race([hear('ready'), ended])
  // Between threads an error keeps its fields and loses its class.
  if (early) throw 'line' in early ? new StartError(String(early.line), early) : early
  return {
    ended,
    stop: async () => {
      worker.postMessage('stop' satisfies Asked)
      await ended
    },
    pause: () => ask('pause', 'paused'),
    resume: () => ask('resume', 'ready'),
  }
}

const LONGEST_PAUSE_MS = 30_000

/**
 * Runs a role in a thread of its own. Rejects when it cannot be started; one that dies later is
 * started again, after longer and longer pauses, and the rest of Daybook goes on meanwhile.
 */
export const startRole = async (
  name: string,
  file: URL,
  settings: RoleSettings,
  log: Log,
): Promise<Role> => {
  const stopping = new AbortController()
  let life = await bear(file, settings, log)

  const keepAlive = async (): Promise<void> => {
    let pause_ms = 1000
    while (!stopping.signal.aborted) {
      const began = Date.now()
      const error = await life.ended
      if (stopping.signal.aborted) return
      log.error(
        { role: name, error: error.stack ?? error.message },
        'a role ended; starting it again',
      )
      if (Date.now() - began > LONGEST_PAUSE_MS) pause_ms = 1000
      await wait(pause_ms, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      pause_ms = Math.min(pause_ms * 2, LONGEST_PAUSE_MS)
      life = await bear(file, settings, log).catch((failure: Error) => ({
        ended: Promise.resolve(failure),
        stop: async () => undefined,
        pause: async () => undefined,
        resume: async () => undefined,
      }))
    }
  }
  const kept = keepAlive()
  return {
    stop: async () => {
      stopping.abort()
      await life.stop()
      await kept
    },
    pause: () => life.pause(),
    resume: () => life.resume(),
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

const LESS_URGENT = 10

/** When the machine is busy, postings come before what follows from them. Linux alone can do it. */
const stepBack = (): void => {
  try {
    const thread = readlinkSync('/proc/thread-self').split('/').at(-1)
    setPriority(Number(thread), LESS_URGENT)
  } catch {
    // Elsewhere the threads share alike.
  }
}

type Stage = { readonly log: Log; readonly signal: AbortSignal; readonly ready: () => void }

/** The other side: runs a role inside its thread until it is told to stop. */
export const playRole = async (
  play: (settings: RoleSettings, stage: Stage) => Promise<void>,
): Promise<void> => {
  if (isMainThread) throw new Error('a role runs in a thread of its own')
  stepBack()
  let isStopping = false
  let turn = new AbortController()
  let goOn = (): void => undefined
  parentPort?.on('message', (asked: Asked) => {
    if (asked === 'stop') isStopping = true
    if (asked === 'resume' || isStopping) goOn()
    if (asked !== 'resume') turn.abort()
  })
  const log: Log = {
    info: logBy('info'),
    warn: logBy('warn'),
    error: logBy('error'),
    debug: logBy('debug'),
  }
  const ready = (): void => tell({ kind: 'ready' })
  while (!isStopping) {
    await play(workerData as RoleSettings, { log, signal: turn.signal, ready })
    // A role that ends without having been asked to is started again by who waits for its end.
    if (isStopping || !turn.signal.aborted) break
    turn = new AbortController()
    const resumed = new Promise<void>((resolve) => {
      goOn = resolve
    })
    tell({ kind: 'paused' })
    await resumed
  }
  parentPort?.close()
}
