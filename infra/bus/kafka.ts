/** The bus over Kafka. Traps of kafkajs 2.2.4 are named where they are avoided. */
import { randomUUID } from 'node:crypto'
import { type Admin, Kafka, logLevel, Partitioners, type Producer } from 'kafkajs'
import { createTurns } from '../../domain/turns.ts'
import { backoff_ms, defaultRetries, waited } from './deliver.ts'
import { BusClosed, BusUnavailable } from './errors.ts'
import { consumeFromKafka, idHeader, kafkaGroup } from './kafka_consumer.ts'
import { readUnread, unreadOf } from './kafka_peek.ts'
import type {
  Bus,
  ConsumeOptions,
  Log,
  Message,
  OutgoingMessage,
  PeekOptions,
  RetryPolicy,
} from './port.ts'

export type KafkaBusOptions = {
  /** `host:port` of some brokers of the cluster. */
  readonly brokers: readonly string[]
  readonly log: Log
  /** For topics that are created because they are missing. */
  readonly partitions: number
  readonly retries?: RetryPolicy
}

const requestTimeout_ms = 15_000
const closeTimeout_ms = 10_000
/** About five seconds inside kafkajs, which by itself would let an idempotent producer try for ever. */
const clientRetries = { retries: 5, initialRetryTime: 200, maxRetryTime: 2_000 }
const publishRetries: RetryPolicy = { attempts: 3, delay_ms: 200, maximumDelay_ms: 1_000 }
/** An event of 1 MiB and its envelope; Kafka's own limit is just below 1 MiB. */
const maximumMessageBytes = 2 * 1024 * 1024
/** kafkajs sends one record batch per call, and the topic's limit holds for the batch. */
const sendBytes = 900 * 1024

