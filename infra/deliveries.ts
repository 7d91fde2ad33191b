/** What leaves the house: one after another, a few tries each, never more waiting than is bounded. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from './log.ts'

const TRIES = 3
const FIRST_PAUSE_MS = 500
/** How long one try may take. */
export const TRY_TIMEOUT_MS = 5000
const MOST_WAITING = 10_000

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? error.cause : error
  const isLate = error.name === 'TimeoutError' || cause.name === 'TimeoutError'
  return (isLate ? `no answer within ${TRY_TIMEOUT_MS} ms` : cause.message).slice(0, 512)
}

/** How it went; without a reason it arrived. */
export type Sent = { readonly tries: number; readonly reason?: string }

/** Tries up to three times, with growing pauses. `send` throws what a person can act on. */
export const sendPatiently = async (
  send: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<Sent> => {
  let reason = ''
  for (let tries = 1; tries <= TRIES; tries += 1) {
    if (tries > 1) await wait(FIRST_PAUSE_MS * 2 ** (tries - 1), undefined, { signal })
    try {
      await send(AbortSignal.any([signal, AbortSignal.timeout(TRY_TIMEOUT_MS)]))
      return { tries }
    } catch (error) {
      signal.throwIfAborted()
      reason = reasonOf(error)
    }
  }
  return { tries: TRIES, reason }
}

export type Deliveries<Item> = {
  deliver(item: Item): void
  readonly settled: () => Promise<void>
}

/**
 * Delivers items one after another. What finds no room, or is not delivered by an error of our own,
 * is still queued in the log: it is taken up at the next start.
 */
export const createDeliveries = <Item extends object>(
  what: string,
  deliverOne: (item: Item) => Promise<void>,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Deliveries<Item> => {
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  const deliver = (item: Item): void => {
    if (waiting >= MOST_WAITING) {
      log.warn({ what, ...item }, 'too many wait; this one is sent after the next start')
      return
    }
    waiting += 1
    last = last
      .then(() => (signal.aborted ? undefined : deliverOne(item)))
      .catch((error: unknown) => {
        if (!signal.aborted) log.error({ what, ...item, error: String(error) }, 'it was not sent')
      })
      .finally(() => {
        waiting -= 1
      })
  }
  return {
    deliver,
    settled: async () => {
      while (waiting > 0) await last
    },
  }
}
