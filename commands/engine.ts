import { type Decider, type Decoded, decode, isRefusal, type Refusal } from '../domain/kernel.ts'
import type { EventStore, Position } from '../domain/log.ts'
import { type Attempt, decideGroup, type Group, MAX_GROUP, type Verdict } from './group.ts'
import {
  createResident,
  type Resident,
  readOn,
  type Seen,
  type Snapshots,
  saveSnapshot,
} from './resident.ts'

export type Outcome = {
  readonly events: readonly Decoded[]
  /** Of the stream, after it. */
  readonly revision: number
  readonly position: Position | undefined
  /** The request had been made before; these are the first one's events. */
  readonly replayed: boolean
}

/** More waits than can be served soon. Nothing was done; asking again later is safe. */
export class Overloaded extends Error {
  readonly code = 'OVERLOADED'
}

type Waiting = {
  readonly attempt: Attempt
  readonly resolve: (outcome: Outcome | Refusal) => void
  readonly reject: (error: unknown) => void
}

type Writer = { readonly resident: Resident; readonly waiting: Waiting[]; running: boolean }

/**
 * Streams live in memory, each with one writer that decides request after request and appends what
 * was decided in groups; a caller is answered when its own events are durable. Another writer on
 * the same stream, in another process, costs a conflict: the loser undoes, reads on, decides anew.
 */
export type Engine = {
  submit(decider: Decider, stream: string, attempt: Attempt): Promise<Outcome | Refusal>
  /** The newest state of a stream, to look at and not to keep. Revision -1: it does not exist. */
  look(decider: Decider, stream: string): Promise<{ state: unknown; revision: number }>
  /**
   * A stream's state as it lies in memory, undefined when it does not: perhaps behind the log, or
   * ahead of it by what is being appended. For what is decided about again when it matters.
   */
  peek(stream: string): { readonly state: unknown; readonly revision: number } | undefined
  /** Resolves when nothing waits any more, with snapshots kept. */
  drain(): Promise<void>
}

const MAX_WAITING = 20_000
const MAX_RESIDENTS = 20_000
const MAX_CONFLICTS = 20

const answerSeen = async (resident: Resident, seen: Seen): Promise<Outcome> => {
  const events: Decoded[] = []
  const { revision: from, count: limit } = seen
  for await (const recorded of resident.store.readStream(resident.stream, { from, limit })) {
    events.push(decode(resident.decider.schemas, recorded))
  }
  const { revision } = resident
  return { events, revision, position: events.at(-1)?.position, replayed: true }
}

const answerWith = (resident: Resident, verdict: Verdict): Promise<Outcome> | Outcome | Refusal => {
  const { revision, position } = resident
  switch (verdict.kind) {
    case 'refused':
      return verdict.refusal
    case 'seen':
      return answerSeen(resident, verdict.seen)
    case 'dry_run':
      return { events: verdict.events, revision, position, replayed: false }
    case 'decided': {
      const events = position ? verdict.events.map((event) => ({ ...event, position })) : []
      const last = events.at(-1)?.revision ?? revision
      return { events, revision: last, position, replayed: false }
    }
  }
}

/** True when appended, false when another writer was there first. Throws when it is not known. */
const appendGroup = async (resident: Resident, group: Group): Promise<boolean> => {
  if (group.events.length === 0) {
    group.keep()
    return true
  }
  try {
    const result = await resident.store.append(resident.stream, resident.revision, group.events)
    if (result.outcome === 'appended') {
      group.keep()
      resident.revision = result.revision
      resident.position = result.position
      return true
    }
  } catch (error) {
    // Whether it was written is unknown, so the log has to say.
    group.undo()
    resident.stale = true
    throw error
  }
  group.undo()
  resident.stale = true
  return false
}

