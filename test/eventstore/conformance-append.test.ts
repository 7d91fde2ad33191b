import { randomUUID } from 'node:crypto'
import {
  ANY,
  DeadlineExceededError,
  type EventData,
  jsonEvent,
  MaxAppendSizeExceededError,
  NO_STREAM,
  STREAM_EXISTS,
  WrongExpectedVersionError,
} from '@eventstore/db-client'
import { describe, expect, it } from 'vitest'
import {
  collect,
  event,
  events,
  freshStream,
  rejection,
  revisions,
  useEventStore,
} from './support.ts'

const store = useEventStore()

/** Per-call credentials make the client use Append instead of BatchAppend. */
const ways = [
  { rpc: 'BatchAppend', options: {} },
  { rpc: 'Append', options: { credentials: { username: 'admin', password: 'changeit' } } },
]

async function lengthOf(stream: string): Promise<number> {
  return (await collect(store.client.readStream(stream))).length
}

describe.each(ways)('$rpc', ({ options }) => {
  const append = (stream: string, list: EventData[], expectedRevision: Expected) =>
    store.client.appendToStream(stream, list, { expectedRevision, ...options })
  type Expected = typeof ANY | typeof NO_STREAM | typeof STREAM_EXISTS | bigint

  it('answers with the revision and the position of the last event', async () => {
    const stream = freshStream()
    const written = await append(stream, events(3), NO_STREAM)
    const last = (await collect(store.client.readStream(stream))).at(-1)
    expect(written).toMatchObject({ success: true, nextExpectedRevision: 2n })
    expect(written.position).toEqual(last?.event?.position)
    expect(written.position?.commit).toBe(last?.commitPosition)
  })

  it.each([
    { expected: NO_STREAM, length: 0, outcome: 'written' },
    { expected: NO_STREAM, length: 2, outcome: 'refused' },
    { expected: ANY, length: 0, outcome: 'written' },
    { expected: ANY, length: 2, outcome: 'written' },
    { expected: STREAM_EXISTS, length: 0, outcome: 'refused' },
    { expected: STREAM_EXISTS, length: 2, outcome: 'written' },
    { expected: 0n, length: 0, outcome: 'refused' },
    { expected: 0n, length: 2, outcome: 'refused' },
    { expected: 1n, length: 2, outcome: 'written' },
    { expected: 2n, length: 2, outcome: 'refused' },
  ] as const)('expecting $expected of $length events: $outcome', async (rule) => {
    const { expected, length, outcome } = rule
    const stream = freshStream()
    if (length > 0) await append(stream, events(length), NO_STREAM)
    const second = append(stream, events(2), expected)
    if (outcome === 'written') {
      expect((await second).nextExpectedRevision).toBe(BigInt(length + 1))
    } else {
      const error = await rejection(second)
      expect(error).toBeInstanceOf(WrongExpectedVersionError)
      const current = length === 0 ? NO_STREAM : BigInt(length - 1)
      expect(error).toMatchObject({
        streamName: stream,
        expectedVersion: expected,
        actualVersion: current,
      })
    }
    const added = outcome === 'written' ? 2 : 0
    if (length + added > 0) expect(await lengthOf(stream)).toBe(length + added)
  })

  it('takes stream_exists for a stream that only has metadata', async () => {
    const stream = freshStream()
    await store.client.setStreamMetadata(stream, { maxCount: 5 })
    expect((await append(stream, [event()], STREAM_EXISTS)).nextExpectedRevision).toBe(0n)
  })

  it.each([NO_STREAM, 1n] as const)(
    'recognises a retry at %s, also behind later events',
    async (at) => {
      const stream = freshStream()
      if (at === 1n) await append(stream, events(2), NO_STREAM)
      const batch = events(3)
      const first = await append(stream, batch, at)
      await append(stream, events(2), first.nextExpectedRevision)
      const again = await append(stream, batch, at)
      expect(again).toEqual(first)
      expect(await lengthOf(stream)).toBe(at === 1n ? 7 : 5)
    },
  )

  it('recognises the beginning of what it wrote', async () => {
    const stream = freshStream()
    const batch = events(3)
    await append(stream, batch, NO_STREAM)
    const again = await append(stream, batch.slice(0, 2), NO_STREAM)
    expect(again.nextExpectedRevision).toBe(1n)
  })

  it('refuses a retry that continues differently', async () => {
    const stream = freshStream()
    const batch = events(2)
    await append(stream, batch, NO_STREAM)
    const other = [batch[0] ?? event(), event()]
    expect(await rejection(append(stream, other, NO_STREAM))).toBeInstanceOf(
      WrongExpectedVersionError,
    )
  })

  it.each([ANY, STREAM_EXISTS] as const)(
    'expecting %s: recognises ids of this stream',
    async (any) => {
      const stream = freshStream()
      const batch = events(2)
      const first = await append(stream, batch, NO_STREAM)
      await append(stream, [event()], first.nextExpectedRevision)
      expect(await append(stream, batch, any)).toEqual(first)
      const partly = [batch[1] ?? event(), event()]
      expect(await rejection(append(stream, partly, any))).toBeInstanceOf(WrongExpectedVersionError)
      expect(await lengthOf(stream)).toBe(3)
    },
  )

  it('writes the same ids again at a new, correct revision', async () => {
    const stream = freshStream()
    const batch = [event()]
    await append(stream, batch, NO_STREAM)
    await append(stream, batch, 0n)
    expect(await lengthOf(stream)).toBe(2)
  })

  it('knows ids by stream', async () => {
    const batch = [event()]
    await append(freshStream(), batch, ANY)
    const stream = freshStream()
    await append(stream, batch, ANY)
    expect(await lengthOf(stream)).toBe(1)
  })

  it('refuses more than a mebibyte of data and writes none of it', async () => {
    const stream = freshStream()
    const half = { text: 'x'.repeat(600_000) }
    const error = await rejection(append(stream, [event(half), event(half)], NO_STREAM))
    expect(error).toBeInstanceOf(MaxAppendSizeExceededError)
    expect(error).toMatchObject({ maxAppendSize: 1_048_576 })
    expect(await append(stream, [event(half)], NO_STREAM)).toMatchObject({ success: true })
  })

  it('refuses an id that is not a UUID', async () => {
    const wrong = jsonEvent({ id: 'not-a-uuid', type: 'Tested', data: {} })
    expect((await rejection(append(freshStream(), [wrong], ANY))).message).toContain('UUID')
  })

  it.each(['Zürich', 'tab\there', ''])('refuses the stream name %j', async (name) => {
    const error = await rejection(append(name, [event()], ANY))
    expect(error.message).toMatch(/ASCII|needs a name/)
  })

  it('keeps what it is given', async () => {
    const stream = freshStream()
    const data = { amount: '12345678901234567890', text: 'Grüße, 金' }
    const metadata = { actor: 'someone', trace: '00-ab' }
    const id = randomUUID()
    const before = Date.now()
    await append(stream, [jsonEvent({ id, type: 'Kept', data, metadata })], NO_STREAM)
    const [read] = await collect(store.client.readStream(stream))
    expect(read?.event).toMatchObject({ id, type: 'Kept', data, metadata, streamId: stream })
    expect(read?.event?.isJson).toBe(true)
    const recordedAt = read?.event?.created.getTime() ?? 0
    expect(recordedAt).toBeGreaterThanOrEqual(before)
    expect(recordedAt).toBeLessThanOrEqual(Date.now())
  })
})

