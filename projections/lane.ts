import type { EventStore, LogFilter, Position, Recorded, SubscriptionItem } from '../domain/log.ts'
import { NOWHERE } from './builds.ts'
import { flush, type Log, type Running } from './flush.ts'
import type { Database } from './table.ts'

const MAX_BATCH = 2000
const MAX_BUFFERED = 6000

type Buffer = {
  take(): Promise<{ events: Recorded[]; caughtUp: boolean; ended: boolean }>
  failure(): unknown
}

/** Reads ahead of the slower database, but only so far. */
const bufferOf = (items: AsyncIterable<SubscriptionItem>): Buffer => {
  let events: Recorded[] = []
  let caughtUp = false
  let ended = false
  let failure: unknown
  let wakeReader: (() => void) | undefined
  let wakeTaker: (() => void) | undefined

  const read = async (): Promise<void> => {
    for await (const item of items) {
      if (item.kind === 'event') events.push(item.event)
      else caughtUp = true
      wakeTaker?.()
      if (events.length >= MAX_BUFFERED) {
        await new Promise<void>((resolve) => {
          wakeReader = resolve
        })
      }
    }
  }
  read()
    .catch((error: unknown) => {
      failure = error
    })
    .finally(() => {
      ended = true
      wakeTaker?.()
    })

  return {
    failure: () => failure,
    take: async () => {
      if (events.length === 0 && !caughtUp && !ended) {
        await new Promise<void>((resolve) => {
          wakeTaker = resolve
        })
        wakeTaker = undefined
      }
      const taken = events.slice(0, MAX_BATCH)
      events = events.slice(MAX_BATCH)
      const nowCaughtUp = caughtUp && events.length === 0
      if (nowCaughtUp) caughtUp = false
      wakeReader?.()
      return { events: taken, caughtUp: nowCaughtUp, ended: ended && events.length === 0 }
    },
  }
}

const earliest = (lane: readonly Running[]): Position =>
  lane.reduce(
    (position, { build }) => (build.position.commit < position.commit ? build.position : position),
    lane[0]?.build.position ?? NOWHERE,
  )

/** The event types that somebody in the lane listens to; undefined: all of them. */
const filterOf = (lane: readonly Running[]): LogFilter | undefined => {
  if (lane.some(({ projection }) => projection.every)) return undefined
  return { types: [...new Set(lane.flatMap(({ projection }) => Object.keys(projection.on)))] }
}

export type LaneOptions = {
  readonly store: EventStore
  readonly database: Database
  readonly lane: readonly Running[]
  readonly log: Log
  readonly signal: AbortSignal
  readonly onProgress?: ((lane: readonly Running[]) => void) | undefined
  /** History is done; answer false to end the lane. */
  readonly onCaughtUp?: (() => Promise<boolean> | boolean) | undefined
}

/**
 * Builds that travel the log together on one subscription, from the earliest of their places; each
 * skips what it has seen. Ends when aborted, when told so, or when every build has stopped.
 */
export const runLane = async (options: LaneOptions): Promise<void> => {
  const { store, database, log } = options
  let lane = [...options.lane]
  const ending = new AbortController()
  const signal = AbortSignal.any([options.signal, ending.signal])
  const from = earliest(lane)
  const after = from.commit === 0n ? ('start' as const) : from
  const filter = filterOf(lane)
  const items = store.subscribe({ after, signal, ...(filter && { filter }) })
  const buffer = bufferOf(items)
  try {
    while (lane.length > 0 && !signal.aborted) {
      const { events, caughtUp, ended } = await buffer.take()
      if (events.length > 0) {
        lane = await flush(database, lane, events, log)
        options.onProgress?.(lane)
      }
      if (caughtUp && options.onCaughtUp && !(await options.onCaughtUp())) return
      if (ended) break
    }
    if (buffer.failure() && !options.signal.aborted) throw buffer.failure()
  } finally {
    ending.abort()
  }
}