/** Connects lazily: brokers that are away show as BusUnavailable when something is asked of them. */
export function openKafkaBus(options: KafkaBusOptions): Bus {
  const { log, retries = defaultRetries } = options
  const kafka = createClient(options)
  const closing = new AbortController()
  const running = new Set<Promise<void>>()
  const topics = new Map<string, Promise<void>>()
  let producer: Promise<Producer> | undefined
  const inTurn = createTurns()

  function assertOpen(): void {
    if (closing.signal.aborted) throw new BusClosed()
  }

  /** A client per use, because one that has lost its brokers does not always find them again. */
  async function withAdmin<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = kafka.admin()
    try {
      await admin.connect()
      return await work(admin)
    } catch (cause) {
      throw new BusUnavailable(`Kafka did not answer: ${reasonOf(cause)}`, { cause })
    } finally {
      await admin.disconnect().catch(() => undefined)
    }
  }

  function ensureTopic(topic: string): Promise<void> {
    const known = topics.get(topic) ?? withAdmin((admin) => createTopic(admin, topic))
    topics.set(topic, known)
    known.catch(() => topics.delete(topic))
    return known
  }

  async function createTopic(admin: Admin, topic: string): Promise<void> {
    if ((await admin.listTopics()).includes(topic)) return
    const configEntries = [{ name: 'max.message.bytes', value: String(maximumMessageBytes) }]
    const numPartitions = options.partitions
    await admin.createTopics({
      topics: [{ topic, numPartitions, replicationFactor: -1, configEntries }],
      timeout: requestTimeout_ms,
    })
  }

  async function connectProducer(): Promise<Producer> {
    const created = kafka.producer({
      createPartitioner: Partitioners.DefaultPartitioner,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: clientRetries,
    })
    await created.connect()
    return created
  }

  async function dropProducer(): Promise<void> {
    const dropped = producer
    producer = undefined
    await dropped?.then((connected) => connected.disconnect()).catch(() => undefined)
  }

  async function send(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    const records = messages.map(({ key, id, value, headers }) => ({
      key,
      value,
      headers: { ...headers, [idHeader]: id },
    }))
    for (let failures = 1; ; failures += 1) {
      try {
        await ensureTopic(topic)
        producer ??= connectProducer()
        await (await producer).send({
          topic,
          messages: records,
          acks: -1,
          timeout: requestTimeout_ms,
        })
        return
      } catch (cause) {
        // A producer that failed may have lost count of its sequence numbers; a new one has not.
        await dropProducer()
        assertOpen()
        if (failures >= publishRetries.attempts) {
          const text = `${messages.length} messages to ${topic} were not acknowledged`
          throw new BusUnavailable(`${text}: ${reasonOf(cause)}`, { cause })
        }
        log.warn({ topic, failures, error: cause }, 'publishing to Kafka failed, once more')
        await waited(backoff_ms(publishRetries, failures), closing.signal)
      }
    }
  }

  async function publish(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    assertOpen()
    // One call after another: concurrent sends of an idempotent kafkajs producer lose their order.
    await inTurn(async () => {
      for (const part of parts(messages)) {
        assertOpen()
        await send(topic, part)
      }
    })
  }

  async function consume(asked: ConsumeOptions): Promise<void> {
    assertOpen()
    const signal = AbortSignal.any([asked.signal, closing.signal])
    const publishDead = (topic: string, message: OutgoingMessage) => publish(topic, [message])
    const delivery = { options: asked, retries, log, signal, publishDead }
    const done = consumeFromKafka(kafka, delivery, () => ensureTopic(asked.topic))
    running.add(done)
    await done.finally(() => running.delete(done))
  }

  async function lag(group: string, topic: string): Promise<number> {
    assertOpen()
    await ensureTopic(topic)
    const unread = await withAdmin((admin) => unreadOf(admin, group, topic))
    return unread.reduce((sum, { from, to }) => sum + to - from, 0)
  }

  async function topicNames(): Promise<string[]> {
    assertOpen()
    return (await withAdmin((admin) => admin.listTopics())).toSorted()
  }

  async function peek(asked: PeekOptions): Promise<Message[]> {
    const { group, topic } = asked
    if (!(await topicNames()).includes(topic)) return []
    const unread = await withAdmin((admin) => unreadOf(admin, group, topic))
    const reader = `peek-${randomUUID()}`
    try {
      return await readUnread({ consume, unread, reader, ...asked })
    } finally {
      // What is left behind after all, Kafka forgets by itself.
      await withAdmin((admin) => admin.deleteGroups([kafkaGroup(reader, topic)])).catch(
        () => undefined,
      )
    }
  }

  async function close(): Promise<void> {
    if (closing.signal.aborted) return
    closing.abort()
    const deadline = new AbortController()
    const finished = Promise.allSettled([...running, inTurn(async () => undefined)]).then(
      dropProducer,
    )
    await Promise.race([finished, waited(closeTimeout_ms, deadline.signal)])
    deadline.abort()
  }

  return { publish, consume, lag, peek, topics: topicNames, close }
}

function createClient({ brokers, log }: KafkaBusOptions): Kafka {
  return new Kafka({
    clientId: 'daybook',
    brokers: [...brokers],
    connectionTimeout: 5_000,
    requestTimeout: requestTimeout_ms,
    enforceRequestTimeout: true,
    retry: clientRetries,
    logLevel: logLevel.WARN,
    // Chosen fields only: kafkajs also logs what it was configured with.
    logCreator: () => (entry) => {
      const { message, groupId, broker, error, retryCount } = entry.log
      const reason = error instanceof Error ? error.message : error
      log.warn({ from: `kafkajs ${entry.namespace}`, groupId, broker, reason, retryCount }, message)
    },
  })
}

function parts(messages: readonly OutgoingMessage[]): OutgoingMessage[][] {
  const all: OutgoingMessage[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const message of messages) {
    const bytes = Buffer.byteLength(message.value)
    if (size + bytes > sendBytes) {
      all.push([])
      size = 0
    }
    all.at(-1)?.push(message)
    size += bytes
  }
  return all
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
