/** Carries every event of the log to the bus, in the log's order, at least once. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EventStore, Position, Recorded, SubscriptionItem } from '../../domain/log.ts'
import { backoff_ms, waited } from './deliver.ts'
import { messageOf } from './envelope.ts'
import { BusClosed } from './errors.ts'
import type { Bus, Log, RelayTarget, TopicMessages } from './port.ts'

/** Which topic a stream's events go to: the first row whose prefix fits. */
export type TopicTable = readonly { readonly prefix: string; readonly topic: string }[]

export const topicTable: TopicTable = [
  { prefix: 'book-', topic: 'daybook.ledger' },
  { prefix: 'scores-', topic: 'daybook.risk' },
  { prefix: '', topic: 'daybook.events' },
]

export type RelayOptions = {
  readonly store: Pick<EventStore, 'subscribe'>
  readonly target: RelayTarget
  readonly topics: TopicTable
  readonly signal: AbortSignal
  readonly log: Log
  /** After each publication: the last position, how many events, and the last one's time. */
  readonly onProgress?: (progress: RelayProgress) => void
}

export type RelayProgress = {
  readonly position: Position
  readonly events: number
  readonly recordedAt: Date
}

/** Together with the next event being read, all that the relay ever holds. */
const maximumEvents = 500
const maximumBytes = 4 * 1024 * 1024
/** For ever, because an event that is left out is worse than one that is late. */
const retries = { attempts: Number.POSITIVE_INFINITY, delay_ms: 100, maximumDelay_ms: 5_000 }

type Batch = RelayProgress & { readonly topics: readonly TopicMessages[] }

/**
 * Runs until the signal aborts. While the bus is away it tries again for ever, and reads no
 * further meanwhile. Rejects when the bus was closed, or the position or the log cannot be read.
 */
export async function runRelay(options: RelayOptions): Promise<void> {
  const { store, target, log } = options
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  try {
    const after = (await target.position()) ?? 'start'
    log.info({ after: after === 'start' ? after : String(after.commit) }, 'the relay starts')
    const items = store.subscribe({ after, signal })[Symbol.asyncIterator]()
    for await (const batch of batchesOf(items, options.topics)) {
      if (!(await publish(batch, target, log, signal))) return
      const { position, events, recordedAt } = batch
      options.onProgress?.({ position, events, recordedAt })
    }
  } finally {
    stop.abort()
  }
}

/** Over a bus whose messages cannot be in one transaction with the position. */
export function relayTarget(
  bus: Pick<Bus, 'publish'>,
  checkpoints: {
    load(): Promise<Position | undefined>
    save(position: Position): Promise<void>
  },
): RelayTarget {
  return {
    position: checkpoints.load,
    async publish(batches, position) {
      for (const { topic, messages } of batches) await bus.publish(topic, messages)
      await checkpoints.save(position)
    },
  }
}

/** A batch ends when it is full, or when no further event is there already. */
async function* batchesOf(
  items: AsyncIterator<SubscriptionItem>,
  topics: TopicTable,
): AsyncGenerator<Batch> {
  let batch = createBatch(topics)
  let next = take(items)
  for (;;) {
    const nothingThere = batch.isEmpty() ? next : nextTurn(undefined)
    const item = await Promise.race([next, nothingThere])
    if (item && !item.done) {
      if (item.value.kind === 'event') batch.add(item.value.event)
      next = take(items)
      if (!batch.isFull()) continue
    }
    const finished = batch.finish()
    if (finished) yield finished
    if (item?.done) return
    batch = createBatch(topics)
  }
}

/** The read runs on while a batch is published; a fault then surfaces at the next await. */
function take(items: AsyncIterator<SubscriptionItem>): Promise<IteratorResult<SubscriptionItem>> {
  const next = items.next()
  next.catch(() => undefined)
  return next
}

function createBatch(table: TopicTable) {
  const byTopic = new Map<string, TopicMessages>()
  let last: Recorded | undefined
  let events = 0
  let bytes = 0
  return {
    isEmpty: () => events === 0,
    isFull: () => events >= maximumEvents || bytes >= maximumBytes,
    add(event: Recorded): void {
      const topic = table.find((row) => event.stream.startsWith(row.prefix))?.topic
      if (!topic) throw new Error(`no topic is declared for the stream ${event.stream}`)
      const group = byTopic.get(topic) ?? { topic, messages: [] }
      byTopic.set(topic, group)
      const message = messageOf(event)
      group.messages.push(message)
      last = event
      events += 1
      bytes += message.value.length
    },
    finish(): Batch | undefined {
      if (!last) return undefined
      const { position, recordedAt } = last
      return { topics: [...byTopic.values()], position, recordedAt, events }
    },
  }
}

/** False when stopped first. */
async function publish(
  batch: Batch,
  target: RelayTarget,
  log: Log,
  signal: AbortSignal,
): Promise<boolean> {
  for (let failures = 1; ; failures += 1) {
    try {
      await target.publish(batch.topics, batch.position)
      return true
    } catch (error) {
      if (signal.aborted) return false
      if (error instanceof BusClosed) throw error
      log.warn({ error, failures, events: batch.events }, 'the relay could not publish')
      if (!(await waited(backoff_ms(retries, failures), signal))) return false
    }
  }
}