describe('BatchAppend', () => {
  it('puts an append that comes in chunks together', async () => {
    const stream = freshStream()
    const written = await store.client.appendToStream(stream, events(50), { batchAppendSize: 500 })
    expect(written.nextExpectedRevision).toBe(49n)
    const read = await collect(store.client.readStream(stream))
    expect(read.map(({ event }) => event?.data)).toEqual(
      Array.from({ length: 50 }, (_, number) => ({ number })),
    )
  })

  it('tells interleaved chunks apart and keeps each append in one piece', async () => {
    const streams = Array.from({ length: 8 }, () => freshStream('interleaved'))
    await Promise.all(
      streams.map((stream) =>
        store.client.appendToStream(stream, events(20), { batchAppendSize: 300 }),
      ),
    )
    const all = await collect(store.client.readAll())
    for (const stream of streams) {
      const places = all.flatMap(({ event }, index) => (event?.streamId === stream ? [index] : []))
      expect(places).toHaveLength(20)
      expect((places.at(-1) ?? 0) - (places[0] ?? 0)).toBe(19)
    }
  })

  it('answers an append that fails half-way once and ignores the rest of it', async () => {
    const stream = freshStream()
    const large = Array.from({ length: 20 }, () => event({ text: 'x'.repeat(100_000) }))
    const refused = rejection(
      store.client.appendToStream(stream, large, { batchAppendSize: 100_000 }),
    )
    const other = freshStream()
    await store.client.appendToStream(other, events(2))
    expect(await refused).toBeInstanceOf(MaxAppendSizeExceededError)
    expect(await lengthOf(other)).toBe(2)
    await store.client.appendToStream(stream, [event()], { expectedRevision: NO_STREAM })
    expect(await lengthOf(stream)).toBe(1)
  })

  it('does not write what is still queued after its deadline', async () => {
    const stream = freshStream()
    await store.server.faults.set({ slowDiskMs: 200 })
    const late = rejection(store.client.appendToStream(stream, [event()], { deadline: 20 }))
    expect(await late).toBeInstanceOf(DeadlineExceededError)
    await store.server.faults.set({ slowDiskMs: 0 })
    await store.client.appendToStream(stream, [event()], { expectedRevision: NO_STREAM })
    expect(await lengthOf(stream)).toBe(1)
  })

  it('decides concurrent writers of one stream one after another', async () => {
    const stream = freshStream()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        store.client.appendToStream(stream, [event()], { expectedRevision: NO_STREAM }),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(revisions(await collect(store.client.readStream(stream)))).toEqual([0])
  })
})
