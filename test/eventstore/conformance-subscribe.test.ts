import {
  type AllStreamSubscription,
  END,
  eventTypeFilter,
  excludeSystemEvents,
  type Filter,
  type Position,
  START,
  StreamDeletedError,
  type StreamSubscription,
  streamNameFilter,
} from '@eventstore/db-client'
import { afterEach, describe, expect, it } from 'vitest'
import { event, events, freshStream, until, useEventStore } from './support.ts'

const store = useEventStore()
const open: (StreamSubscription | AllStreamSubscription)[] = []
afterEach(() => Promise.all(open.splice(0).map((subscription) => subscription.unsubscribe())))

/** What a subscription has said so far, in order: events by stream and number, and signals. */
function record(subscription: StreamSubscription | AllStreamSubscription): string[] {
  const said: string[] = []
  open.push(subscription)
  subscription.on('confirmation', () => said.push('confirmed'))
  subscription.on('caughtUp', () => said.push('caught up'))
  subscription.on('error', (error: Error) => said.push(error.constructor.name))
  subscription.on('data', ({ event }: { event?: { type: string; revision: bigint } }) => {
    said.push(`${event?.type} ${event?.revision}`)
  })
  return said
}

async function says(said: readonly string[], expected: readonly string[]): Promise<void> {
  await until(expected.join(', '), () => said.length >= expected.length).catch(() => undefined)
  expect(said).toEqual(expected)
}

describe('a subscription to a stream', () => {
  const subscribe = (stream: string, fromRevision: typeof START | typeof END | bigint) =>
    record(store.client.subscribeToStream(stream, { fromRevision }))

  it('confirms, tells history, has caught up, goes on live', async () => {
    const stream = freshStream()
    await store.client.appendToStream(stream, events(2))
    const said = subscribe(stream, START)
    const history = ['confirmed', 'Tested 0', 'Tested 1', 'caught up']
    await says(said, history)
    await store.client.appendToStream(stream, events(2))
    await says(said, [...history, 'Tested 2', 'Tested 3'])
  })

  it('begins behind the revision it is given', async () => {
    const stream = freshStream()
    await store.client.appendToStream(stream, events(3))
    await says(subscribe(stream, 1n), ['confirmed', 'Tested 2', 'caught up'])
  })

  it('from the end only tells what is new', async () => {
    const stream = freshStream()
    await store.client.appendToStream(stream, events(3))
    const said = subscribe(stream, END)
    await says(said, ['confirmed', 'caught up'])
    await store.client.appendToStream(stream, event())
    await says(said, ['confirmed', 'caught up', 'Tested 3'])
  })

  it('waits for a stream that does not exist yet', async () => {
    const stream = freshStream()
    const said = subscribe(stream, START)
    await says(said, ['confirmed', 'caught up'])
    await store.client.appendToStream(freshStream(), event())
    await store.client.appendToStream(stream, event())
    await says(said, ['confirmed', 'caught up', 'Tested 0'])
  })

  it('of a soft-deleted stream waits for its return', async () => {
    const stream = freshStream()
    await store.client.appendToStream(stream, events(2))
    await store.client.deleteStream(stream)
    const said = subscribe(stream, START)
    await says(said, ['confirmed', 'caught up'])
    await store.client.appendToStream(stream, event())
    await says(said, ['confirmed', 'caught up', 'Tested 2'])
  })

  it('ends with the tombstone', async () => {
    const stream = freshStream()
    await store.client.appendToStream(stream, event())
    const said = subscribe(stream, START)
    await says(said, ['confirmed', 'Tested 0', 'caught up'])
    await store.client.tombstoneStream(stream)
    await says(said, [
      'confirmed',
      'Tested 0',
      'caught up',
      '$streamDeleted 9223372036854775807',
      StreamDeletedError.name,
    ])
  })

  it('to a tombstoned stream is refused', async () => {
    const stream = freshStream()
    await store.client.tombstoneStream(stream)
    await says(subscribe(stream, START), [StreamDeletedError.name])
  })

  it('respects the limits in metadata', async () => {
    const stream = freshStream()
    await store.client.appendToStream(stream, events(5))
    await store.client.setStreamMetadata(stream, { maxCount: 2 })
    await says(subscribe(stream, START), ['confirmed', 'Tested 3', 'Tested 4', 'caught up'])
  })
})

