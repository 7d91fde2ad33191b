import { rm } from 'node:fs/promises'
import { EventStoreDBClient } from '@eventstore/db-client'
import { describe, expect, it } from 'vitest'
import type { Recorded } from '../../domain/log.ts'
import {
  cleanUp,
  connect,
  follow,
  numbered,
  numbersOf,
  setUpAlone,
  startServer,
  upTo,
} from './adapter-support.ts'
import { collect, newEvent, rejection, temporaryDirectory, until } from './support.ts'

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
