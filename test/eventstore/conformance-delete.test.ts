import {
  ANY,
  NO_STREAM,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import { describe, expect, it } from 'vitest'
import {
  collect,
  event,
  events,
  fillStream,
  freshStream,
  rejection,
  revisions,
  useEventStore,
} from './support.ts'

const store = useEventStore()

const filled = (count: number): Promise<string> => fillStream(store, count)

describe('a soft-deleted stream', () => {
  it('is not found, and the answer names the deletion in the log', async () => {
    const stream = await filled(2)
    const { position } = await store.client.deleteStream(stream)
    expect(await rejection(collect(store.client.readStream(stream)))).toBeInstanceOf(
      StreamNotFoundError,
    )
    const last = (await collect(store.client.readAll())).at(-1)
    expect(last?.event).toMatchObject({ streamId: `$$${stream}`, type: '$metadata' })
    expect(position).toEqual(last?.event?.position)
  })

  it.each([ANY, NO_STREAM, 1n] as const)(
    'goes on behind its last revision, expecting %s',
    async (at) => {
      const stream = await filled(2)
      await store.client.deleteStream(stream)
      const written = await store.client.appendToStream(stream, events(2), { expectedRevision: at })
      expect(written.nextExpectedRevision).toBe(3n)
      expect(revisions(await collect(store.client.readStream(stream)))).toEqual([2, 3])
      expect((await store.client.getStreamMetadata(stream)).metadata).toMatchObject({
        truncateBefore: 2,
      })
    },
  )

  it('refuses stream_exists', async () => {
    const stream = await filled(1)
    await store.client.deleteStream(stream)
    const append = store.client.appendToStream(stream, event(), { expectedRevision: STREAM_EXISTS })
    expect(await rejection(append)).toBeInstanceOf(StreamDeletedError)
  })

  it('refuses a revision that is not its last', async () => {
    const stream = await filled(3)
    await store.client.deleteStream(stream)
    const append = store.client.appendToStream(stream, event(), { expectedRevision: 0n })
    expect(await rejection(append)).toBeInstanceOf(WrongExpectedVersionError)
  })

  it('can be deleted again', async () => {
    const stream = await filled(1)
    await store.client.deleteStream(stream)
    expect(await store.client.deleteStream(stream)).toHaveProperty('position')
  })

  it('can be deleted again after it came back', async () => {
    const stream = await filled(1)
    await store.client.deleteStream(stream)
    await store.client.appendToStream(stream, event())
    await store.client.deleteStream(stream)
    await store.client.appendToStream(stream, event())
    expect(revisions(await collect(store.client.readStream(stream)))).toEqual([2])
  })
})

describe('a deletion', () => {
  it('of a stream that never was is refused', async () => {
    const error = await rejection(store.client.deleteStream(freshStream()))
    expect(error).toBeInstanceOf(WrongExpectedVersionError)
    expect(error).toMatchObject({ expectedVersion: -2n, actualVersion: -1n })
  })

  it('of a stream that only has metadata is accepted', async () => {
    const stream = freshStream()
    await store.client.setStreamMetadata(stream, { maxCount: 1 })
    expect(await store.client.deleteStream(stream)).toHaveProperty('position')
  })

  it.each(['deleteStream', 'tombstoneStream'] as const)(
    'by %s checks the revision',
    async (how) => {
      const stream = await filled(3)
      const error = await rejection(store.client[how](stream, { expectedRevision: 1n }))
      expect(error).toBeInstanceOf(WrongExpectedVersionError)
      expect(error).toMatchObject({ streamName: stream, expectedVersion: 1n, actualVersion: 2n })
      const noStream = await rejection(store.client[how](stream, { expectedRevision: NO_STREAM }))
      expect(noStream).toMatchObject({ expectedVersion: -1n, actualVersion: 2n })
      expect(await store.client[how](stream, { expectedRevision: 2n })).toHaveProperty('position')
    },
  )
})

describe('a tombstoned stream', () => {
  it('refuses everything for good', async () => {
    const stream = await filled(1)
    await store.client.tombstoneStream(stream)
    const attempts = [
      store.client.appendToStream(stream, event(), { expectedRevision: ANY }),
      store.client.appendToStream(stream, event(), { expectedRevision: NO_STREAM }),
      store.client.appendToStream(stream, event(), { expectedRevision: 0n }),
      store.client.setStreamMetadata(stream, { maxCount: 1 }),
      collect(store.client.readStream(stream)),
      store.client.deleteStream(stream),
      store.client.tombstoneStream(stream),
      store.client.appendToStream(stream, event(), {
        credentials: { username: 'admin', password: 'changeit' },
      }),
    ]
    for (const error of await Promise.all(attempts.map(rejection))) {
      expect(error).toBeInstanceOf(StreamDeletedError)
    }
    expect(await rejection(collect(store.client.readStream(stream)))).toMatchObject({
      streamName: stream,
    })
  })

  it('may never have existed', async () => {
    const stream = freshStream()
    await store.client.tombstoneStream(stream)
    const append = store.client.appendToStream(stream, event())
    expect(await rejection(append)).toBeInstanceOf(StreamDeletedError)
  })

  it('may have been soft-deleted', async () => {
    const stream = await filled(1)
    await store.client.deleteStream(stream)
    await store.client.tombstoneStream(stream)
    expect(await rejection(collect(store.client.readStream(stream)))).toBeInstanceOf(
      StreamDeletedError,
    )
  })

  it('leaves a last event in the log', async () => {
    const stream = await filled(1)
    const { position } = await store.client.tombstoneStream(stream)
    const last = (await collect(store.client.readAll())).at(-1)
    expect(last?.event).toMatchObject({
      streamId: stream,
      type: '$streamDeleted',
      revision: 9_223_372_036_854_775_807n,
      position,
    })
  })
})
