import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { contracts } from '../api/index.ts'
import { statusOf, titleOf, transportProblems } from '../api/problems.ts'
import { eventSchemas, modules } from '../domain/index.ts'
import { type Decider, decode, fold } from '../domain/kernel.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Book } from '../domain/ledger/state.ts'
import type { Recorded } from '../domain/log.ts'
import { type RefusalCode, refusals } from '../domain/refusals.ts'
import { projections } from '../projections/index.ts'
import { arbitraryOf } from './laws/arbitraries.ts'
import { findCommands } from './laws/catalogue.ts'
import { dump } from './laws/dump.ts'
import { fixturesOf } from './laws/fixtures.ts'
import { type History, type Law, reloaded } from './laws/histories.ts'
import { findFaults } from './laws/layers.ts'
import { availabilities, faultsAfter } from './laws/ledger.ts'
import { createHistories, freshSeed, HISTORIES_TIMEOUT_MS } from './laws/shared.ts'

const types = Object.keys(eventSchemas)
const categories = modules.map((module) => [module.category, module] as const)
let histories: readonly History[] = []

beforeAll(async () => {
  histories = await createHistories()
}, HISTORIES_TIMEOUT_MS)

const streamsOf = (history: History, { category }: Decider): Recorded[][] => {
  const streams = new Map<string, Recorded[]>()
  for (const event of history.log) {
    if (!event.stream.startsWith(`${category}-`)) continue
    const known = streams.get(event.stream)
    if (known) known.push(event)
    else streams.set(event.stream, [event])
  }
  return [...streams.values()]
}

const foldAll = (module: Decider, events: readonly Recorded[], state = module.initial()): unknown =>
  events.reduce(
    (folded, event) => fold(module, folded, decode(module.schemas, event), event.revision),
    state,
  )

describe(`events (seed ${freshSeed})`, () => {
  test('each type happens in the generated histories', () => {
    const seen = new Set(histories.flatMap(({ log }) => log.map(({ type }) => type)))
    expect(types.filter((type) => !seen.has(type))).toEqual([])
  })

  test('come back from JSON as they were', () => {
    for (const { log, seed } of histories) {
      for (const { type, data } of log) {
        const again = eventSchemas[type]?.parse(JSON.parse(JSON.stringify(data)))
        expect(again, `${type}, seed ${seed}`).toEqual(data)
      }
    }
  })

  test.each(types)('%s comes back from JSON, whatever is in it', (type) => {
    const schema = eventSchemas[type]
    if (!schema) throw new Error(`${type} has no schema`)
    const passing = arbitraryOf(schema).filter((data) => schema.safeParse(data).success)
    fc.assert(
      fc.property(passing, (drawn) => {
        // JSON knows no -0, so begin with what it does know.
        const once = schema.parse(JSON.parse(JSON.stringify(drawn)))
        expect(schema.parse(JSON.parse(JSON.stringify(once)))).toEqual(once)
      }),
      { numRuns: 20 },
    )
  })

  test.each(types)('%s of every version that was ever written is still read', (type) => {
    const fixtures = fixturesOf(type)
    // To write one: node test/laws/write_fixtures.ts
    expect(fixtures.length, `no fixture of ${type}`).toBeGreaterThan(0)
    for (const { name, data } of fixtures) {
      expect(eventSchemas[type]?.parse(data), name).toEqual(data)
    }
  })

  test('no two modules give the same name to different things', () => {
    const names = modules.flatMap(({ schemas }) => Object.keys(schemas))
    expect(names).toEqual([...new Set(names)])
  })
})

describe.each(categories)('%s', (_category, module) => {
  test('has a handler for each of its events, and no other', () => {
    expect(Object.keys(module.evolve).sort()).toEqual(Object.keys(module.schemas).sort())
  })

  test('folds every history', () => {
    const streams = histories.flatMap((history) => streamsOf(history, module))
    expect(streams.length).toBeGreaterThan(0)
    for (const events of streams) expect(() => foldAll(module, events)).not.toThrow()
  })

  test('folds the same events to the same state', () => {
    for (const events of histories.flatMap((history) => streamsOf(history, module))) {
      expect(dump(foldAll(module, events))).toBe(dump(foldAll(module, events)))
    }
  })

  test('comes back from a savepoint, and from a snapshot, to where it was', () => {
    for (const events of histories.flatMap((history) => streamsOf(history, module))) {
      const step = Math.max(1, Math.floor(events.length / 12))
      for (let cut = 0; cut < events.length; cut += step) {
        const state = foldAll(module, events.slice(0, cut))
        const before = dump(state)
        expect(dump(reloaded(module, state))).toBe(before)
        const savepoint = module.savepoint?.(state)
        foldAll(module, events.slice(cut), state)
        savepoint?.rollback()
        expect(dump(state)).toBe(before)
        // What was undone can be done again.
        const kept = module.savepoint?.(state)
        const after = dump(foldAll(module, events.slice(cut), state))
        kept?.keep()
        expect(after).toBe(dump(foldAll(module, events)))
      }
    }
  })
})

