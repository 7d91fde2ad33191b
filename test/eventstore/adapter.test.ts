import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { EventStoreDBClient } from '@eventstore/db-client'
import { afterEach, describe, expect, it } from 'vitest'
import type { EventStore, Position, Recorded, SubscriptionItem } from '../../domain/log.ts'
import { connectEventStore } from '../../infra/eventstore/client.ts'
import { noFaults } from '../../infra/eventstore/embedded/faults.ts'
import {
  type EmbeddedEventStore,
  startEmbeddedEventStore,
} from '../../infra/eventstore/embedded/index.ts'
import { createGuardedClient } from '../../infra/eventstore/guarded-client.ts'
import { createReads } from '../../infra/eventstore/read.ts'
import {
  collect,
  event,
  freshStream,
  newEvent,
  newEvents,
  rejection,
  temporaryDirectory,
  until,
  useEventStore,
} from './support.ts'

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const undo of cleanUp.splice(0).toReversed()) await undo()
})

async function startServer(port = 0, directory?: string): Promise<EmbeddedEventStore> {
  const place = directory ?? (await temporaryDirectory())
  if (!directory) cleanUp.push(() => rm(place, { recursive: true, force: true }))
  const server = await startEmbeddedEventStore({ directory: place, port })
  cleanUp.push(() => server.close())
  return server
}

function connect(url: string, timeoutMs = 300): EventStore {
  const store = connectEventStore({ url, appendTimeoutMs: timeoutMs, readTimeoutMs: timeoutMs })
  cleanUp.push(() => store.close())
  return store
}

/** An event store that a test has for itself, with an empty log. */
async function setUpAlone(timeoutMs?: number) {
  const server = await startServer()
  return { server, store: connect(server.url, timeoutMs) }
}

const shared = useEventStore()

/** The event store that most tests share, and a stream of the test's own. */
async function setUp(timeoutMs?: number) {
  const { server } = shared
  cleanUp.push(() => server.faults.set(noFaults()))
  return { server, store: connect(server.url, timeoutMs), stream: freshStream() }
}

