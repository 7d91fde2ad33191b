/** What every bus must do. Run over the embedded one always, over Kafka by `npm run test:kafka`. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BusClosed, HandlerFailed, PoisonedMessage } from '../infra/bus/errors.ts'
import type { Bus, ConsumeOptions, Message, OutgoingMessage } from '../infra/bus/port.ts'

export type BusHarness = {
  /** A bus over the same storage each time, that gives up on a handler after three tries. */
  open(): Promise<Bus>
}

const deadline = { timeout: 45_000, interval: 10 }

export function busContract(name: string, createHarness: () => Promise<BusHarness>): void {
  describe(name, () => {
    let harness: BusHarness
    let bus: Bus
    let stop: AbortController
    let topic: string
    let consumers: Promise<void>[]

    beforeEach(async () => {
      harness = await createHarness()
      bus = await harness.open()
      stop = new AbortController()
      topic = `test-${randomUUID()}`
      consumers = []
    })

    afterEach(async () => {
      stop.abort()
      await Promise.allSettled(consumers)
      await bus.close()
    })

    function consume(changes: Partial<ConsumeOptions>): { seen: Message[]; done: Promise<void> } {
      const seen: Message[] = []
      const done = bus.consume({
        group: 'readers',
        topic,
        fromBeginning: true,
        maxBatch: 10,
        signal: stop.signal,
        handle: async (messages) => void seen.push(...messages),
        ...changes,
      })
      done.catch(() => undefined)
      consumers.push(done)
      return { seen, done }
    }

    const values = (messages: readonly Message[]) => messages.map(({ value }) => value)
    const sorted = (messages: readonly Message[]) => values(messages).toSorted()

    it('gives back what was published, large and odd texts included', async () => {
      const large = message('a', JSON.stringify('x'.repeat(900_000)))
      const odd = { ...message('ключ', '"\\u0000 ✓"'), headers: { type: 'Ωμέγα', empty: '' } }
      await bus.publish(topic, [large, odd])
      const { seen } = consume({})
      await vi.waitFor(() => expect(seen).toHaveLength(2), deadline)
      for (const sent of [large, odd]) {
        const got = seen.find(({ id }) => id === sent.id)
        expect(got).toEqual({ ...sent, topic, partition: got?.partition, offset: got?.offset })
        expect(got?.offset).toMatch(/^\d+$/)
      }
    })

    it('keeps the order of each key, in batches no larger than asked', async () => {
      const sizes: number[] = []
      const seen: Message[] = []
      consume({
        handle: async (messages) => {
          sizes.push(messages.length)
          seen.push(...messages)
        },
      })
      const sent = Array.from({ length: 200 }, (_, index) =>
        message(`key-${index % 7}`, `${index}`),
      )
      for (let from = 0; from < 200; from += 25) {
        await bus.publish(topic, sent.slice(from, from + 25))
      }
      await vi.waitFor(() => expect(seen).toHaveLength(200), deadline)
      for (let key = 0; key < 7; key += 1) {
        const of = (messages: readonly OutgoingMessage[]) =>
          messages.filter((one) => one.key === `key-${key}`).map(({ value }) => value)
        expect(of(seen)).toEqual(of(sent))
      }
      expect(Math.max(...sizes)).toBeLessThanOrEqual(10)
    })

    it('hands a batch again when its handler failed, and commits it only then', async () => {
      await bus.publish(topic, [message('a', '1'), message('a', '2'), message('a', '3')])
      const tries: string[][] = []
      const lags: number[] = []
      consume({
        handle: async (messages) => {
          tries.push(values(messages))
          lags.push(await bus.lag('readers', topic))
          if (tries.length === 1) throw new Error('not today')
        },
      })
      await vi.waitFor(async () => expect(await bus.lag('readers', topic)).toBe(0), deadline)
      expect(tries).toEqual([
        ['1', '2', '3'],
        ['1', '2', '3'],
      ])
      expect(lags).toEqual([3, 3])
    })

    it('rejects when a handler keeps failing, and leaves the messages to the next one', async () => {
      await bus.publish(topic, [message('a', '1')])
      const cause = new Error('never')
      const { done } = consume({
        handle: async () => {
          throw cause
        },
      })
      const failure = await done.catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(HandlerFailed)
      expect(failure).toHaveProperty('cause', cause)
      expect(await bus.lag('readers', topic)).toBe(1)
      const { seen } = consume({})
      await vi.waitFor(() => expect(values(seen)).toEqual(['1']), deadline)
    })

    it('shows every message to every group', async () => {
      const first = consume({ group: 'first' })
      const second = consume({ group: 'second' })
      const sent = Array.from({ length: 20 }, (_, index) => message(`${index}`, `${index}`))
      await bus.publish(topic, sent)
      for (const { seen } of [first, second]) {
        await vi.waitFor(() => expect(seen).toHaveLength(20), deadline)
      }
    })

    it('lets one group read several topics', async () => {
      const first = consume({})
      const second = consume({ topic: `${topic}-2` })
      await bus.publish(topic, [message('a', '1'), message('b', '2')])
      await bus.publish(`${topic}-2`, [message('a', '3'), message('b', '4')])
      await vi.waitFor(() => expect(sorted(first.seen)).toEqual(['1', '2']), deadline)
      await vi.waitFor(() => expect(sorted(second.seen)).toEqual(['3', '4']), deadline)
    })

    it('shares the messages among the consumers of a group', async () => {
      const first = consume({})
      const second = consume({})
      let sent = 0
      const publishSome = async () => {
        const some = Array.from({ length: 20 }, () => message(`key-${sent}`, `${sent++}`))
        await bus.publish(topic, some)
      }
      const both = () => [...first.seen, ...second.seen]
      await vi.waitFor(async () => {
        await publishSome()
        expect(first.seen.length).toBeGreaterThan(0)
        expect(second.seen.length).toBeGreaterThan(0)
      }, deadline)
      await vi.waitFor(() => expect(new Set(values(both())).size).toBe(sent), deadline)
      const settled = both().length
      for (let round = 0; round < 10; round += 1) await publishSome()
      await vi.waitFor(() => expect(new Set(values(both())).size).toBe(sent), deadline)
      expect(both()).toHaveLength(settled + 200)
      const partitionsOf = ({ seen }: { seen: Message[] }) =>
        seen.filter(({ value }) => Number(value) >= sent - 200).map(({ partition }) => partition)
      const firstPartitions = new Set(partitionsOf(first))
      expect(partitionsOf(second).filter((one) => firstPartitions.has(one))).toEqual([])
    })

    it('keeps the offsets of a group when it is opened again', async () => {
      await bus.publish(topic, [message('a', '1'), message('b', '2')])
      const before = consume({})
      await vi.waitFor(async () => expect(await bus.lag('readers', topic)).toBe(0), deadline)
      expect(sorted(before.seen)).toEqual(['1', '2'])
      await bus.close()
      await before.done
      bus = await harness.open()
      await bus.publish(topic, [message('a', '3')])
      const after = consume({})
      await vi.waitFor(() => expect(values(after.seen)).toEqual(['3']), deadline)
    })

    it('moves a poisoned message to the dead topic and goes on', async () => {
      await bus.publish(topic, [message('a', '1'), message('a', 'bad'), message('a', '3')])
      const seen: string[] = []
      consume({
        handle: async (messages) => {
          const bad = messages.findIndex(({ value }) => value === 'bad')
          if (bad >= 0) throw new PoisonedMessage(bad, 'it is bad')
          seen.push(...values(messages))
        },
      })
      await vi.waitFor(() => expect(seen).toEqual(['1', '3']), deadline)
      await vi.waitFor(async () => expect(await bus.lag('readers', topic)).toBe(0), deadline)
      const dead = consume({ topic: `${topic}.dead` })
      await vi.waitFor(() => expect(values(dead.seen)).toEqual(['bad']), deadline)
      expect(dead.seen[0]?.headers).toMatchObject({
        type: 'Tested',
        'dead-topic': topic,
        'dead-offset': '1',
        'dead-group': 'readers',
        'dead-reason': 'it is bad',
      })
    })

    it('counts what a group has not read', async () => {
      expect(await bus.lag('readers', topic)).toBe(0)
      await bus.publish(topic, [message('a', '1'), message('b', '2'), message('c', '3')])
      expect(await bus.lag('readers', topic)).toBe(3)
      consume({})
      await vi.waitFor(async () => expect(await bus.lag('readers', topic)).toBe(0), deadline)
      expect(await bus.lag('others', topic)).toBe(3)
    })

    it('begins a new group at the end when asked to', async () => {
      await bus.publish(topic, [message('a', 'old')])
      const { seen } = consume({ fromBeginning: false })
      await vi.waitFor(async () => {
        await bus.publish(topic, [message('a', 'new')])
        expect(seen.length).toBeGreaterThan(0)
      }, deadline)
      expect(values(seen)).not.toContain('old')
    })

    it('finishes and commits the batch in hand when it is stopped', async () => {
      await bus.publish(topic, [message('a', '1')])
      const handling = Promise.withResolvers<void>()
      const allowed = Promise.withResolvers<void>()
      const { done } = consume({
        handle: async () => {
          handling.resolve()
          await allowed.promise
        },
      })
      await handling.promise
      stop.abort()
      allowed.resolve()
      await done
      expect(await bus.lag('readers', topic)).toBe(0)
    })

    it('refuses work after it was closed', async () => {
      const { done } = consume({})
      await bus.close()
      await done
      await expect(bus.publish(topic, [message('a', '1')])).rejects.toThrow(BusClosed)
      await expect(bus.lag('readers', topic)).rejects.toThrow(BusClosed)
      await expect(consume({}).done).rejects.toThrow(BusClosed)
    })
  })
}

export function message(key: string, value: string): OutgoingMessage {
  return { key, id: randomUUID(), value, headers: { type: 'Tested' } }
}
