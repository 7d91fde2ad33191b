import {
  BACKWARDS,
  binaryEvent,
  END,
  EventStoreDBClient,
  FORWARDS,
  type Position,
  START,
  StreamNotFoundError,
} from '@eventstore/db-client'
import { describe, expect, it } from 'vitest'
import {
  collect,
  event,
  fillStream,
  freshStream,
  rejection,
  revisions,
  until,
  useEventStore,
} from './support.ts'

const store = useEventStore()

const filled = (count: number): Promise<string> => fillStream(store, count)

describe('a stream', () => {
  const read = async (stream: string, options: object) =>
    revisions(await collect(store.client.readStream(stream, options)))

  it.each([
    { direction: FORWARDS, fromRevision: START, expected: [0, 1, 2, 3, 4] },
    { direction: FORWARDS, fromRevision: 2n, expected: [2, 3, 4] },
    { direction: FORWARDS, fromRevision: 5n, expected: [] },
    { direction: FORWARDS, fromRevision: END, expected: [] },
    { direction: BACKWARDS, fromRevision: END, expected: [4, 3, 2, 1, 0] },
    { direction: BACKWARDS, fromRevision: 2n, expected: [2, 1, 0] },
    { direction: BACKWARDS, fromRevision: 99n, expected: [4, 3, 2, 1, 0] },
    { direction: BACKWARDS, fromRevision: START, expected: [0] },
  ])('$direction from $fromRevision gives $expected', async ({ expected, ...options }) => {
    const stream = await filled(5)
    expect(await read(stream, options)).toEqual(expected)
    const maxCount = Math.max(1, expected.length - 1)
    expect(await read(stream, { ...options, maxCount })).toEqual(expected.slice(0, maxCount))
  })

  it('is read whole across the pages of the server', async () => {
    const stream = await filled(700)
    const numbers = Array.from({ length: 700 }, (_, number) => number)
    expect(await read(stream, {})).toEqual(numbers)
    expect(await read(stream, { direction: BACKWARDS, fromRevision: END })).toEqual(
      numbers.toReversed(),
    )
  })

  it('carries positions which rise with the revision', async () => {
    const read = await collect(store.client.readStream(await filled(3)))
    const positions = read.map(({ event }) => event?.position?.commit ?? 0n)
    expect(positions).toEqual(positions.toSorted((a, b) => Number(a - b)))
    expect(new Set(positions).size).toBe(3)
    expect(read.every(({ event }) => event?.position?.commit === event?.position?.prepare)).toBe(
      true,
    )
  })

  it('that nobody wrote is not found', async () => {
    const stream = freshStream()
    const error = await rejection(collect(store.client.readStream(stream)))
    expect(error).toBeInstanceOf(StreamNotFoundError)
    expect(error).toMatchObject({ streamName: stream })
  })

  it('holds binary events as they were', async () => {
    const stream = freshStream()
    const data = Uint8Array.from([0, 255, 128, 10])
    await store.client.appendToStream(stream, binaryEvent({ type: 'Binary', data, metadata: data }))
    const [read] = await collect(store.client.readStream(stream))
    expect(read?.event?.isJson).toBe(false)
    expect(read?.event?.data).toEqual(data)
    expect(read?.event?.metadata).toEqual(data)
  })
})

describe('the limits in metadata', () => {
  it('$maxCount shows the newest', async () => {
    const stream = await filled(5)
    await store.client.setStreamMetadata(stream, { maxCount: 2 })
    expect(revisions(await collect(store.client.readStream(stream)))).toEqual([3, 4])
    await store.client.appendToStream(stream, event())
    expect(revisions(await collect(store.client.readStream(stream)))).toEqual([4, 5])
    const back = store.client.readStream(stream, { direction: BACKWARDS, fromRevision: END })
    expect(revisions(await collect(back))).toEqual([5, 4])
  })

  it('$tb hides what lies before it', async () => {
    const stream = await filled(5)
    await store.client.setStreamMetadata(stream, { truncateBefore: 3 })
    expect(revisions(await collect(store.client.readStream(stream, { fromRevision: 1n })))).toEqual(
      [3, 4],
    )
  })

  it('the stricter of $tb and $maxCount counts', async () => {
    const stream = await filled(5)
    await store.client.setStreamMetadata(stream, { truncateBefore: 1, maxCount: 2 })
    expect(revisions(await collect(store.client.readStream(stream)))).toEqual([3, 4])
    await store.client.setStreamMetadata(stream, { truncateBefore: 4, maxCount: 2 })
    expect(revisions(await collect(store.client.readStream(stream)))).toEqual([4])
  })

  it('$maxAge hides what is older, in seconds', async () => {
    const stream = await filled(3)
    await store.client.setStreamMetadata(stream, { maxAge: 3600 })
    expect(revisions(await collect(store.client.readStream(stream)))).toEqual([0, 1, 2])
    await store.client.setStreamMetadata(stream, { maxAge: 1 })
    await until('the events to become old', async () => {
      return (await collect(store.client.readStream(stream))).length === 0
    })
    await store.client.appendToStream(stream, event())
    expect(revisions(await collect(store.client.readStream(stream)))).toEqual([3])
  })

  it('leave the whole log as it is', async () => {
    const stream = await filled(3)
    await store.client.setStreamMetadata(stream, { maxCount: 1 })
    const all = await collect(store.client.readAll())
    expect(all.filter(({ event }) => event?.streamId === stream)).toHaveLength(3)
  })

  it('are read back with whatever else was set', async () => {
    const stream = freshStream()
    const metadata = {
      maxCount: 7,
      maxAge: 60,
      acl: { readRoles: ['someone', 'other'] },
      owner: 'us',
    }
    await store.client.setStreamMetadata(stream, metadata)
    const { metadata: read } = await store.client.getStreamMetadata(stream)
    expect(read).toMatchObject({ maxCount: 7, maxAge: 60, owner: 'us' })
    await store.client.setStreamMetadata(stream, { maxCount: 8 })
    expect((await store.client.getStreamMetadata(stream)).metadata).toEqual({ maxCount: 8 })
  })
})