const serveGroup = async ({ resident, waiting }: Writer): Promise<void> => {
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
    // Taken before the log is read: who comes meanwhile may know of more than the reading saw.
    const attempts = waiting.slice(0, MAX_GROUP).map(({ attempt }) => attempt)
    const justRead = resident.stale
    if (justRead) await readOn(resident)
    const group = decideGroup(resident, attempts)
    if (!(await appendGroup(resident, group))) continue
    // A group that was appended saw the newest state; one that only looked may not have, also
    // when it decided that there is nothing to do.
    const appended = group.events.length > 0
    const looked = group.verdicts.some(({ kind }) => kind !== 'seen')
    if (!appended && looked && !justRead && (await readOn(resident))) continue
    const served = waiting.splice(0, group.verdicts.length)
    for (const [index, { resolve, reject }] of served.entries()) {
      const verdict = group.verdicts[index]
      if (verdict) Promise.resolve(answerWith(resident, verdict)).then(resolve, reject)
    }
    return
  }
  throw new Overloaded(`${resident.stream} is written by too many at once`)
}

const run = async (writer: Writer): Promise<void> => {
  while (writer.waiting.length > 0) {
    try {
      await serveGroup(writer)
    } catch (error) {
      for (const { reject } of writer.waiting.splice(0)) reject(error)
    }
  }
  // A snapshot that cannot be kept is no loss: the log has everything.
  await saveSnapshot(writer.resident).catch(() => undefined)
}

/** A request that wants nothing, only to see the newest state in its turn. */
const lookAt = (see: (state: unknown) => void): Attempt => ({
  decide: (state) => {
    see(state)
    return []
  },
  expect: 'any',
  otherwise: 'REVISION_MISMATCH',
  revision: undefined,
  metadata: {},
  at: new Date(0),
  dryRun: true,
})

export const createEngine = (store: EventStore, snapshots: Snapshots): Engine => {
  const writers = new Map<string, Writer>()
  const active = new Set<Promise<void>>()

  const evictOne = (): void => {
    for (const [stream, writer] of writers) {
      if (writer.running || writer.resident.decider.snapshot) continue
      writers.delete(stream)
      return
    }
  }

  const writerOf = (decider: Decider, stream: string): Writer => {
    const known = writers.get(stream)
    if (known) {
      // Moved to the end: the front of the map is what was used longest ago.
      writers.delete(stream)
      writers.set(stream, known)
      return known
    }
    if (writers.size >= MAX_RESIDENTS) evictOne()
    const resident = createResident(stream, decider, store, snapshots)
    const writer = { resident, waiting: [], running: false }
    writers.set(stream, writer)
    return writer
  }

  const start = (writer: Writer): void => {
    if (writer.running) return
    writer.running = true
    const running = Promise.resolve()
      .then(() => run(writer))
      .finally(() => {
        active.delete(running)
        writer.running = false
        if (writer.waiting.length > 0) start(writer)
      })
    active.add(running)
  }

  const submit: Engine['submit'] = (decider, stream, attempt) =>
    new Promise((resolve, reject) => {
      const writer = writerOf(decider, stream)
      if (writer.waiting.length >= MAX_WAITING) {
        reject(new Overloaded(`${writer.waiting.length} requests wait for ${stream} already`))
        return
      }
      writer.waiting.push({ attempt, resolve, reject })
      start(writer)
    })

  return {
    submit,
    look: async (decider, stream) => {
      let seen: unknown
      const outcome = await submit(
        decider,
        stream,
        lookAt((state) => (seen = state)),
      )
      if (isRefusal(outcome)) throw new Error(`${stream} refused to be looked at`)
      return { state: seen, revision: outcome.revision }
    },
    peek: (stream) => {
      const resident = writers.get(stream)?.resident
      if (!resident || resident.stale) return undefined
      return { state: resident.state, revision: resident.revision }
    },
    drain: async () => {
      while (active.size > 0) await Promise.all(active)
      for (const { resident } of writers.values()) {
        await saveSnapshot(resident, true).catch(() => undefined)
      }
    },
  }
}
