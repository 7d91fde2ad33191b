import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { EventStore, Recorded } from '../domain/log.ts'
import { type EmbeddedBus, openEmbeddedBus } from '../infra/bus/embedded.ts'
import { eventsOf, messageOf } from '../infra/bus/envelope.ts'
import { BusClosed, PoisonedMessage } from '../infra/bus/errors.ts'
import type { Bus, Message, RelayTarget } from '../infra/bus/port.ts'
import { type RelayProgress, relayTarget, runRelay, topicTable } from '../infra/bus/relay.ts'
import { connectEventStore } from '../infra/eventstore/client.ts'
import { startEmbeddedEventStore } from '../infra/eventstore/embedded/index.ts'

const log = pino({ level: 'silent' })
const deadline = { timeout: 30_000, interval: 5 }

const event: Recorded = {
  id: randomUUID(),
  stream: 'book-main',
  revision: 7,
  position: { commit: 2n ** 63n, prepare: 2n ** 63n },
  type: 'Counted',
  data: { number: 7, text: '✓' },
  metadata: { actor: 'tester' },
  recordedAt: new Date('2026-01-02T03:04:05.678Z'),
}

describe('the relay', { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-relay-'))
  let server: Awaited<ReturnType<typeof startEmbeddedEventStore>>
  let store: EventStore
  let buses = 0

  beforeAll(async () => {
    server = await startEmbeddedEventStore({ directory, port: 0 })
    store = connectEventStore({ url: server.url })
  })

  afterAll(async () => {
    await store.close()
    await server.close()
    rmSync(directory, { recursive: true })
  })

  function newFile(): string {
    buses += 1
    return join(directory, `bus-${buses}.sqlite`)
  }

  /** Appends events of one stream, each knowing its revision. */
  async function append(stream: string, from: number, count: number): Promise<void> {
    const events = Array.from({ length: count }, (_, index) => ({
      id: randomUUID(),
      type: 'Counted',
      data: { number: from + index },
      metadata: { actor: 'tester' },
    }))
    const result = await store.append(stream, from - 1, events)
    expect(result.outcome).toBe('appended')
  }

  function relay(target: RelayTarget, onProgress?: (progress: RelayProgress) => void) {
    const stop = new AbortController()
    const options = { store, target, topics: topicTable, signal: stop.signal, log }
    const done = runRelay(onProgress ? { ...options, onProgress } : options)
    done.catch(() => undefined)
    return {
      done,
      stop: async () => {
        stop.abort()
        await done
      },
    }
  }

  /** Everything that arrives on a topic from its beginning. */
  function listen(bus: Bus, topic: string) {
    const seen: Message[] = []
    const stop = new AbortController()
    const done = bus.consume({
      group: `listener-${randomUUID()}`,
      topic,
      fromBeginning: true,
      maxBatch: 500,
      signal: stop.signal,
      handle: async (messages) => void seen.push(...messages),
    })
    return {
      of: (stream: string): Recorded[] => eventsOf(seen.filter(({ key }) => key === stream)),
      stop: async () => {
        stop.abort()
        await done
      },
    }
  }

  const numbers = (events: readonly Recorded[]) => events.map(({ revision }) => revision)
  const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

  it('sends each stream to its topic, whole and in order', async () => {
    const bus = openEmbeddedBus({ file: newFile(), log })
    const suffix = randomUUID()
    const streams = { ledger: `book-${suffix}`, risk: `scores-${suffix}`, events: `user-${suffix}` }
    for (const stream of Object.values(streams)) await append(stream, 0, 3)
    const running = relay(bus.relayTarget('relay'))
    for (const [name, stream] of Object.entries(streams)) {
      const listener = listen(bus, `daybook.${name}`)
      await vi.waitFor(() => expect(numbers(listener.of(stream))).toEqual([0, 1, 2]), deadline)
      const stored: Recorded[] = []
      for await (const event of store.readStream(stream)) stored.push(event)
      expect(listener.of(stream)).toEqual(stored)
      await listener.stop()
    }
    await running.stop()
    await bus.close()
  })

  it('repeats nothing and loses nothing when it restarts in mid-traffic', async () => {
    const file = newFile()
    let bus: EmbeddedBus = openEmbeddedBus({ file, log })
    const stream = `book-${randomUUID()}`
    const total = 1_000
    const writing = (async () => {
      for (let from = 0; from < total; from += 10) await append(stream, from, 10)
    })()
    for (let restart = 0; restart < 5; restart += 1) {
      const progressed = Promise.withResolvers<void>()
      const running = relay(bus.relayTarget('relay'), () => progressed.resolve())
      await progressed.promise
      await running.stop()
      await bus.close()
      bus = openEmbeddedBus({ file, log })
    }
    const running = relay(bus.relayTarget('relay'))
    const listener = listen(bus, 'daybook.ledger')
    await writing
    await vi.waitFor(() => expect(listener.of(stream)).toHaveLength(total), deadline)
    expect(numbers(listener.of(stream))).toEqual(upTo(total))
    await running.stop()
    await listener.stop()
    await bus.close()
  })

  it('sends again what was published when the position was not saved', async () => {
    const bus = openEmbeddedBus({ file: newFile(), log })
    const stream = `book-${randomUUID()}`
    let saved = await store.head()
    let tries = 0
    const target = relayTarget(bus, {
      load: async () => saved,
      save: async (position) => {
        tries += 1
        if (tries === 1) throw new Error('the disk is full')
        saved = position
      },
    })
    await append(stream, 0, 1)
    const running = relay(target)
    const listener = listen(bus, 'daybook.ledger')
    await vi.waitFor(() => expect(numbers(listener.of(stream))).toEqual([0, 0]), deadline)
    expect(saved).toEqual(await store.head())
    await running.stop()
    await listener.stop()
    await bus.close()
  })

  it('reads no further than one batch while the bus does not take more', async () => {
    const stream = `book-${randomUUID()}`
    await append(stream, 0, 1_200)
    const sizes: number[] = []
    const stalled = Promise.withResolvers<void>()
    const bus = openEmbeddedBus({ file: newFile(), log })
    const inner = bus.relayTarget('relay')
    const target: RelayTarget = {
      ...inner,
      publish: async (batches, position) => {
        sizes.push(batches.reduce((sum, { messages }) => sum + messages.length, 0))
        await stalled.promise
        await inner.publish(batches, position)
      },
    }
    const running = relay(target)
    await vi.waitFor(() => expect(sizes).toHaveLength(1), deadline)
    await append(`book-${randomUUID()}`, 0, 100)
    expect(sizes).toHaveLength(1)
    stalled.resolve()
    await vi.waitFor(() => expect(sizes.length).toBeGreaterThan(2), deadline)
    await running.stop()
    await bus.close()
  })

  it('publishes together what is there already, and at most 500', async () => {
    const bus = openEmbeddedBus({ file: newFile(), log })
    const sizes: number[] = []
    const all = Promise.withResolvers<void>()
    const stop = new AbortController()
    const done = runRelay({
      store: {
        async *subscribe({ signal }) {
          for (const revision of upTo(1_200)) yield { kind: 'event', event: { ...event, revision } }
          yield { kind: 'caught_up' }
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        },
      },
      target: bus.relayTarget('relay'),
      topics: topicTable,
      signal: stop.signal,
      log,
      onProgress: ({ events }) => {
        sizes.push(events)
        if (sizes.reduce((sum, size) => sum + size, 0) === 1_200) all.resolve()
      },
    })
    await all.promise
    expect(sizes).toEqual([500, 500, 200])
    stop.abort()
    await done
    await bus.close()
  })

  it('ends with BusClosed when the bus was closed under it', async () => {
    const bus = openEmbeddedBus({ file: newFile(), log })
    const progressed = Promise.withResolvers<void>()
    const running = relay(bus.relayTarget('relay'), () => progressed.resolve())
    await append(`book-${randomUUID()}`, 0, 1)
    await progressed.promise
    await bus.close()
    await append(`book-${randomUUID()}`, 0, 1)
    await expect(running.done).rejects.toThrow(BusClosed)
  })
})

describe('an event as a message', () => {
  const received = (value: string): Message => ({
    ...messageOf(event),
    value,
    topic: 'topic',
    partition: 0,
    offset: '0',
  })

  it('survives the journey', () => {
    expect(eventsOf([received(messageOf(event).value)])).toEqual([event])
  })

  it.each(['{', '{}', '[]', JSON.stringify({ ...event, position: 1, revision: -1 })])(
    'is poison when it is %s',
    (value) => {
      const good = received(messageOf(event).value)
      const read = () => eventsOf([good, received(value)])
      expect(read).toThrow(PoisonedMessage)
      expect(read).toThrow(expect.objectContaining({ messageIndex: 1 }))
    },
  )
})
