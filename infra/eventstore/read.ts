import {
  type EventStoreDBClient,
  type ResolvedEvent,
  StreamDeletedError,
  StreamNotFoundError,
} from '@eventstore/db-client'
import type { EventStore, Position, Recorded } from '../../domain/log.ts'
import { EventStoreUnavailable } from './errors.ts'
import { isSystemEvent, toRecorded } from './recorded.ts'
import { isFinal, messageOf, pause } from './retry.ts'
import { type Call, watched } from './watched.ts'

const MAX_FAILURES = 5
/** How many more events than wanted to ask for, as some will be system events. */
const SYSTEM_ALLOWANCE = 8

/** A read that can go on behind the last event it saw, system events included. */
type Source = {
  readonly what: string
  /** Undefined when there is nothing behind `last`. */
  readonly open: (last: Recorded | undefined, count: number) => Call | undefined
  readonly extra: number
}

export type Reads = Pick<EventStore, 'readStream' | 'readAll' | 'head'>

/** Reads over `client`. `idleMs`: how long a read may deliver nothing before it is tried again. */
export function createReads(client: EventStoreDBClient, idleMs: number): Reads {
  const readAll: EventStore['readAll'] = (options = {}) => {
    const { from, direction, limit, signal } = options
    if (direction !== 'backwards') return run(forwards(client, from), limit, signal, idleMs)
    return backwards(client, from, limit, signal, idleMs)
  }
  return {
    readStream: (stream, options = {}) => {
      const { limit, signal } = options
      return run(ofStream(client, stream, options), limit, signal, idleMs)
    },
    readAll,
    head: async () => {
      for await (const last of readAll({ direction: 'backwards', limit: 1 })) return last.position
      return undefined
    },
  }
}

async function* run(
  source: Source,
  limit: number | undefined,
  signal: AbortSignal | undefined,
  idleMs: number,
): AsyncGenerator<Recorded> {
  let left = limit ?? Number.MAX_SAFE_INTEGER
  let last: Recorded | undefined
  let failures = 0
  while (left > 0) {
    const count = Math.min(left + source.extra, Number.MAX_SAFE_INTEGER)
    const call = source.open(last, count)
    if (!call) return
    let received = 0
    try {
      for await (const item of watched(call, signal, idleMs)) {
        received += 1
        failures = 0
        const event = toRecorded(item as ResolvedEvent)
        // The whole log is read on from the last position inclusively.
        if (!event || (last && isSamePlace(event, last))) continue
        last = event
        if (source.extra > 0 && isSystemEvent(event)) continue
        yield event
        left -= 1
        if (left === 0) return
      }
      if (received < count) return
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof StreamNotFoundError || error instanceof StreamDeletedError) return
      if (isFinal(error)) throw error
      failures += 1
      if (failures === MAX_FAILURES) {
        throw new EventStoreUnavailable(`${source.what}: ${messageOf(error)}`, error)
      }
      await pause(failures, signal)
    }
  }
}

function isSamePlace(a: Recorded, b: Recorded): boolean {
  return a.position.commit === b.position.commit && a.position.prepare === b.position.prepare
}

function ofStream(
  client: EventStoreDBClient,
  stream: string,
  { from, direction = 'forwards' }: { from?: number; direction?: 'forwards' | 'backwards' },
): Source {
  const isForwards = direction === 'forwards'
  return {
    what: `read of ${stream}`,
    extra: 0,
    open: (last, maxCount) => {
      const next = last ? last.revision + (isForwards ? 1 : -1) : from
      if (next !== undefined && next < 0) return undefined
      const fromRevision = next === undefined ? (isForwards ? 'start' : 'end') : BigInt(next)
      return client.readStream(stream, { fromRevision, direction, maxCount })
    },
  }
}

function forwards(client: EventStoreDBClient, from: Position | undefined): Source {
  return {
    what: 'read of the log',
    extra: SYSTEM_ALLOWANCE,
    open: (last, maxCount) =>
      client.readAll({ fromPosition: last?.position ?? from ?? 'start', maxCount }),
  }
}

/** The event store excludes the position a backward read begins at; the log includes it. */
async function* backwards(
  client: EventStoreDBClient,
  from: Position | undefined,
  limit: number | undefined,
  signal: AbortSignal | undefined,
  idleMs: number,
): AsyncGenerator<Recorded> {
  let left = limit
  if (from) {
    for await (const first of run(forwards(client, from), 1, signal, idleMs)) {
      if (first.position.commit !== from.commit) break
      yield first
      left = limit && limit - 1
    }
  }
  const source: Source = {
    what: 'read of the log',
    extra: SYSTEM_ALLOWANCE,
    open: (last, maxCount) =>
      client.readAll({
        fromPosition: last?.position ?? from ?? 'end',
        direction: 'backwards',
        maxCount,
      }),
  }
  yield* run(source, left, signal, idleMs)
}
