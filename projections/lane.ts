import type { EventStore, LogFilter, Position, Recorded, SubscriptionItem } from '../domain/log.ts'
import { NOWHERE } from './builds.ts'
import { flush, type Log, type Running } from './flush.ts'
import type { Database } from './table.ts'

/** Measured in entries, of which one event can hold a thousand. */
const MAX_BATCH = 2000
const MAX_BUFFERED = 6000

const weightOf = ({ data }: Recorded): number => {
  const entries = (data as { entries?: unknown } | null)?.entries
  return Array.isArray(entries) ? entries.length : 1
}

/** The first events that weigh no more than a batch may, but at least one. */
const takeBatch = (events: Recorded[]): Recorded[] => {
  let weight = 0
  const end = events.findIndex((event) => {
    weight += weightOf(event)
    return weight > MAX_BATCH
  })
  return end < 0 ? events.splice(0) : events.splice(0, Math.max(1, end))
}

type Buffer = {
  take(): Promise<{ events: Recorded[]; caughtUp: boolean; ended: boolean }>
  failure(): unknown
  /** Lets go of the reader, whose source has been told to end. */
  close(): void
}

/** Reads ahead of the slower database, but only so far. */
const bufferOf = (items: AsyncIterable<SubscriptionItem>): Buffer => {
  const events: Recorded[] = []
  let buffered = 0
  let caughtUp = false
  let ended = false
  let closed = false
  let failure: unknown
  let wakeReader: (() => void) | undefined
  let wakeTaker: (() => void) | undefined

  const read = async (): Promise<void> => {
    for await (const item of items) {
      if (item.kind === 'event') {
        events.push(item.event)
        buffered += weightOf(item.event)
      } else caughtUp = true
      wakeTaker?.()
      if (buffered >= MAX_BUFFERED && !closed) {
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
    close: () => {
      closed = true
      wakeReader?.()
    },
    take: async () => {
      if (events.length === 0 && !caughtUp && !ended) {
        await new Promise<void>((resolve) => {
          wakeTaker = resolve
        })
        wakeTaker = undefined
      }
      const taken = takeBatch(events)
      buffered -= taken.reduce((sum, event) => sum + weightOf(event), 0)
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
    buffer.close()
  }
}
