/** What a group has still to read of a Kafka topic, and how somebody else reads just that. */
import type { Admin } from 'kafkajs'
import { kafkaGroup } from './kafka_consumer.ts'
import type { Bus, Message, PeekOptions } from './port.ts'

/** Offsets of one partition; `to` is exclusive. */
export type Unread = { readonly partition: number; readonly from: number; readonly to: number }

/** Every partition of the topic, those with nothing unread too. */
export async function unreadOf(admin: Admin, group: string, topic: string): Promise<Unread[]> {
  const groupId = kafkaGroup(group, topic)
  const ends = await admin.fetchTopicOffsets(topic)
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
  const committed = new Map(found?.partitions.map((one) => [one.partition, Number(one.offset)]))
  return ends.map(({ partition, high, low }) => ({
    partition,
    from: Math.max(Number(low), committed.get(partition) ?? 0),
    to: Number(high),
  }))
}

export type ReadOptions = PeekOptions & {
  readonly consume: Bus['consume']
  readonly unread: readonly Unread[]
  /** A group that nobody else is in: the one that is asked about stays where it stands. */
  readonly reader: string
}

/** Resolves early, with what it has by then, when the signal aborts. */
export async function readUnread(options: ReadOptions): Promise<Message[]> {
  const { consume, topic, limit, reader } = options
  const open = new Map(
    options.unread.filter(({ from, to }) => from < to).map((one) => [one.partition, one]),
  )
  const found: Message[] = []
  if (open.size === 0) return found
  const enough = new AbortController()

  function take(message: Message): void {
    const range = open.get(message.partition)
    const offset = Number(message.offset)
    if (!range || offset < range.from) return
    if (offset < range.to && found.length < limit) found.push(message)
    if (offset >= range.to - 1) open.delete(message.partition)
  }

  await consume({
    group: reader,
    topic,
    fromBeginning: true,
    maxBatch: 100,
    signal: AbortSignal.any([options.signal, enough.signal]),
    handle: async (messages) => {
      messages.forEach(take)
      if (open.size === 0 || found.length >= limit) enough.abort()
    },
  })
  return found
}
