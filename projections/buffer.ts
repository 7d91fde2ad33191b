import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Recorded, SubscriptionItem } from '../domain/log.ts'

/** Measured in entries, of which one event can hold a thousand. */
const MAX_BATCH = 2000
const MAX_BUFFERED = 6000

export type Batch = {
  readonly events: Recorded[]
  /** History had been delivered when this was taken. */
  readonly caughtUp: boolean
  /** Nothing will follow. */
  readonly ended: boolean
}

/** Reads a subscription ahead of whoever handles it, but only so far. */
export type Buffer = {
  /** All that is there, as much as a batch may hold; waits when there is nothing. */
  take(): Promise<Batch>
  /** Why the subscription ended, when that was a fault. */
  failure(): unknown
  /** Lets go of the reader, whose source has been told to end. */
  close(): void
}

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

export const bufferOf = (items: AsyncIterable<SubscriptionItem>): Buffer => {
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
      // Whatever is on its way already comes along: a batch costs little more than one event.
      for (let before = -1; events.length > before && buffered < MAX_BATCH; ) {
        before = events.length
        await nextTurn()
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
