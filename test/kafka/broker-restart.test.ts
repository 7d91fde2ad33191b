import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openKafkaBus } from '../../infra/bus/kafka.ts'
import type { Bus, Message } from '../../infra/bus/port.ts'
import {
  type KafkaPlace,
  type KafkaServer,
  prepareKafka,
  startKafka,
} from '../../infra/kafka/server.ts'
import { message } from '../bus-contract.ts'

const deadline = { timeout: 60_000, interval: 20 }

describe.skipIf(!process.env.KAFKA_BROKERS)('a broker that restarts', { timeout: 180_000 }, () => {
  let place: KafkaPlace
  let server: KafkaServer
  let bus: Bus

  beforeEach(async () => {
    place = await prepareKafka()
    server = await startKafka(place)
    const log = pino({ level: 'silent' })
    bus = openKafkaBus({ brokers: [place.brokers], log, partitions: 4 })
  }, 90_000)

  afterEach(async () => {
    await bus.close()
    await server.stop()
    place.remove()
  }, 90_000)

  it('is waited for by consumers and publishers, and nothing is lost', async () => {
    const seen: Message[] = []
    const stop = new AbortController()
    const done = bus.consume({
      group: 'readers',
      topic: 'topic',
      fromBeginning: true,
      maxBatch: 10,
      signal: stop.signal,
      handle: async (messages) => void seen.push(...messages),
    })
    const distinct = () => [...new Set(seen.map(({ value }) => value))]
    await bus.publish('topic', [message('a', '1')])
    await vi.waitFor(() => expect(distinct()).toEqual(['1']), deadline)
    await server.stop()
    // A publication waits for so long only; whoever cannot lose it tries again, as the relay does.
    const publishing = vi.waitFor(() => bus.publish('topic', [message('a', '2')]), deadline)
    server = await startKafka(place)
    await publishing
    await bus.publish('topic', [message('a', '3')])
    await vi.waitFor(() => expect(distinct()).toEqual(['1', '2', '3']), deadline)
    await vi.waitFor(async () => expect(await bus.lag('readers', 'topic')).toBe(0), deadline)
    stop.abort()
    await done
  })

  it('shows as unavailable while it is away, within bounds', async () => {
    await bus.publish('topic', [message('a', '1')])
    await server.stop()
    await expect(bus.publish('topic', [message('a', '2')])).rejects.toThrow(/not acknowledged/)
    await expect(bus.lag('readers', 'topic')).rejects.toThrow(/did not answer/)
  })
})
