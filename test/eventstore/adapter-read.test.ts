import { PassThrough } from 'node:stream'
import { EventStoreDBClient } from '@eventstore/db-client'
import { describe, expect, it } from 'vitest'
import type { Recorded } from '../../domain/log.ts'
import { createGuardedClient } from '../../infra/eventstore/guarded-client.ts'
import { createReads } from '../../infra/eventstore/read.ts'
import { type Call, watched } from '../../infra/eventstore/watched.ts'
import {
  connect,
  numbered,
  numbersOf,
  setUp,
  setUpAlone,
  startSilentServer,
  upTo,
} from './adapter-support.ts'
import { collect, event, newEvent, rejection, until, useEventStore } from './support.ts'

const shared = useEventStore()

describe('reads', () => {
  it('give events in the terms of the log', async () => {
    const { store, stream } = await setUp(shared)
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
    const { server, store } = await setUp(shared)
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
    const { store, stream } = await setUp(shared)
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
    const { server, store, stream } = await setUp(shared)
    await store.append(stream, -1, numbered(0, 300))
    const reads = createReads(createGuardedClient(server.url), 400)
    const read: Recorded[] = []
    for await (const event of reads.readStream(stream)) {
      read.push(event)
      if (read.length !== 10) continue
      // A read that had to be opened again would find nothing any more.
      await shared.client.tombstoneStream(stream)
      await new Promise((resolve) => setTimeout(resolve, 600))
    }
    expect(numbersOf(read)).toEqual(upTo(300))
  })

  it('end with the reason of their signal', async () => {
    const { store, stream } = await setUp(shared)
    await store.append(stream, -1, numbered(0, 500))
    const stop = new AbortController()
    const read = async () => {
      for await (const _ of store.readStream(stream, { signal: stop.signal })) {
        stop.abort(new Error('enough'))
      }
    }
    expect((await rejection(read())).message).toBe('enough')
  })

  it.each([
    { when: 'before they begin', signal: AbortSignal.abort(new Error('enough')) },
    { when: 'while they wait', signal: AbortSignal.timeout(1) },
  ])('that are aborted $when can fail later without harm', async ({ signal }) => {
    const call = Object.assign(new PassThrough({ objectMode: true }), { cancel: async () => {} })
    await rejection(collect(watched(call as unknown as Call, signal, undefined)))
    // As the client does when a connection fails after nobody needs it any more.
    expect(() => call.emit('error', new Error('connection refused'))).not.toThrow()
  })

  it('that end early are let go of', async () => {
    const { server, store, stream } = await setUp(shared)
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