describe('the whole log', () => {
  const positionsOf = async (options: object): Promise<bigint[]> =>
    (await collect(store.client.readAll(options))).map(({ event }) => event?.position.commit ?? 0n)

  it('is in one order, the reverse of it backwards', async () => {
    await filled(300)
    const forwards = await positionsOf({})
    expect(forwards.length).toBeGreaterThan(300)
    expect(forwards).toEqual(forwards.toSorted((a, b) => Number(a - b)))
    const backwards = await positionsOf({ direction: BACKWARDS, fromPosition: END })
    expect(backwards).toEqual(forwards.toReversed())
  })

  it('forwards includes the position it starts from, backwards does not', async () => {
    await filled(3)
    const all = await positionsOf({})
    const commit = all.at(-2) ?? 0n
    const fromPosition: Position = { commit, prepare: commit }
    expect(await positionsOf({ fromPosition })).toEqual(all.slice(-2))
    const backwards = await positionsOf({ fromPosition, direction: BACKWARDS, maxCount: 2 })
    expect(backwards).toEqual([all.at(-3), all.at(-4)])
  })

  it('from its end there is nothing forwards, from its start nothing backwards', async () => {
    await filled(1)
    expect(await positionsOf({ fromPosition: END })).toEqual([])
    expect(await positionsOf({ fromPosition: START, direction: BACKWARDS })).toEqual([])
  })

  it('stops after maxCount', async () => {
    await filled(5)
    expect(await positionsOf({ maxCount: 3 })).toHaveLength(3)
  })

  it('includes what the event store writes for itself', async () => {
    const stream = await filled(1)
    await store.client.setStreamMetadata(stream, { maxCount: 1 })
    const all = await collect(store.client.readAll())
    expect(all.some(({ event }) => event?.streamId === `$$${stream}`)).toBe(true)
  })
})

describe('links', () => {
  const link = (target: string) => binaryEvent({ type: '$>', data: Buffer.from(target) })

  it('lead to their events when asked to', async () => {
    const target = await filled(2)
    const stream = freshStream('links')
    await store.client.appendToStream(stream, link(`1@${target}`))
    const [resolved] = await collect(store.client.readStream(stream, { resolveLinkTos: true }))
    expect(resolved?.event).toMatchObject({ streamId: target, revision: 1n })
    expect(resolved?.link).toMatchObject({ streamId: stream, revision: 0n, type: '$>' })
    expect(resolved?.commitPosition).toBe(resolved?.link?.position?.commit)
    const [plain] = await collect(store.client.readStream(stream))
    expect(plain?.event).toMatchObject({ streamId: stream, type: '$>' })
    expect(plain?.link).toBeUndefined()
  })

  it.each(['7@nowhere', 'nonsense'])('that lead nowhere (%s) have no event', async (target) => {
    const stream = freshStream('links')
    await store.client.appendToStream(stream, link(target))
    const [resolved] = await collect(store.client.readStream(stream, { resolveLinkTos: true }))
    expect(resolved?.event).toBeUndefined()
    expect(resolved?.link).toMatchObject({ streamId: stream })
  })
})

it('is found by clients that look for a cluster', async () => {
  const stream = await filled(1)
  const port = new URL(store.server.url).port
  const client = EventStoreDBClient.connectionString(
    `esdb+discover://127.0.0.1:${port}?tls=false&maxDiscoverAttempts=2`,
  )
  expect(await collect(client.readStream(stream))).toHaveLength(1)
  await client.dispose()
})
