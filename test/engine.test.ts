import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createEngine, type Engine, type Outcome } from '../commands/engine.ts'
import type { Attempt } from '../commands/group.ts'
import type { Snapshots } from '../commands/resident.ts'
import { isRefusal, type Refusal } from '../domain/kernel.ts'
import { entriesOf } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import { available, type Book } from '../domain/ledger/state.ts'
import type { EventStore, Recorded } from '../domain/log.ts'
import { connectEventStore } from '../infra/eventstore/client.ts'
import {
  type EmbeddedEventStore,
  startEmbeddedEventStore,
} from '../infra/eventstore/embedded/index.ts'
import { dump } from './laws/dump.ts'
import { type Asked, account, book, transfer } from './support/ledger.ts'
import { noSnapshots } from './support/memory.ts'

const directory = mkdtempSync(join(tmpdir(), 'daybook-engine-'))
const AT = new Date('2026-03-10T12:00:00.000Z')
const running: { server?: EmbeddedEventStore } = {}
const opened: EventStore[] = []

const server = (): EmbeddedEventStore => {
  if (!running.server) throw new Error('there is no event store')
  return running.server
}

beforeAll(async () => {
  running.server = await startEmbeddedEventStore({ directory })
})
afterEach(async () => {
  await server().faults.set({ answersToLose: 0, appendsToIgnore: 0, slowDiskMs: 0 })
  await Promise.all(opened.splice(0).map((store) => store.close()))
})
afterAll(async () => {
  await running.server?.close()
  rmSync(directory, { recursive: true, force: true })
})

/** A connection of its own, as another process has one. */
const connect = (appendTimeoutMs = 5000): EventStore => {
  const store = connectEventStore({ url: server().url, appendTimeoutMs })
  opened.push(store)
  return store
}

/** Counts what is appended together. */
const counting = (store: EventStore): EventStore & { readonly appends: number[] } => {
  const appends: number[] = []
  return {
    ...store,
    appends,
    append: (stream, expected, events) => {
      appends.push(events.length)
      return store.append(stream, expected, events)
    },
  }
}

let requests = 0

const asking = (asked: Asked, more: Partial<Attempt> & { key?: string } = {}): Attempt => {
  requests += 1
  const { key, ...rest } = more
  const [name, command] = asked
  const decide = Ledger.decide[name] as (state: unknown, command: unknown) => never
  return {
    decide: (state) => decide(state, command),
    expect: 'any',
    otherwise: 'BOOK_NOT_FOUND',
    revision: undefined,
    metadata: {
      command: key ?? `request-${requests}`,
      ...(key !== undefined && { digest: JSON.stringify(asked) }),
    },
    at: AT,
    dryRun: false,
    ...rest,
  }
}

