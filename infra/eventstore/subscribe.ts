import {
  type EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  type Filter,
  type ResolvedEvent,
  streamNameFilter,
} from '@eventstore/db-client'
import type {
  EventStore,
  LogFilter,
  Position,
  SubscribeOptions,
  SubscriptionItem,
} from '../../domain/log.ts'
import { EventStoreUnavailable } from './errors.ts'
import { isSystemEvent, toRecorded } from './recorded.ts'
import { isFinal, pause } from './retry.ts'
import { watched } from './watched.ts'

const CAUGHT_UP: SubscriptionItem = { kind: 'caught_up' }
/** The server looks at so many events between two of its checkpoints, which nobody reads here. */
const SEARCH_WINDOW = 1_000

/**
 * A subscription that outlives its connections: after any drop it goes on behind the last event
 * it yielded, and says `caught_up` again. `confirmMs`: how long a server may take to accept it.
 */
export async function* subscribe(
  client: EventStoreDBClient,
  head: EventStore['head'],
  options: SubscribeOptions,
  confirmMs: number,
): AsyncGenerator<SubscriptionItem> {
  const { signal } = options
  const filter = toFilter(options.filter)
  // A fixed place, so that a drop before the first event loses nothing.
  const isLive = options.after === 'end'
  let after: Position | 'start' | undefined = isLive
    ? undefined
    : (options.after as Position | 'start')
  let failures = 0
  while (!signal.aborted) {
    try {
      after ??= (await head()) ?? 'start'
      for await (const item of open(client, after, filter, signal, confirmMs)) {
        failures = 0
        if (item.kind === 'event') after = item.event.position
        yield item
      }
    } catch (error) {
      if (signal.aborted) return
      if (isFinal(error)) throw error
    }
    failures += 1
    await pause(failures, signal)
  }
}

async function* open(
  client: EventStoreDBClient,
  after: Position | 'start',
  filter: Filter,
  signal: AbortSignal,
  confirmMs: number,
): AsyncGenerator<SubscriptionItem> {
  const call = client.subscribeToAll({ fromPosition: after, filter })
  const timer = setTimeout(() => {
    const message = `a subscription was not confirmed within ${confirmMs} ms`
    call.destroy(new EventStoreUnavailable(message))
  }, confirmMs)
  call.once('confirmation', () => clearTimeout(timer))
  // The client reports this at once, past the events that wait in its buffer: queue it behind them.
  call.on('caughtUp', () => call.push(CAUGHT_UP))
  try {
    for await (const item of watched(call, signal, undefined)) {
      if (item === CAUGHT_UP) {
        yield CAUGHT_UP
        continue
      }
      const event = toRecorded(item as ResolvedEvent)
      if (event && !isSystemEvent(event)) yield { kind: 'event', event }
    }
  } finally {
    clearTimeout(timer)
  }
}

function toFilter(filter: LogFilter | undefined): Filter {
  if (!filter) return excludeSystemEvents({ maxSearchWindow: SEARCH_WINDOW })
  const prefixes = 'types' in filter ? filter.types : filter.streams
  if (prefixes.length === 0) throw new RangeError('a filter needs at least one prefix')
  const options = { prefixes: [...prefixes], maxSearchWindow: SEARCH_WINDOW }
  return 'types' in filter ? eventTypeFilter(options) : streamNameFilter(options)
}
