import { EventStoreDBClient } from '@eventstore/db-client'
import { describe, expect, it } from 'vitest'
import {
  connect,
  setUp,
  setUpAlone,
  startServer,
  startSilentServer,
  upTo,
} from './adapter-support.ts'
import {
  collect,
  freshStream,
  newEvent,
  newEvents,
  rejection,
  until,
  useEventStore,
} from './support.ts'

const shared = useEventStore()

describe('append', () => {
  it('tells writers apart by their revision', async () => {
    const { store, stream } = await setUp(shared)
    const first = await store.append(stream, -1, newEvents(2))
    expect(first).toMatchObject({ outcome: 'appended', revision: 1 })
    expect(await store.append(stream, -1, [newEvent()])).toEqual({ outcome: 'conflict' })
    expect(await store.append(stream, 0, [newEvent()])).toEqual({ outcome: 'conflict' })
    expect(await store.append(stream, 7, [newEvent()])).toEqual({ outcome: 'conflict' })
    expect(await store.append(stream, 1, [newEvent()])).toMatchObject({ revision: 2 })
  })

  it('writes once although the answer was lost', async () => {
    const { server, store, stream } = await setUp(shared, 300)
    await server.faults.set({ answersToLose: 1 })
    const appended = await store.append(stream, -1, newEvents(3))
    const read = await collect(store.readStream(stream))
    expect(read).toHaveLength(3)
    expect(appended).toEqual({ outcome: 'appended', revision: 2, position: read.at(-1)?.position })
  })

  it('writes once although the server was silent at first', async () => {
    const { server, store, stream } = await setUp(shared, 300)
    await server.faults.set({ appendsToIgnore: 1 })
    const appending = store.append(stream, -1, [newEvent()])
    expect(await appending).toMatchObject({ outcome: 'appended', revision: 0 })
    expect(await collect(store.readStream(stream))).toHaveLength(1)
  })

  it('gives up on a server that stays silent', async () => {
    const { server, store, stream } = await setUp(shared, 50)
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

  it('writes once although every answer comes after its time', async () => {
    const { server, store } = await setUpAlone(100)
    const streams = upTo(5).map((number) => `late-${number}`)
    await server.faults.set({ answerDelayMs: 150 })
    await Promise.allSettled(streams.map((stream) => store.append(stream, -1, [newEvent()])))
    await server.faults.set({ answerDelayMs: 0 })
    const patient = connect(server.url)
    expect(await patient.append('after', -1, [newEvent()])).toMatchObject({ revision: 0 })
    const written = (await collect(patient.readAll())).map(({ stream }) => stream)
    expect(written.length).toBeGreaterThan(1)
    expect(written).toHaveLength(new Set(written).size)
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
    const { server, store, stream } = await setUp(shared)
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
    const { server, store, stream } = await setUp(shared, 5_000)
    await store.append(`${stream}-first`, -1, [newEvent()])
    const large = upTo(30).map((number) =>
      store.append(`${stream}-${number}`, -1, [newEvent({ text: 'x'.repeat(200_000) })]),
    )
    await large[0]
    await server.faults.cutStreams()
    const results = await Promise.all(large)
    expect(results.every(({ outcome }) => outcome === 'appended')).toBe(true)
  })

  it('refuses what can never be written, without trying again', async () => {
    const { server, store, stream } = await setUp(shared)
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
    const { server, store, stream } = await setUp(shared, 5_000)
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
