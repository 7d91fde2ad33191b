import type { EventStore, LogFilter, Position } from '../domain/log.ts'
import { bufferOf } from './buffer.ts'
import { NOWHERE } from './builds.ts'
import { flush, type Log, type Running } from './flush.ts'
import type { Database } from './table.ts'

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
