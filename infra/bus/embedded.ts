/** The bus of a one-machine install: the semantics of Kafka, in this thread, over one file. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { defaultRetries, deliver, waited } from './deliver.ts'
import { BusClosed } from './errors.ts'
import { createGroup, type Group } from './group.ts'
import type {
  Bus,
  ConsumeOptions,
  Log,
  Message,
  PeekOptions,
  RelayTarget,
  RetryPolicy,
} from './port.ts'
import { openStorage, type Retention, type Storage } from './storage.ts'

export type EmbeddedBusOptions = {
  readonly file: string
  readonly log: Log
  readonly retention?: Retention
  readonly retries?: RetryPolicy
}

export type EmbeddedBus = Bus & {
  /** Messages and position in one transaction. The name keeps several relays apart. */
  relayTarget(name: string): RelayTarget
}

const partitionCount = 4
const closeTimeout_ms = 10_000
/** Messages published to a partition before it is tidied up again. */
const trimInterval = 1_024

const defaultRetention: Retention = {
  maximumMessages: 50_000,
  maximumAge_ms: 7 * 24 * 3_600_000,
  hardCapMessages: 250_000,
}

/**
 * Opens the bus; the file is created when missing. Throws when it is damaged, in use by another
 * process, or another program's.
 */
export function openEmbeddedBus(options: EmbeddedBusOptions): EmbeddedBus {
  const { log, retention = defaultRetention, retries = defaultRetries } = options
  const storage = openStorage(options.file, partitionCount)
  const groups = new Map<string, Group>()
  const trimmedAt = new Map<string, number>()
  const running = new Set<Promise<void>>()
  const closing = new AbortController()

  function assertOpen(): void {
    if (closing.signal.aborted) throw new BusClosed()
  }

  function groupOf(name: string, topicName: string, fromBeginning: boolean): Group {
    const key = JSON.stringify([name, topicName])
    const topic = storage.topic(topicName)
    const group =
      groups.get(key) ?? createGroup(name, topic, storage.join(name, topic, fromBeginning))
    groups.set(key, group)
    return group
  }

  function publish(
    batches: Parameters<Storage['publish']>[0],
    mark?: Parameters<Storage['publish']>[1],
  ): void {
    assertOpen()
    storage.publish(batches, mark)
    for (const { topic } of batches) {
      tidy(topic)
      for (const group of groups.values()) if (group.topic.name === topic) group.wake()
    }
  }

  function tidy(topicName: string): void {
    const topic = storage.topic(topicName)
    for (const [partition, end] of topic.next.entries()) {
      const key = `${topic.id}/${partition}`
      if (end - (trimmedAt.get(key) ?? Number.NEGATIVE_INFINITY) < trimInterval) continue
      trimmedAt.set(key, end)
      storage.trim(topic, partition, retention)
    }
  }

  async function run(consume: ConsumeOptions): Promise<void> {
    const signal = AbortSignal.any([consume.signal, closing.signal])
    const group = groupOf(consume.group, consume.topic, consume.fromBeginning)
    const publishDead = async (topic: string, message: Parameters<Bus['publish']>[1][number]) =>
      publish([{ topic, messages: [message] }])
    const member = group.join(signal)
    try {
      while (!signal.aborted) {
        const partition = member.claim()
        if (partition === undefined) {
          await member.work()
          continue
        }
        try {
          const batch = readBatch(group, partition, consume.maxBatch)
          const delivery = { options: consume, retries, log, signal, publishDead }
          if (await deliver(batch, delivery)) commit(group, partition, batch)
        } finally {
          member.release(partition)
        }
        // Without this, handlers that never wait would keep timers and sockets from their turn.
        await nextTurn()
      }
    } finally {
      member.leave()
    }
  }

  function readBatch(group: Group, partition: number, limit: number) {
    const from = group.next[partition] ?? 0
    const batch = storage.read(group.topic, partition, from, limit)
    const lost = Number(batch[0]?.offset ?? from) - from
    if (lost > 0) {
      const facts = { group: group.name, topic: group.topic.name, partition, lost }
      log.error(facts, 'a group fell too far behind; messages were dropped unread')
    }
    return batch
  }

  function commit(group: Group, partition: number, batch: ReturnType<typeof readBatch>): void {
    const last = batch.at(-1)
    if (!last) return
    const next = Number(last.offset) + 1
    storage.commit(group.name, group.topic, partition, next)
    group.next[partition] = next
  }

  function peek({ group, topic: name, limit }: PeekOptions): Message[] {
    if (!storage.topicNames().includes(name)) return []
    const topic = storage.topic(name)
    const found: Message[] = []
    for (const partition of topic.next.keys()) {
      let from = storage.nextOf(group, topic, partition)
      while (found.length < limit) {
        const batch = storage.read(topic, partition, from, limit - found.length)
        if (batch.length === 0) break
        found.push(...batch)
        from = Number(batch.at(-1)?.offset) + 1
      }
    }
    return found
  }

  return {
    async publish(topic, messages) {
      publish([{ topic, messages: [...messages] }])
    },
    async consume(consume) {
      assertOpen()
      const done = run(consume)
      running.add(done)
      await done.finally(() => running.delete(done))
    },
    async lag(group, topic) {
      assertOpen()
      return storage.lag(group, storage.topic(topic))
    },
    async peek(options) {
      assertOpen()
      return peek(options)
    },
    async topics() {
      assertOpen()
      return storage.topicNames()
    },
    async close() {
      if (closing.signal.aborted) return
      closing.abort()
      const deadline = new AbortController()
      await Promise.race([Promise.allSettled(running), waited(closeTimeout_ms, deadline.signal)])
      deadline.abort()
      storage.close()
    },
    relayTarget(name) {
      return {
        async position() {
          assertOpen()
          return storage.position(name)
        },
        async publish(batches, position) {
          publish(batches, { name, position })
        },
      }
    },
  }
}