const done = (outcome: Outcome | Refusal): Outcome => {
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.refused}: ${outcome.detail}`)
  return outcome
}

let books = 0

/** A book of its own with cash and three customers, who have a thousand each. */
const openBank = async (engine: Engine): Promise<string> => {
  books += 1
  const stream = `book-b${books}`
  const names = ['a', 'b', 'c']
  const asked: Asked[] = [
    book(),
    account('cash', { type: 'asset' }),
    ...names.map((name) => account(name)),
    ...names.map((name) => transfer('cash', name, '1000')),
  ]
  for (const one of asked) done(await engine.submit(Ledger, stream, asking(one)))
  return stream
}

const read = async (store: EventStore, stream: string): Promise<Recorded[]> => {
  const events: Recorded[] = []
  for await (const event of store.readStream(stream)) events.push(event)
  return events
}

const stateOf = async (engine: Engine, stream: string): Promise<Book> =>
  (await engine.look(Ledger, stream)).state as Book

const balanceOf = async (engine: Engine, stream: string, code: string) =>
  (await stateOf(engine, stream)).accounts.get(code)?.balance

const entryIds = (events: readonly Recorded[]): string[] =>
  events.flatMap((event) => entriesOf(event as never).map(({ id }) => id))

const contiguous = (events: readonly Recorded[]): void =>
  expect(events.map(({ revision }) => revision)).toEqual(events.map((_event, index) => index))

describe('an engine', () => {
  test('appends together what was asked for together, and answers in order', async () => {
    const store = counting(connect())
    const engine = createEngine(store, noSnapshots)
    const stream = await openBank(engine)
    store.appends.length = 0
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, () =>
        engine.submit(Ledger, stream, asking(transfer('a', 'b', '1'))),
      ),
    )
    // The first goes alone or with few; the others wait for it and go together.
    expect(store.appends.length).toBeLessThan(10)
    expect(store.appends.reduce((sum, length) => sum + length, 0)).toBe(300)
    const revisions = outcomes.map((outcome) => done(outcome).revision)
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b))
    expect(new Set(revisions).size).toBe(300)
    expect(await balanceOf(engine, stream, 'b')).toBe(1300n)
  })

  test('refuses one of a group and does the others', async () => {
    const engine = createEngine(connect(), noSnapshots)
    const stream = await openBank(engine)
    const outcomes = await Promise.all(
      ['400', '700', '600'].map((amount) =>
        engine.submit(Ledger, stream, asking(transfer('a', 'b', amount))),
      ),
    )
    expect(outcomes.map((outcome) => isRefusal(outcome) && outcome.refused)).toEqual([
      false,
      'INSUFFICIENT_FUNDS',
      false,
    ])
    expect(await balanceOf(engine, stream, 'a')).toBe(0n)
  })

  test('holds so many requests and turns the next away at once', async () => {
    const engine = createEngine(connect(), noSnapshots)
    const stream = await openBank(engine)
    await server().faults.set({ slowDiskMs: 300 })
    const asked = Array.from({ length: 20_001 }, () =>
      engine.submit(Ledger, stream, asking(transfer('a', 'nobody', '1'))),
    )
    await expect(asked.at(-1)).rejects.toMatchObject({ code: 'OVERLOADED' })
    const outcomes = await Promise.all(asked.slice(0, -1))
    expect(outcomes.every(isRefusal)).toBe(true)
  })

  test('wants a new stream new and an existing one there', async () => {
    const engine = createEngine(connect(), noSnapshots)
    const stream = await openBank(engine)
    const again = await engine.submit(
      Ledger,
      stream,
      asking(book(), { expect: 'new', otherwise: 'BOOK_EXISTS' }),
    )
    expect(again).toMatchObject({ refused: 'BOOK_EXISTS' })
    const nowhere = await engine.submit(
      Ledger,
      'book-nowhere',
      asking(transfer('a', 'b', '1'), { expect: 'existing' }),
    )
    expect(nowhere).toMatchObject({ refused: 'BOOK_NOT_FOUND' })
    const { revision } = await engine.look(Ledger, stream)
    const late = asking(transfer('a', 'b', '1'), { revision: revision - 1 })
    expect(await engine.submit(Ledger, stream, late)).toMatchObject({
      refused: 'REVISION_MISMATCH',
      facts: { revision },
    })
  })
})

describe('a repetition', () => {
  const asked = transfer('a', 'b', '10')

  test('is answered as before, also by an engine that has just started', async () => {
    const first = createEngine(connect(), noSnapshots)
    const stream = await openBank(first)
    const outcome = done(await first.submit(Ledger, stream, asking(asked, { key: 'k1' })))
    for (const engine of [first, createEngine(connect(), noSnapshots)]) {
      const again = done(await engine.submit(Ledger, stream, asking(asked, { key: 'k1' })))
      expect(again.replayed).toBe(true)
      expect(again.events.map(({ id, data }) => [id, data])).toEqual(
        outcome.events.map(({ id, data }) => [id, data]),
      )
      expect(await balanceOf(engine, stream, 'b')).toBe(1010n)
    }
  })

  test('within one group is done once', async () => {
    const engine = createEngine(connect(), noSnapshots)
    const stream = await openBank(engine)
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => engine.submit(Ledger, stream, asking(asked, { key: 'k1' }))),
    )
    expect(outcomes.filter((outcome) => !done(outcome).replayed)).toHaveLength(1)
    expect(await balanceOf(engine, stream, 'b')).toBe(1010n)
  })

  test('with another content is refused', async () => {
    const engine = createEngine(connect(), noSnapshots)
    const stream = await openBank(engine)
    done(await engine.submit(Ledger, stream, asking(asked, { key: 'k1' })))
    const other = asking(transfer('a', 'b', '11'), { key: 'k1' })
    expect(await engine.submit(Ledger, stream, other)).toMatchObject({
      refused: 'IDEMPOTENCY_KEY_REUSED',
    })
  })
})

describe('two engines on one book', () => {
  test('lose nothing, do nothing twice and agree', async () => {
    const engines = [
      createEngine(connect(), noSnapshots),
      createEngine(connect(), noSnapshots),
    ] as const
    const stream = await openBank(engines[0])
    const pairs = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ] as const
    const outcomes = await Promise.all(
      Array.from({ length: 256 }, (_, index) => {
        const [from, to] = pairs[index % 3] ?? pairs[0]
        const engine = engines[index % 2] ?? engines[0]
        return engine.submit(Ledger, stream, asking(transfer(from, to, '1'), { key: `t${index}` }))
      }),
    )
    const events = await read(connect(), stream)
    contiguous(events)
    const ids = entryIds(events)
    expect(new Set(ids).size).toBe(ids.length)
    const posted = outcomes.flatMap((outcome) => entryIds(done(outcome).events as never))
    expect(ids.slice(3).sort()).toEqual(posted.sort())
    expect(posted).toHaveLength(256)
    const [one, two] = await Promise.all(engines.map((engine) => stateOf(engine, stream)))
    expect(dump(one)).toBe(dump(two))
    // 256 is 86 + 85 + 85: a pays one more than it gets, b gets one more than it pays.
    expect([...'abc'].map((code) => one?.accounts.get(code)?.balance)).toEqual([999n, 1001n, 1000n])
  })

  test('do one request once, whichever of them it reaches', async () => {
    const engines = [createEngine(connect(), noSnapshots), createEngine(connect(), noSnapshots)]
    const stream = await openBank(engines[0] as Engine)
    const asked = transfer('a', 'b', '10')
    const outcomes = await Promise.all(
      [0, 1, 0, 1].map((index) =>
        (engines[index] as Engine).submit(Ledger, stream, asking(asked, { key: 'once' })),
      ),
    )
    const ids = outcomes.flatMap((outcome) => done(outcome).events.map(({ id }) => id))
    expect(new Set(ids).size).toBe(1)
    expect(await balanceOf(engines[1] as Engine, stream, 'b')).toBe(1010n)
  })

  /** Two engines which append at the same moment, upon the same revision. */
  const openRivals = async () => {
    const waiting: (() => void)[] = []
    const meeting = (store: EventStore): EventStore => ({
      ...store,
      append: async (...args) => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          if (waiting.length >= 2) for (const go of waiting) go()
        })
        return store.append(...args)
      },
    })
    const stream = await openBank(createEngine(connect(), noSnapshots))
    const [one, two] = [meeting(connect()), meeting(connect())].map((store) =>
      createEngine(store, noSnapshots),
    ) as [Engine, Engine]
    return { stream, one, two }
  }

  test('say of one request made to both at once that one of them repeats it', async () => {
    const { stream, one, two } = await openRivals()
    const asked = transfer('a', 'b', '10')
    const outcomes = await Promise.all(
      [one, two].map((engine) => engine.submit(Ledger, stream, asking(asked, { key: 'k' }))),
    )
    expect(outcomes.filter((outcome) => !done(outcome).replayed)).toHaveLength(1)
  })

  test('refuse one of two requests which come to them with the same key at once', async () => {
    const { stream, one, two } = await openRivals()
    const outcomes = await Promise.all([
      one.submit(Ledger, stream, asking(transfer('a', 'b', '10'), { key: 'k' })),
      two.submit(Ledger, stream, asking(transfer('a', 'b', '500'), { key: 'k' })),
    ])
    expect(outcomes.filter(isRefusal)).toMatchObject([{ refused: 'IDEMPOTENCY_KEY_REUSED' }])
    expect(dump(await stateOf(one, stream))).toBe(dump(await stateOf(two, stream)))
  })

  test('refuse by what stands in the log, not by what they last saw', async () => {
    const [one, two] = [createEngine(connect(), noSnapshots), createEngine(connect(), noSnapshots)]
    const stream = await openBank(one)
    expect(await balanceOf(two, stream, 'a')).toBe(1000n)
    done(await one.submit(Ledger, stream, asking(transfer('b', 'a', '500'))))
    // By what the second last saw, there is not enough.
    done(await two.submit(Ledger, stream, asking(transfer('a', 'c', '1500'))))
    const late = await one.submit(Ledger, stream, asking(transfer('a', 'c', '1')))
    expect(late).toMatchObject({ refused: 'INSUFFICIENT_FUNDS', facts: { available: '0' } })
  })
})

describe('when an answer is lost', () => {
  test('what was appended is not appended again', async () => {
    const engine = createEngine(connect(250), noSnapshots)
    const stream = await openBank(engine)
    await server().faults.set({ answersToLose: 2 })
    const outcome = done(await engine.submit(Ledger, stream, asking(transfer('a', 'b', '10'))))
    const events = await read(connect(), stream)
    contiguous(events)
    expect(events.filter(({ id }) => id === outcome.events[0]?.id)).toHaveLength(1)
    expect(await balanceOf(engine, stream, 'b')).toBe(1010n)
  })

  test('and the store stays away, the caller may ask again with his key', async () => {
    const engine = createEngine(connect(100), noSnapshots)
    const stream = await openBank(engine)
    const asked = transfer('a', 'b', '10')
    await server().faults.set({ answersToLose: 50 })
    const lost = engine.submit(Ledger, stream, asking(asked, { key: 'k' }))
    await expect(lost).rejects.toMatchObject({ code: 'EVENT_STORE_UNAVAILABLE' })
    await server().faults.set({ answersToLose: 0 })
    const again = done(await engine.submit(Ledger, stream, asking(asked, { key: 'k' })))
    expect(again.replayed).toBe(true)
    expect(await balanceOf(engine, stream, 'b')).toBe(1010n)
  })
})

describe('a snapshot', () => {
  /** As the one in Postgres: what is kept is text. */
  const createSnapshots = (): Snapshots & { clear(): void; readonly kept: Map<string, string> } => {
    const kept = new Map<string, string>()
    return {
      kept,
      clear: () => kept.clear(),
      load: async (stream, version) => {
        const text = kept.get(`${stream} ${version}`)
        return text === undefined ? undefined : JSON.parse(text)
      },
      save: async (stream, version, revision, saved) =>
        void kept.set(`${stream} ${version}`, JSON.stringify({ revision, saved })),
    }
  }

  test('is kept when the engine stops; with it or without, the answers are the same', async () => {
    const snapshots = createSnapshots()
    const engine = createEngine(connect(), snapshots)
    const stream = await openBank(engine)
    const asked = transfer('a', 'b', '10')
    done(await engine.submit(Ledger, stream, asking(asked, { key: 'k' })))
    await engine.drain()
    expect(snapshots.kept.size).toBe(1)
    done(await createEngine(connect(), noSnapshots).submit(Ledger, stream, asking(asked)))

    const store = connect()
    const from: number[] = []
    const watched: EventStore = {
      ...store,
      readStream: (name, options = {}) => {
        from.push(options.from ?? 0)
        return store.readStream(name, options)
      },
    }
    const withIt = createEngine(watched, snapshots)
    const state = await stateOf(withIt, stream)
    // Read on from where the snapshot was, not from the beginning.
    expect(from[0]).toBeGreaterThan(5)
    expect((await stateOf(withIt, stream)).accounts.get('b')?.balance).toBe(1020n)
    snapshots.clear()
    const without = createEngine(connect(), snapshots)
    expect(dump(await stateOf(without, stream))).toBe(dump(state))
    for (const one of [withIt, without]) {
      const again = done(await one.submit(Ledger, stream, asking(asked, { key: 'k' })))
      expect(again.replayed).toBe(true)
    }
    const left = [...state.accounts.rows.values()].map(available)
    expect(left).toEqual([3000n, 980n, 1020n, 1000n])
  })
})
