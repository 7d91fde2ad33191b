import { setTimeout as wait } from 'node:timers/promises'
import type { z } from 'zod'
import { completeExport, failExport } from '../../commands/exports.ts'
import { type Command, execute } from '../../commands/kernel.ts'
import type { Ports } from '../../commands/ports.ts'
import { Export, type ExportState } from '../../domain/exports.ts'
import { isRefusal, PoisonedEvent } from '../../domain/kernel.ts'
import { Identifier } from '../../domain/ledger/events.ts'
import type { SubscriptionItem } from '../../domain/log.ts'
import { openWorkshop } from '../files.ts'
import { type ExportProgress, makeExport, UNFINISHED } from './make.ts'

type Log = {
  info(facts: object, message: string): void
  error(facts: object, message: string): void
}

export type ExporterOptions = {
  readonly ports: Ports
  /** Of this process alone; created when missing. */
  readonly directory: string
  /** The product's, for the manifests. */
  readonly version: string
  readonly log: Log
  readonly signal: AbortSignal
  readonly onProgress?: (id: string, progress: ExportProgress) => void
}

export type Exporter = {
  /** Of the export being made; undefined for all others. */
  progressOf(id: string): ExportProgress | undefined
  /** Resolves when it has stopped after an abort; rejects when it cannot go on at all. */
  readonly ended: Promise<void>
}

const PREFIX = `${Export.category}-`
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
const EXPORTER = { id: 'exporter', roles: ['system'] } as const

/** What a person can do something about, without paths of the server. */
const machineFaults: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission to write was denied',
  EPERM: 'permission to write was denied',
  EIO: 'the disk reported an input/output error',
  EMFILE: 'the process has too many open files',
}

// Out of reach or too busy for now; what is asked for may well be possible later.
const transient = new Set(['EVENT_STORE_UNAVAILABLE', 'OVERLOADED'])

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

const reasonOf = (error: unknown): string => {
  const code = codeOf(error)
  const fault = machineFaults[code]
  if (fault !== undefined) return `The export could not be written: ${fault}.`
  if (error instanceof PoisonedEvent) return error.message.slice(0, 512)
  if (code !== '') return `The export could not be written: ${code}.`
  return `The export could not be made: ${error instanceof Error ? error.message : error}.`.slice(
    0,
    512,
  )
}

type Work = ExporterOptions & { readonly making: Map<string, ExportProgress> }

const tell = async <Input extends z.ZodType, Values, Answer>(
  { ports, log }: Work,
  command: Command<Input, Values, Answer>,
  input: z.infer<Input>,
): Promise<void> => {
  const context = { actor: EXPORTER, at: ports.clock(), correlation: EXPORTER.id }
  const outcome = await execute(ports, command, input, context)
  // Somebody else was there first; what has been said stays.
  if (isRefusal(outcome)) log.error({ input, refused: outcome.refused }, outcome.detail)
}

const attempt = async (work: Work, id: string): Promise<void> => {
  const { ports, directory, version, log, signal, making } = work
  const { state } = await ports.engine.look(Export, `${PREFIX}${id}`)
  const { status, request } = state as ExportState
  if (status !== 'requested' || !request) return
  const onProgress = (progress: ExportProgress): void => {
    making.set(id, progress)
    work.onProgress?.(id, progress)
  }
  onProgress({ stage: 'reading', events: 0, of: 0 })
  try {
    const { store } = ports
    const made = await makeExport({ store, directory, request, version, signal, onProgress })
    await tell(work, completeExport, { export: id, ...made })
    log.info({ export: id, bytes: made.bytes }, 'export completed')
  } catch (error) {
    if (signal.aborted || transient.has(codeOf(error))) throw error
    log.error({ export: id, error: String(error) }, 'export failed')
    await tell(work, failExport, { export: id, reason: reasonOf(error) })
  } finally {
    making.delete(id)
  }
}

/** Makes one export, again and again while that fails for reasons that pass. */
const work = async (options: Work, id: string): Promise<void> => {
  const { log, signal } = options
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause *= 2) {
    try {
      await attempt(options, id)
      return
    } catch (error) {
      if (signal.aborted) return
      log.error({ export: id, error: String(error) }, 'export will be tried again')
      await wait(Math.min(pause, LONGEST_PAUSE_MS), undefined, { signal }).catch(() => undefined)
    }
  }
}

const note = (pending: Set<string>, item: SubscriptionItem): void => {
  if (item.kind !== 'event') return
  const { stream, type } = item.event
  const id = Identifier.safeParse(stream.slice(PREFIX.length))
  if (!id.success) return
  if (type === 'ExportRequested') pending.add(id.data)
  else pending.delete(id.data)
}

const run = async (options: Work): Promise<void> => {
  const { ports, directory, signal } = options
  await openWorkshop(directory, UNFINISHED)
  const pending = new Set<string>()
  let isLive = false
  const filter = { streams: [PREFIX] }
  // While an export is made the subscription waits, so nothing piles up here.
  for await (const item of ports.store.subscribe({ after: 'start', filter, signal })) {
    note(pending, item)
    isLive ||= item.kind === 'caught_up'
    if (!isLive) continue
    for (const id of pending) {
      await work(options, id)
      if (signal.aborted) return
      pending.delete(id)
    }
  }
}

/**
 * Makes requested exports, one after another, in the background. The log says which are still to
 * be made, so that a restart goes on where the last process was; what is made is the same.
 */
export const startExporter = (options: ExporterOptions): Exporter => {
  const making = new Map<string, ExportProgress>()
  const ended = run({ ...options, making }).catch((error: unknown) => {
    if (!options.signal.aborted) throw error
  })
  return { progressOf: (id) => making.get(id), ended }
}