describe('decisions', () => {
  const laws: readonly (readonly [Law, string])[] = [
    ['deterministic', 'are the same when made again'],
    ['leaves the state alone', 'change nothing by being made'],
    ['snapshot', 'are the same on a state that comes from a snapshot'],
    ['schema', 'come to events that fit their schemas'],
  ]
  test.each(laws)('%s: they %s', (law) => {
    const broken = histories.flatMap(({ seed, faults }) =>
      faults.filter((fault) => fault.law === law).map(({ what }) => `${what}, seed ${seed}`),
    )
    expect(broken).toEqual([])
  })

  test('of every declared command are made in the generated histories', async () => {
    const done = new Set(histories.flatMap(({ outcomes }) => [...outcomes.keys()]))
    const never = (await findCommands()).filter(({ name }) => !done.has(`${name} done`))
    expect(never.map(({ name }) => name)).toEqual([])
  })

  test('are made by deciders that are listed', async () => {
    const deciders = (await findCommands()).flatMap((command) =>
      'decider' in command ? [command.decider.category] : [],
    )
    expect(modules.map(({ category }) => category)).toEqual(expect.arrayContaining(deciders))
  })
})

describe('books', () => {
  test('balance after every event, in each asset, with no account below its limit', () => {
    let checked = 0
    for (const { seed, ...history } of histories) {
      for (const events of streamsOf({ seed, ...history }, Ledger)) {
        let book: Book = Ledger.initial()
        for (const recorded of events) {
          const event = decode(Ledger.schemas, recorded)
          const before = availabilities(book)
          book = fold(Ledger, book, event, recorded.revision)
          const where = `${recorded.stream}@${recorded.revision}, seed ${seed}`
          expect(faultsAfter(event, book, before), where).toEqual([])
          checked += 1
        }
      }
    }
    expect(checked).toBeGreaterThan(500)
  })
})

describe('refusals', () => {
  const codes = Object.keys(refusals) as RefusalCode[]
  const source = ['domain', 'commands']
    .flatMap((room) =>
      readdirSync(room, { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
    )
    .filter((name) => name.endsWith('.ts') && !name.endsWith('/refusals.ts'))
    .map((name) => readFileSync(name, 'utf8'))
    .join('\n')

  test.each(codes)('%s has a title and a status, and somebody is refused with it', (code) => {
    expect(titleOf(code)).toMatch(/^[A-Z].{4,}[^.]$/)
    expect(statusOf(code)).toBeGreaterThanOrEqual(400)
    expect(statusOf(code)).toBeLessThan(500)
    expect(source).toContain(`'${code}'`)
  })
  test('no two things are called by the same code', () => {
    expect(Object.keys(transportProblems).filter((code) => code in refusals)).toEqual([])
  })
})

describe('routes', () => {
  const routes = contracts.flatMap(({ routes }) =>
    routes.map((route) => [`${route.method} ${route.path}`, route] as const),
  )

  test.each(routes)(
    '%s declares problems that there are, and answers with its fields',
    (_name, route) => {
      for (const code of route.problems ?? []) expect(titleOf(code)).toBeTruthy()
      expect(route.summary).toMatch(/^[A-Z].*[^.]$/)
      expect(route.path).toMatch(/^\/[a-z]/)
    },
  )
  test('no two are at the same address', () => {
    const names = routes.map(([name]) => name)
    expect(names).toEqual([...new Set(names)])
  })
})

describe('read models', () => {
  test.each(projections.map((one) => [one.name, one] as const))(
    '%s listens to events that there are',
    (_name, { on, schemas }) => {
      expect(types).toEqual(expect.arrayContaining(Object.keys(on)))
      expect(types).toEqual(expect.arrayContaining(Object.keys(schemas)))
    },
  )
})

test('no layer looks into one that is built on it', () => {
  const { faults, imports } = findFaults()
  expect(faults).toEqual([])
  expect(imports).toBeGreaterThan(500)
})
