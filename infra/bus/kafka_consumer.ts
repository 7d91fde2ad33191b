/** One consumer of a Kafka group, from joining to leaving, over lost brokers and rebalances. */
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import { backoff_ms, type Delivery, deliver, waited } from './deliver.ts'
import { BusUnavailable, HandlerFailed } from './errors.ts'
import type { Message } from './port.ts'

/** The Kafka header that carries a message's id. */
export const idHeader = 'daybook-id'

/**
 * A group of the bus on one topic is a group of its own in Kafka: kafkajs hands out partitions as
 * if all members of a group had asked for the same topics.
 */
export function kafkaGroup(group: string, topic: string): string {
  return `${group}.${topic}`
}

const sessionTimeout_ms = 15_000
const heartbeat_ms = 1_000
const rejoin = { attempts: Number.POSITIVE_INFINITY, delay_ms: 200, maximumDelay_ms: 5_000 }

/**
 * Resolves when the delivery's signal aborts. Rejects with HandlerFailed, or with BusUnavailable
 * when Kafka refuses for good; a broker that is merely away is waited for.
 */
export async function consumeFromKafka(
  kafka: Kafka,
  delivery: Delivery,
  ensureTopic: () => Promise<void>,
): Promise<void> {
  const { signal, log, options } = delivery
  let failures = 0
  while (!signal.aborted) {
    const session = createSession(delivery)
    try {
      await ensureTopic()
      await runSession(kafka, session, delivery)
      return
    } catch (error) {
      if (error instanceof HandlerFailed) throw error
      if (signal.aborted) return
      if (!isPassing(error)) {
        const text = error instanceof Error ? error.message : String(error)
        throw new BusUnavailable(`group ${options.group} cannot go on: ${text}`, { cause: error })
      }
      failures = session.handled() ? 1 : failures + 1
      log.warn({ group: options.group, topic: options.topic, failures, error }, 'rejoining Kafka')
      await waited(backoff_ms(rejoin, failures), signal)
    }
  }
}

type Session = ReturnType<typeof createSession>

/**
 * What one kafkajs consumer goes through. kafkajs has its own restart after a crash, but a stop
 * that comes while it is joining is lost and leaves a consumer behind: so each crash ends the
 * session here, and the next one is a new consumer.
 */
function createSession(delivery: Delivery) {
  const { options, signal } = delivery
  const ended = Promise.withResolvers<void>()
  ended.promise.catch(() => undefined)
  let over = false
  let handled = false

  function end(error?: unknown): void {
    over = true
    if (error === undefined) ended.resolve()
    else ended.reject(error)
  }

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, heartbeat } = payload
    const { topic, partition } = batch
    for (let from = 0; from < batch.messages.length; from += options.maxBatch) {
      if (over || signal.aborted || !payload.isRunning() || payload.isStale()) return
      const records = batch.messages.slice(from, from + options.maxBatch)
      const last = records.at(-1)
      if (!last) return
      try {
        const messages = records.map((record) => messageOf(topic, partition, record))
        if (!(await beating(heartbeat, () => deliver(messages, delivery)))) return
      } catch (error) {
        // Thrown, kafkajs would retry it by rules of its own.
        end(error)
        return
      }
      handled = true
      const offset = String(BigInt(last.offset) + 1n)
      await payload.commitOffsetsIfNecessary({
        topics: [{ topic, partitions: [{ partition, offset }] }],
      })
      payload.resolveOffset(last.offset)
      await heartbeat()
    }
  }

  return { ended: ended.promise, end, eachBatch, handled: () => handled }
}

async function runSession(kafka: Kafka, session: Session, delivery: Delivery): Promise<void> {
  const { options, signal } = delivery
  const consumer = kafka.consumer({
    groupId: kafkaGroup(options.group, options.topic),
    sessionTimeout: sessionTimeout_ms,
    heartbeatInterval: heartbeat_ms,
    maxWaitTimeInMs: 500,
    allowAutoTopicCreation: false,
    retry: {
      retries: 5,
      initialRetryTime: 200,
      maxRetryTime: 2_000,
      restartOnFailure: async () => false,
    },
  })
  const stop = () => session.end()
  signal.addEventListener('abort', stop)
  consumer.on(consumer.events.CRASH, ({ payload }) => session.end(payload.error))
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [options.topic], fromBeginning: options.fromBeginning })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: session.eachBatch,
    })
    if (signal.aborted) stop()
    await session.ended
  } finally {
    signal.removeEventListener('abort', stop)
    session.end()
    await leave(consumer, delivery)
  }
}

async function leave(consumer: Consumer, { log, options }: Delivery): Promise<void> {
  try {
    await consumer.disconnect()
  } catch (error) {
    log.warn({ group: options.group, error }, 'a consumer could not say good-bye to Kafka')
  }
}

/** Keeps the membership alive while a handler works; a lost one shows at the commit. */
async function beating<Result>(
  heartbeat: () => Promise<void>,
  work: () => Promise<Result>,
): Promise<Result> {
  const timer = setInterval(() => heartbeat().catch(() => undefined), heartbeat_ms)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

/** Whether waiting can help, as kafkajs itself judges it. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof BusUnavailable || error.name === 'KafkaJSNumberOfRetriesExceeded')
    return true
  if ('retriable' in error && error.retriable === true) return true
  return isPassing(error.cause)
}

function messageOf(topic: string, partition: number, record: KafkaMessage): Message {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    if (value !== undefined) headers[name] = String(value)
  }
  const { [idHeader]: id = `${topic}/${partition}/${record.offset}`, ...rest } = headers
  return {
    topic,
    partition,
    offset: record.offset,
    key: record.key?.toString() ?? '',
    id,
    value: record.value?.toString() ?? '',
    headers: rest,
  }
}