/** Takes connections and never says a word. */
async function startSilentServer(): Promise<string> {
  const server: Server = createServer((socket) => {
    cleanUp.push(async () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp.push(async () => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `esdb://127.0.0.1:${address.port}?tls=false`
}

/** Follows a subscription until the test ends. */
function follow(store: EventStore, after: Position | 'start' | 'end', slowly = false) {
  const stop = new AbortController()
  const items: SubscriptionItem[] = []
  const done = (async () => {
    for await (const item of store.subscribe({ after, signal: stop.signal })) {
      items.push(item)
      if (slowly) await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  const end = async () => {
    stop.abort()
    await done
  }
  cleanUp.push(end)
  return { items, numbers: () => numbersOf(eventsOf(items)), end, done }
}

function eventsOf(items: readonly SubscriptionItem[]): Recorded[] {
  return items.flatMap((item) => (item.kind === 'event' ? [item.event] : []))
}

function numbersOf(events: readonly Recorded[]): number[] {
  return events.map(({ data }) => (data as { number: number }).number)
}

const upTo = (count: number) => Array.from({ length: count }, (_, number) => number)
const numbered = (from: number, to: number) =>
  upTo(to - from).map((number) => newEvent({ number: from + number }))

describe('append', () => {
  it('tells writers apart by their revision', async () => {
    const { store, stream } = await setUp()
    const first = await store.append(stream, -1, newEvents(2))
    expect(first).toMatchObject({ outcome: 'appended', revision: 1 })
    expect(await store.append(stream, -1, [newEvent()])).toEqual({ outcome: 'conflict' })
    expect(await store.append(stream, 0, [newEvent()])).toEqual({ outcome: 'conflict' })
    expect(await store.append(stream, 7, [newEvent()])).toEqual({ outcome: 'conflict' })
    expect(await store.append(stream, 1, [newEvent()])).toMatchObject({ revision: 2 })
  })

  it('writes once although the answer was lost', async () => {
    const { server, store, stream } = await setUp()
    await server.faults.set({ answersToLose: 2 })
    const appended = await store.append(stream, -1, newEvents(3))
    const read = await collect(store.readStream(stream))
    expect(read).toHaveLength(3)
    expect(appended).toEqual({ outcome: 'appended', revision: 2, position: read.at(-1)?.position })
  })

  it('writes once although the server was silent at first', async () => {
    const { server, store, stream } = await setUp()
    await server.faults.set({ appendsToIgnore: 2 })
    const appending = store.append(stream, -1, [newEvent()])
    expect(await appending).toMatchObject({ outcome: 'appended', revision: 0 })
    expect(await collect(store.readStream(stream))).toHaveLength(1)
  })

  it('gives up on a server that stays silent', async () => {
    const { server, store, stream } = await setUp(50)
    await server.faults.set({ appendsToIgnore: Number.POSITIVE_INFINITY })
    const error = await rejection(store.append(stream, -1, [newEvent()]))
    expect(error).toMatchObject({ code: 'EVENT_STORE_UNAVAILABLE' })
    expect(error.message).toContain('no answer within 50 ms')
  })

  it('gives up on a connection that stays silent', async () => {
    const store = connect(await startSilentServer(), 50)
    const error = await rejection(store.append('s', -1, [newEvent()]))
    expect(error).toMatchObject({ code: 'EVENT_STORE_UNAVAILABLE' })
  })

  it('survives answers that come after their time', async () => {
    const { server, store } = await setUpAlone(60)
    await server.faults.set({ answerDelayMs: 100 })
    const late = Array.from({ length: 5 }, (_, number) =>
      store.append(`s-${number}`, -1, [newEvent()]),
    )
    await Promise.allSettled(late)
    await server.faults.set({ answerDelayMs: 0 })
    expect(await store.append('after', -1, [newEvent()])).toMatchObject({ revision: 0 })
    expect(await collect(store.readAll())).toHaveLength(6)
  })

  it('survives the loss of another connection while an answer is on its way', async () => {
    const [first, second] = await Promise.all([setUpAlone(2_000), setUpAlone(2_000)])
    await first.store.append('s', -1, [newEvent()])
    await second.server.faults.set({ answerDelayMs: 150 })
    const appending = second.store.append('s', -1, [newEvent()])
    await until('the append to be written', async () => {
      return (await collect(second.store.readStream('s'))).length === 1
    })
    // This empties the client's map of pending appends, so nobody waits for the answer any more.
    await first.server.faults.cutStreams()
    expect(await appending).toMatchObject({ outcome: 'appended', revision: 0 })
    expect(await collect(second.store.readStream('s'))).toHaveLength(1)
  })

  it('goes to the leader it is sent to', async () => {
    const { server, store } = await setUpAlone(2_000)
    const leader = await startServer()
    const port = Number(new URL(leader.url).port)
    await server.faults.set({ notLeader: { host: '127.0.0.1', port } })
    expect(await store.append('s', -1, [newEvent()])).toMatchObject({ outcome: 'appended' })
    expect(await collect(connect(leader.url).readStream('s'))).toHaveLength(1)
  })

  it('waits for a server that is not ready yet', async () => {
    const { server, store, stream } = await setUp()
    await server.faults.set({ unavailable: true })
    const appending = store.append(stream, -1, [newEvent()])
    await server.faults.set({ unavailable: false })
    expect(await appending).toMatchObject({ outcome: 'appended' })
  })

  it('gives up on a server that is not there', async () => {
    const { server, store } = await setUpAlone()
    await server.close()
    const error = await rejection(store.append('s', -1, [newEvent()]))
    expect(error).toMatchObject({ code: 'EVENT_STORE_UNAVAILABLE' })
    expect(error.message).toContain('5 attempts failed')
  })

  it('takes many at a time', async () => {
    const { store } = await setUpAlone(5_000)
    const streams = upTo(200).map((number) => `many-${number}`)
    const results = await Promise.all(
      streams.map((stream) => store.append(stream, -1, newEvents(2))),
    )
    expect(results.every(({ outcome }) => outcome === 'appended')).toBe(true)
    expect(await collect(store.readAll())).toHaveLength(400)
  })

  it('survives a break while much is on its way', async () => {
    const { server, store, stream } = await setUp(5_000)
    await store.append(`${stream}-first`, -1, [newEvent()])
    const large = upTo(40).map((number) =>
      store.append(`${stream}-${number}`, -1, [newEvent({ text: 'x'.repeat(300_000) })]),
    )
    await large[0]
    await server.faults.cutStreams()
    const results = await Promise.all(large)
    expect(results.every(({ outcome }) => outcome === 'appended')).toBe(true)
  })

  it('refuses what can never be written, without trying again', async () => {
    const { server, store, stream } = await setUp()
    const large = newEvent({ text: 'x'.repeat(1_100_000) })
    const dead = freshStream()
    const client = EventStoreDBClient.connectionString(server.url)
    await client.tombstoneStream(dead)
    await client.dispose()
    const refusals = [
      store.append(stream, -1, [large]),
      store.append(dead, -1, [newEvent()]),
      store.append(stream, -1, []),
      store.append(stream, -2, [newEvent()]),
      store.append('größe', -1, [newEvent()]),
      store.append(stream, -1, [{ ...newEvent(), id: 'no-uuid' }]),
    ]
    for (const error of await Promise.all(refusals.map(rejection))) {
      expect(error).toMatchObject({ code: 'APPEND_REFUSED' })
    }
  })

  it('is over once the store is closed', async () => {
    const { server, store, stream } = await setUp(5_000)
    await store.append(stream, -1, [newEvent()])
    await server.faults.set({ appendsToIgnore: Number.POSITIVE_INFINITY })
    const pending = rejection(store.append(stream, 0, [newEvent()]))
    await collect(store.readStream(stream))
    await store.close()
    expect(await pending).toMatchObject({ code: 'EVENT_STORE_UNAVAILABLE' })
    expect(await rejection(store.append(stream, 0, [newEvent()]))).toMatchObject({
      code: 'EVENT_STORE_UNAVAILABLE',
    })
  })
})

describe('reads', () => {
  it('give events in the terms of the log', async () => {
    const { store, stream } = await setUp()
    const written = newEvent({ amount: '12' }, 'Posted')
    const appended = await store.append(stream, -1, [written])
    const [read] = await collect(store.readStream(stream))
    expect(read).toEqual({
      ...written,
      stream: stream,
      revision: 0,
      position: appended.outcome === 'appended' && appended.position,
      recordedAt: expect.any(Date),
    })
  })

  it('give nothing of a stream that is missing, deleted or tombstoned', async () => {
    const { server, store } = await setUp()
    const client = EventStoreDBClient.connectionString(server.url)
    await client.appendToStream('soft', event())
    await client.deleteStream('soft')
    await client.tombstoneStream('hard')
    await client.dispose()
    for (const stream of ['missing', 'soft', 'hard']) {
      expect(await collect(store.readStream(stream))).toEqual([])
    }
  })

  it('of a stream begin and end where they are told to', async () => {
    const { store, stream } = await setUp()
    await store.append(stream, -1, numbered(0, 5))
    const read = async (options: object) =>
      numbersOf(await collect(store.readStream(stream, options)))
    expect(await read({ from: 3 })).toEqual([3, 4])
    expect(await read({ from: 1, limit: 2 })).toEqual([1, 2])
    expect(await read({ direction: 'backwards' })).toEqual([4, 3, 2, 1, 0])
    expect(await read({ direction: 'backwards', from: 1 })).toEqual([1, 0])
    expect(await read({ from: 9 })).toEqual([])
    expect(await read({ limit: 0 })).toEqual([])
  })

  it('of the whole log include where they begin and leave system events out', async () => {
    const { server, store } = await setUpAlone()
    const client = EventStoreDBClient.connectionString(server.url)
    for (const number of upTo(30)) {
      await store.append(`s-${number}`, -1, numbered(number, number + 1))
      await client.setStreamMetadata(`s-${number}`, { maxCount: 5 })
    }
    await client.dispose()
    const all = await collect(store.readAll())
    expect(numbersOf(all)).toEqual(upTo(30))
    const from = all[10]?.position ?? { commit: 0n, prepare: 0n }
    const read = async (options: object) => numbersOf(await collect(store.readAll(options)))
    expect(await read({ from })).toEqual(upTo(30).slice(10))
    expect(await read({ from, limit: 15 })).toEqual(upTo(25).slice(10))
    expect(await read({ from, direction: 'backwards' })).toEqual(upTo(11).toReversed())
    expect(await read({ from, direction: 'backwards', limit: 1 })).toEqual([10])
    expect(await read({ from, direction: 'backwards', limit: 4 })).toEqual([10, 9, 8, 7])
    expect(await read({ direction: 'backwards', limit: 20 })).toEqual(
      upTo(30).toReversed().slice(0, 20),
    )
    expect(await store.head()).toEqual(all.at(-1)?.position)
  })

  it('find no head in an empty log', async () => {
    const { store } = await setUpAlone()
    expect(await store.head()).toBeUndefined()
  })

  it('go on where a connection broke', async () => {
    const { server, store } = await setUpAlone()
    await store.append('s', -1, numbered(0, 2_000))
    const read: Recorded[] = []
    for await (const event of store.readStream('s')) {
      read.push(event)
      if (read.length === 20 || read.length === 700) await server.faults.cutStreams()
    }
    expect(numbersOf(read)).toEqual(upTo(2_000))
    read.length = 0
    for await (const event of store.readAll({ direction: 'backwards' })) {
      read.push(event)
      if (read.length === 20 || read.length === 700) await server.faults.cutStreams()
    }
    expect(numbersOf(read)).toEqual(upTo(2_000).toReversed())
  })

  it('give up when nothing comes', async () => {
    const store = connect(await startSilentServer(), 50)
    const error = await rejection(collect(store.readStream('s')))
    expect(error).toMatchObject({ code: 'EVENT_STORE_UNAVAILABLE' })
    expect(error.message).toContain('no event within 50 ms')
  })

  it('do not count the time their reader takes', async () => {
    const { server, store, stream } = await setUp(50)
    await store.append(stream, -1, numbered(0, 300))
    const client = EventStoreDBClient.connectionString(server.url)
    const read: Recorded[] = []
    for await (const event of store.readStream(stream)) {
      read.push(event)
      if (read.length !== 10) continue
      // A read that had to be opened again would find nothing any more.
      await client.tombstoneStream(stream)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await client.dispose()
    expect(numbersOf(read)).toEqual(upTo(300))
  })

  it('end with the reason of their signal', async () => {
    const { store, stream } = await setUp()
    await store.append(stream, -1, numbered(0, 500))
    const stop = new AbortController()
    const read = async () => {
      for await (const _ of store.readStream(stream, { signal: stop.signal })) {
        stop.abort(new Error('enough'))
      }
    }
    expect((await rejection(read())).message).toBe('enough')
  })

  it('that are aborted before they begin leave nothing that could fail later', async () => {
    const { server, store } = await setUpAlone()
    await server.close()
    const signal = AbortSignal.abort(new Error('never mind'))
    expect((await rejection(collect(store.readStream('s', { signal })))).message).toBe('never mind')
    const error = await rejection(collect(store.readStream('s')))
    expect(error).toMatchObject({ code: 'EVENT_STORE_UNAVAILABLE' })
  })

  it('that end early are let go of', async () => {
    const { server, store, stream } = await setUp()
    await store.append(stream, -1, numbered(0, 20))
    const client = createGuardedClient(server.url)
    const reads = createReads(client, 1_000)
    for (let round = 0; round < 10; round++) {
      expect(await collect(reads.readStream(stream, { limit: 5 }))).toHaveLength(5)
      for await (const _ of reads.readStream(stream)) break
    }
    const { disposableStreams: held } = client as unknown as { disposableStreams: Set<object> }
    await until('the calls to end', () => held.size === 0)
    await client.dispose()
  })
})

describe('a subscription', () => {
  it('loses and repeats nothing, however often it is cut', async () => {
    const { server, store } = await setUpAlone(2_000)
    await store.append('s', -1, numbered(0, 1_000))
    const { items, numbers } = follow(store, 'start')
    for (let round = 1; round <= 5; round++) {
      await until('some events', () => items.length > round * 150)
      await server.faults.cutStreams()
      await store.append(
        's',
        999 + (round - 1) * 10,
        numbered(990 + round * 10, 1_000 + round * 10),
      )
    }
    await until('all events', () => numbers().length >= 1_050)
    expect(numbers()).toEqual(upTo(1_050))
  })

  it('comes back when the server does', async () => {
    const directory = await temporaryDirectory()
    cleanUp.push(() => rm(directory, { recursive: true, force: true }))
    const server = await startServer(0, directory)
    const store = connect(server.url, 2_000)
    await store.append('s', -1, numbered(0, 10))
    const { numbers } = follow(store, 'start')
    await until('history', () => numbers().length === 10)
    await server.close()
    await startServer(Number(new URL(server.url).port), directory)
    await store.append('s', 9, numbered(10, 20))
    await until('the rest', () => numbers().length >= 20)
    expect(numbers()).toEqual(upTo(20))
  })

  it('says that it has caught up behind the last event of history, also to a slow reader', async () => {
    const { store } = await setUpAlone()
    await store.append('s', -1, numbered(0, 500))
    const { items } = follow(store, 'start', true)
    await until('caught up', () => items.some(({ kind }) => kind === 'caught_up'))
    expect(items.findIndex(({ kind }) => kind === 'caught_up')).toBe(500)
  })

  it('begins behind a position, and from the end with what is new', async () => {
    const { server, store } = await setUpAlone()
    await store.append('s', -1, numbered(0, 5))
    const third = (await collect(store.readAll()))[2]?.position ?? 'start'
    const behind = follow(store, third)
    const live = follow(store, 'end')
    await until('both to catch up', () =>
      [behind, live].every(({ items }) => items.some(({ kind }) => kind === 'caught_up')),
    )
    await server.faults.cutStreams()
    await store.append('s', 4, numbered(5, 7))
    await until('new events', () => live.numbers().length >= 2 && behind.numbers().length >= 4)
    expect(behind.numbers()).toEqual([3, 4, 5, 6])
    expect(live.numbers()).toEqual([5, 6])
  })

  it('filters by type and by stream and never shows system events', async () => {
    const { server, store } = await setUpAlone()
    await store.append('loan-1', -1, [newEvent({ number: 0 }, 'LoanOffered')])
    await store.append('book-1', -1, [newEvent({ number: 1 }, 'EntryPosted')])
    const client = EventStoreDBClient.connectionString(server.url)
    await client.setStreamMetadata('loan-1', { maxCount: 9 })
    await client.tombstoneStream('loan-2')
    await client.dispose()
    const upToNow = async (filter?: { types: string[] } | { streams: string[] }) => {
      const found: Recorded[] = []
      const { signal } = new AbortController()
      const options = { after: 'start', signal, ...(filter && { filter }) } as const
      for await (const item of store.subscribe(options)) {
        if (item.kind === 'caught_up') break
        found.push(item.event)
      }
      return numbersOf(found)
    }
    expect(await upToNow()).toEqual([0, 1])
    expect(await upToNow({ types: ['Loan', 'Other'] })).toEqual([0])
    expect(await upToNow({ streams: ['book-', 'loan-2'] })).toEqual([1])
    expect((await rejection(upToNow({ types: [] }))).message).toContain('at least one prefix')
  })

  it('ends quietly on abort, also while there is no server, and when the store is closed', async () => {
    const { server, store } = await setUpAlone()
    const first = follow(store, 'start')
    await until('caught up', () => first.items.length === 1)
    await first.end()
    await server.close()
    const second = follow(store, 'start')
    await second.end()
    const third = follow(store, 'start')
    await store.close()
    await third.done
  })
})