describe('a subscription to the whole log', () => {
  const subscribe = (fromPosition: typeof START | typeof END | Position, filter?: Filter) =>
    record(store.client.subscribeToAll(filter ? { fromPosition, filter } : { fromPosition }))

  /** Appends and gives the position behind which a test's own events begin. */
  async function here(): Promise<Position> {
    const { position } = await store.client.appendToStream(freshStream(), event())
    return position ?? { commit: 0n, prepare: 0n }
  }

  it('begins behind the position it is given', async () => {
    const place = await here()
    await store.client.appendToStream(freshStream(), events(2))
    const said = subscribe(place)
    await says(said, ['confirmed', 'Tested 0', 'Tested 1', 'caught up'])
  })

  it('from the start tells the very first event', async () => {
    await here()
    const said = subscribe(START)
    await until('the first event', () => said.length > 1)
    expect(said.slice(0, 2)).toEqual(['confirmed', 'Tested 0'])
  })

  it('from the end is caught up at once and then live', async () => {
    await here()
    const said = subscribe(END)
    await says(said, ['confirmed', 'caught up'])
    await store.client.appendToStream(freshStream(), event({}, 'Live'))
    await says(said, ['confirmed', 'caught up', 'Live 0'])
  })

  it('reaches across the pages of the server and misses nothing while it is written', async () => {
    const place = await here()
    const stream = freshStream()
    await store.client.appendToStream(stream, events(600))
    const said = subscribe(place)
    await store.client.appendToStream(stream, events(600))
    await until(
      '1200 events',
      () => said.filter((line) => line.startsWith('Tested')).length >= 1200,
    )
    expect(said.filter((line) => line.startsWith('Tested'))).toEqual(
      Array.from({ length: 1200 }, (_, revision) => `Tested ${revision}`),
    )
  })

  it.each([
    {
      by: 'type prefix',
      filter: eventTypeFilter({ prefixes: ['Al', 'Ga'] }),
      expected: ['Alpha 0', 'Gamma 2'],
    },
    {
      by: 'type regex',
      filter: eventTypeFilter({ regex: '^(Beta|Gamma)$' }),
      expected: ['Beta 1', 'Gamma 2'],
    },
    {
      by: 'stream prefix',
      filter: streamNameFilter({ prefixes: ['filtered-'] }),
      expected: ['Alpha 0', 'Beta 1', 'Gamma 2'],
    },
    { by: 'stream regex', filter: streamNameFilter({ regex: '^other' }), expected: ['Beta 0'] },
  ])('filters by $by, in history and live', async ({ filter, expected }) => {
    const place = await here()
    const write = async () => {
      await store.client.appendToStream(freshStream('filtered'), [
        event({}, 'Alpha'),
        event({}, 'Beta'),
        event({}, 'Gamma'),
      ])
      await store.client.appendToStream(freshStream('other'), event({}, 'Beta'))
    }
    await write()
    const said = subscribe(place, filter)
    const own = expected.filter((line) => line !== 'Beta 0' || expected.length === 1)
    const both = expected.includes('Beta 1') && filter.filterOn === 'eventType'
    const history = both ? [...own, 'Beta 0'] : own
    await says(said, ['confirmed', ...history, 'caught up'])
    await write()
    await says(said, ['confirmed', ...history, 'caught up', ...history])
  })

  it('leaves system events out when asked to', async () => {
    const place = await here()
    const stream = freshStream()
    await store.client.appendToStream(stream, event())
    await store.client.setStreamMetadata(stream, { maxCount: 9 })
    await store.client.tombstoneStream(stream)
    await says(subscribe(place, excludeSystemEvents()), ['confirmed', 'Tested 0', 'caught up'])
    const all = ['confirmed', 'Tested 0', '$metadata 0', '$streamDeleted 9223372036854775807']
    await says(subscribe(place), [...all, 'caught up'])
  })
})

describe('checkpoints', () => {
  it('come after each interval, before caught up, and never go back', async () => {
    const { position: place } = await store.client.appendToStream(freshStream(), event())
    const checkpoints: bigint[] = []
    const order: string[] = []
    await store.client.appendToStream(freshStream(), events(50))
    const subscription = store.client.subscribeToAll({
      fromPosition: place ?? START,
      filter: eventTypeFilter({
        prefixes: ['Never'],
        maxSearchWindow: 10,
        checkpointInterval: 2,
        checkpointReached: (_, { commit }) => {
          checkpoints.push(commit)
          order.push('checkpoint')
        },
      }),
    })
    record(subscription)
    subscription.on('caughtUp', () => order.push('caught up'))
    await until('caught up', () => order.includes('caught up'))
    const offsets = checkpoints.map((commit) => Number(commit - (place?.commit ?? 0n)))
    expect(offsets).toEqual([20, 40, 50])
    expect(order).toEqual(['checkpoint', 'checkpoint', 'checkpoint', 'caught up'])
    await store.client.appendToStream(freshStream(), events(25))
    await until('a live checkpoint', () => checkpoints.length === 4)
    expect(Number((checkpoints.at(-1) ?? 0n) - (place?.commit ?? 0n))).toBe(70)
  })

  it('come without a search window too: every 32 events', async () => {
    const { position: place } = await store.client.appendToStream(freshStream(), event())
    await store.client.appendToStream(freshStream(), events(40))
    const offsets: number[] = []
    const said = record(
      store.client.subscribeToAll({
        fromPosition: place ?? START,
        filter: streamNameFilter({
          prefixes: ['never'],
          checkpointReached: (_, { commit }) => {
            offsets.push(Number(commit - (place?.commit ?? 0n)))
          },
        }),
      }),
    )
    await until('caught up', () => said.includes('caught up'))
    expect(offsets).toEqual([32, 40])
  })
})

it('tells its subscribers only what is durable', async () => {
  const stream = freshStream()
  const said = record(store.client.subscribeToStream(stream))
  await says(said, ['confirmed', 'caught up'])
  await store.server.faults.set({ fullDisk: true })
  const large = Array.from({ length: 9 }, () => event({ text: 'x'.repeat(100_000) }))
  await expect(store.client.appendToStream(stream, large)).rejects.toThrow()
  await store.server.faults.set({ fullDisk: false })
  await store.client.appendToStream(stream, event({}, 'Durable'))
  await says(said, ['confirmed', 'caught up', 'Durable 0'])
})
