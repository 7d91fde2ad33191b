import {
  CancelledError,
  type EventStoreDBClient,
  jsonEvent,
  NotLeaderError,
  UnavailableError,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import type { AppendResult, EventStore, NewEvent, Position } from '../../domain/log.ts'
import { AppendRefused, EventStoreUnavailable } from './errors.ts'
import { createGuardedClient, disposeClient } from './guarded-client.ts'
import { isFinal, messageOf, pause, withTimeout } from './retry.ts'

const MAX_ATTEMPTS = 5
/**
 * The client's batch call buffers 16 messages before it holds writers back, and a writer that is
 * held back when the call breaks ends in an unhandled rejection. Fewer appends than that at a
 * time never meet it; each carries any number of events.
 */
const MAX_IN_FLIGHT = 15
const MAX_WAITING = 10_000
/** One message per append, however large: a second one would count against the buffer. */
const BATCH_BYTES = 16 * 1024 * 1024
const DISPOSE_MS = 1_000

export type Appender = {
  readonly append: EventStore['append']
  readonly close: () => Promise<void>
}

/**
 * Appends over a client of its own, so that dropping that client disturbs no reader. The client
 * itself never gives up on a batched append: here each attempt has a time-out, and the next one
 * sends the same event ids at the same revision, which the event store recognises.
 */
export function createAppender(url: string, timeoutMs: number): Appender {
  const slots = createSlots()
  const closing = new AbortController()
  let client = createGuardedClient(url)

  /** The client reconnects by itself after the three errors it knows; after others it may not. */
  const replaceAfter = (error: unknown, failed: EventStoreDBClient): void => {
    const reconnects =
      error instanceof UnavailableError ||
      error instanceof CancelledError ||
      error instanceof NotLeaderError
    if (reconnects || failed !== client || closing.signal.aborted) return
    client = createGuardedClient(url)
    void disposeClient(failed, DISPOSE_MS)
  }

  const attempt = async (
    stream: string,
    expected: number,
    events: readonly NewEvent[],
  ): Promise<AppendResult> => {
    for (let tries = 1; ; tries++) {
      const used = client
      try {
        return await appendOnce(used, stream, expected, events, timeoutMs)
      } catch (error) {
        if (error instanceof WrongExpectedVersionError) return { outcome: 'conflict' }
        if (isFinal(error)) {
          throw new AppendRefused(`append to ${stream}: ${messageOf(error)}`, error)
        }
        if (closing.signal.aborted) throw new EventStoreUnavailable('the event store is closed')
        replaceAfter(error, used)
        if (tries === MAX_ATTEMPTS) {
          const message = `append to ${stream}: ${tries} attempts failed: ${messageOf(error)}`
          throw new EventStoreUnavailable(message, error)
        }
        await pause(tries, closing.signal)
      }
    }
  }

  return {
    append: async (stream, expected, events) => {
      assertAppendable(stream, expected, events)
      if (closing.signal.aborted) throw new EventStoreUnavailable('the event store is closed')
      await slots.take()
      try {
        return await attempt(stream, expected, events)
      } finally {
        slots.giveBack()
      }
    },
    close: async () => {
      closing.abort()
      await disposeClient(client, DISPOSE_MS)
    },
  }
}

async function appendOnce(
  client: EventStoreDBClient,
  stream: string,
  expected: number,
  events: readonly NewEvent[],
  timeoutMs: number,
): Promise<AppendResult> {
  const proposed = events.map(({ id, type, data, metadata }) =>
    jsonEvent({ id, type, data: data as Record<string, unknown>, metadata }),
  )
  const appended = await withTimeout(
    client.appendToStream(stream, proposed, {
      expectedRevision: expected === -1 ? 'no_stream' : BigInt(expected),
      batchAppendSize: BATCH_BYTES,
      deadline: timeoutMs,
    }),
    timeoutMs,
    `append to ${stream}`,
  )
  const revision = Number(appended.nextExpectedRevision)
  const position = appended.position ?? (await positionAt(client, stream, revision))
  return { outcome: 'appended', revision, position }
}

/** A server may leave the position out when it recognises an append that it had before. */
async function positionAt(
  client: EventStoreDBClient,
  stream: string,
  revision: number,
): Promise<Position> {
  const read = client.readStream(stream, { fromRevision: BigInt(revision), maxCount: 1 })
  for await (const { event } of read) if (event?.position) return event.position
  throw new EventStoreUnavailable(`append to ${stream}: the event store has no position for it`)
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const STREAM_NAME = /^[\x21-\x7e]+$/

/** Stream names travel in error trailers, which are ASCII; ids make retries recognisable. */
function assertAppendable(stream: string, expected: number, events: readonly NewEvent[]): void {
  if (!STREAM_NAME.test(stream)) {
    throw new AppendRefused(`stream names must be printable ASCII without spaces: ${stream}`)
  }
  if (!Number.isSafeInteger(expected) || expected < -1) {
    throw new AppendRefused(`append to ${stream}: ${expected} is no revision`)
  }
  if (events.length === 0) throw new AppendRefused(`append to ${stream}: there are no events`)
  const faulty = events.find(({ id }) => !UUID.test(id))
  if (faulty) throw new AppendRefused(`append to ${stream}: ${faulty.id} is not a UUID`)
}

function createSlots() {
  let free = MAX_IN_FLIGHT
  const waiting: (() => void)[] = []
  return {
    take: async (): Promise<void> => {
      if (free > 0) {
        free -= 1
        return
      }
      if (waiting.length >= MAX_WAITING) {
        throw new EventStoreUnavailable(`${MAX_WAITING} appends are waiting already`)
      }
      await new Promise<void>((resolve) => waiting.push(resolve))
    },
    giveBack: (): void => {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    },
  }
}
