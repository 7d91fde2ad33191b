/** Carries every event of the log to the bus, in the log's order, at least once. */
import type { EventStore, LogFilter, Position, Recorded } from '../../domain/log.ts'
import { bufferOf } from '../../projections/buffer.ts'
import { backoff_ms, waited } from './deliver.ts'
import { messageOf } from './envelope.ts'
import { BusClosed } from './errors.ts'
import type { Bus, Log, RelayTarget, TopicMessages } from './port.ts'

/** Which topic a stream's events go to: the first row whose prefix fits. */
export type TopicTable = readonly { readonly prefix: string; readonly topic: string }[]

const ledger = { prefix: 'book-', topic: 'daybook.ledger' }

/** All that an embedded bus carries: nobody but the scorer listens there. */
export const ledgerTopic: TopicTable = [ledger]

export const topicTable: TopicTable = [
  ledger,
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

/** What is published at once. */
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
    const filter = filterOf(options.topics)
    const buffer = bufferOf(store.subscribe({ after, signal, ...(filter && { filter }) }))
    for (let ended = false; !ended; ) {
      const taken = await buffer.take()
      for (const batch of batchesOf(taken.events, options.topics)) {
        if (!(await publish(batch, target, log, signal))) return
        const { position, events, recordedAt } = batch
        options.onProgress?.({ position, events, recordedAt })
      }
      ended = taken.ended
    }
    if (buffer.failure() && !signal.aborted) throw buffer.failure()
  } finally {
    stop.abort()
  }
}

/** Only what has a topic; all of it when one row fits every stream. */
function filterOf(topics: TopicTable): LogFilter | undefined {
  const streams = topics.map(({ prefix }) => prefix)
  return streams.includes('') ? undefined : { streams }
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

/** What has arrived, as batches of bounded size. */
function* batchesOf(events: readonly Recorded[], topics: TopicTable): Generator<Batch> {
  let batch = createBatch(topics)
  for (const event of events) {
    batch.add(event)
    if (!batch.isFull()) continue
    yield* batch.finish()
    batch = createBatch(topics)
  }
  yield* batch.finish()
}

function createBatch(table: TopicTable) {
  const byTopic = new Map<string, TopicMessages>()
  let last: Recorded | undefined
  let events = 0
  let bytes = 0
  return {
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
    finish(): Batch[] {
      if (!last) return []
      const { position, recordedAt } = last
      return [{ topics: [...byTopic.values()], position, recordedAt, events }]
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
