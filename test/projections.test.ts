import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import type { EventStore } from '../domain/log.ts'
import { connectEventStore } from '../infra/eventstore/client.ts'
import { startEmbeddedEventStore } from '../infra/eventstore/embedded/index.ts'
import { startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { connectPostgres } from '../infra/postgres/pool.ts'
import { activateBuild, type Build, readBuilds, startBuild } from '../projections/builds.ts'
import { type Projection, projection } from '../projections/kernel.ts'
import { prepareProjections, rebuild, runProjector } from '../projections/runner.ts'
import type { Table } from '../projections/table.ts'
import { eventually } from './support/client.ts'

const directory = mkdtempSync(join(tmpdir(), 'daybook-projections-'))
const world: { store?: EventStore; database?: Pool } = {}
const endings: (() => unknown)[] = []

beforeAll(async () => {
  const [server, postgres] = await Promise.all([
    startEmbeddedEventStore({ directory: join(directory, 'events') }),
    startEmbeddedPostgres({ directory: join(directory, 'postgres') }),
  ])
  world.store = connectEventStore({ url: server.url })
  world.database = await connectPostgres({ url: postgres.url, name: 'test', max: 10 })
  endings.push(
    () => world.store?.close(),
    () => world.database?.end(),
    server.close,
    postgres.close,
  )
})
afterAll(async () => {
  for (const end of endings) await end()
  rmSync(directory, { recursive: true, force: true })
})

const store = (): EventStore => world.store as EventStore
const database = (): Pool => world.database as Pool

/** A read model of its own for each test: what the latest tally of each name is. */
const tallies = (test: string, version = 1, more: Partial<Projection> = {}) => {
  const type = `Tallied${test}`
  const table: Table = {
    name: `tallies_${test.toLowerCase()}`,
    columns: { name: 'text', total: 'bigint', ...(version > 1 && { doubled: 'bigint' }) },
    key: ['name'],
  }
  const model = projection({
    name: `tallies_${test.toLowerCase()}`,
    version,
    tables: [table],
    schemas: { [type]: z.object({ name: z.string(), total: z.int() }) },
    on: {
      [type]: ({ data }, rows) => {
        const { name, total } = data as { name: string; total: number }
        rows.put(table, { name, total, ...(version > 1 && { doubled: 2 * total }) })
      },
    },
  })
  const read = async (): Promise<{ name: string; total: string; doubled?: string }[]> =>
    (await database().query(`select * from ${table.name} order by name`)).rows
  const append = async (...events: { name: string; total: unknown }[]): Promise<void> => {
    const stream = `${type}-${randomUUID()}`
    const news = events.map((data) => ({ id: randomUUID(), type, data, metadata: {} }))
    await store().append(stream, -1, news)
  }
  return { model: { ...model, ...more }, table, read, append }
}

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ name: `n${from + index}`, total: from + index }))

type Line = { readonly facts: object; readonly message: string }

/** Runs a projector until the test is over, or it is stopped; what it logs is kept. */
const start = async (...projections: Projection[]) => {
  await prepareProjections(database(), projections)
  const errors: Line[] = []
  const stopping = new AbortController()
  const running = runProjector({
    store: store(),
    database: database(),
    projections,
    log: { info: () => undefined, error: (facts, message) => errors.push({ facts, message }) },
    signal: stopping.signal,
  })
  const stop = async (): Promise<void> => {
    stopping.abort()
    await running
  }
  onTestFinished(stop)
  return { errors, stop }
}

const buildsOf = async ({ name }: Projection): Promise<Build[]> =>
  (await readBuilds(database())).filter((build) => build.name === name)

const until = (what: string, holds: () => Promise<boolean>) =>
  eventually(what, holds, (value) => value)

const caughtUp = (what: { read(): Promise<unknown[]> }, rows: number) =>
  until(`${rows} rows are there`, async () => (await what.read()).length === rows)

describe('an event that cannot be handled', () => {
  const bad = [
    ['Unfit', 'does not fit its schema', { name: 'bad', total: 'many' }],
    ['Nul', 'holds a NUL', { name: 'a\u0000b', total: 1 }],
    ['Torn', 'holds half a character', { name: '\ud800', total: 1 }],
  ] as const

  test.each(bad)(
    '(%s) because it %s stops its projection, loudly, and nothing else',
    async (name, _why, event) => {
      const one = tallies(name)
      const other = { ...one.table, name: `${one.table.name}_other` }
      const [type = ''] = Object.keys(one.model.on)
      const beside = projection({
        name: other.name,
        version: 1,
        tables: [other],
        schemas: { [type]: z.object({ name: z.string() }) },
        on: { [type]: ({ revision }, rows) => rows.put(other, { name: `${revision}`, total: 1 }) },
      })
      await one.append(...numbered(3), event, ...numbered(3, 10))
      const { errors } = await start(one.model, beside)
      const readOther = async () => (await database().query(`select * from ${other.name}`)).rows
      await until('the other goes on', async () => (await readOther()).length === 7)
      await until(
        'it has stopped',
        async () => (await buildsOf(one.model))[0]?.status === 'stopped',
      )
      const [build] = await buildsOf(one.model)
      expect(build?.error).toContain(`${type} at ${type}-`)
      expect(build?.error).toContain('@3')
      // All that came before it is there, nothing that came after.
      expect((await one.read()).map(({ name }) => name)).toEqual(['n0', 'n1', 'n2'])
      expect(errors.filter(({ message }) => message.startsWith('stopped at'))).toHaveLength(1)
      expect((await buildsOf(beside))[0]).toMatchObject({ status: 'active', error: null })
    },
  )

  test('is tried again at the next start, by code that may know it', async () => {
    const one = tallies('Again')
    await one.append(...numbered(2), { name: 'bad', total: 'many' }, ...numbered(2, 10))
    const first = await start(one.model)
    await until('it has stopped', async () => (await buildsOf(one.model))[0]?.status === 'stopped')
    await first.stop()
    const [type = ''] = Object.keys(one.model.on)
    const lenient = z.object({ name: z.string(), total: z.union([z.int(), z.literal('many')]) })
    const put: Projection['on'][string] = ({ data }, rows) => {
      const { name, total } = data as { name: string; total: unknown }
      rows.put(one.table, { name, total: total === 'many' ? 99 : total })
    }
    await start({ ...one.model, schemas: { [type]: lenient }, on: { [type]: put } })
    await caughtUp(one, 5)
    expect((await buildsOf(one.model))[0]).toMatchObject({ status: 'active', error: null })
  })
})

describe('two projectors on one database', () => {
  test('write each event once, and go on when the other ends', async () => {
    const one = tallies('Rivals')
    const rivals = [await start(one.model), await start(one.model)]
    for (let round = 0; round < 20; round += 1) await one.append(...numbered(10, round * 10))
    await caughtUp(one, 200)
    await rivals[0]?.stop()
    await one.append(...numbered(10, 200))
    await caughtUp(one, 210)
    // Counted with the checkpoint: an event that was written twice would be counted twice.
    const [build, ...more] = await buildsOf(one.model)
    expect(build?.events).toBe(210)
    expect(more).toEqual([])
  })
})

describe('a restart', () => {
  test('goes on after the last event that was written', async () => {
    const one = tallies('Restart')
    for (let round = 0; round < 5; round += 1) {
      const { stop } = await start(one.model)
      await one.append(...numbered(20, round * 20))
      await until('something is written', async () => (await one.read()).length > round * 20)
      await stop()
    }
    await start(one.model)
    await caughtUp(one, 100)
    expect((await buildsOf(one.model))[0]?.events).toBe(100)
  })
})

/** Reads all the time, and keeps what was strange: an error, or rows that went missing. */
const keepReading = (one: { read(): Promise<unknown[]> }, least: number) => {
  const strange: string[] = []
  let reads = 0
  let reading = true
  const loop = async (): Promise<void> => {
    while (reading) {
      const rows = await one.read().catch((error: unknown) => String(error))
      if (typeof rows === 'string') strange.push(rows)
      else if (rows.length < least) strange.push(`${rows.length} rows`)
      reads += 1
    }
  }
  const ended = loop()
  const stop = async () => {
    reading = false
    await ended
    return { strange, reads }
  }
  onTestFinished(async () => {
    await stop()
  })
  return stop
}

const silent = { info: () => undefined, error: () => undefined }

describe('a rebuild', () => {
  test('takes the place of the old tables while reads and writes go on', async () => {
    const one = tallies('Rebuild')
    await one.append(...numbered(300))
    await start(one.model)
    await caughtUp(one, 300)
    const stopReading = keepReading(one, 300)
    // Something only the old tables have: a rebuild must not carry it over.
    await database().query(`update ${one.table.name}_b1 set total = -1 where name = 'n7'`)
    const progress: number[] = []
    const rebuilding = rebuild({
      store: store(),
      database: database(),
      projection: one.model,
      log: silent,
      signal: new AbortController().signal,
      onProgress: ({ events }) => progress.push(events),
    })
    await one.append(...numbered(50, 300))
    await rebuilding
    await one.append(...numbered(50, 350))
    await caughtUp(one, 400)
    const { strange, reads } = await stopReading()
    expect(strange).toEqual([])
    expect(reads).toBeGreaterThan(3)
    expect(progress.at(-1)).toBeGreaterThanOrEqual(300)
    expect((await one.read()).find(({ name }) => name === 'n7')?.total).toBe('7')
    const builds = await buildsOf(one.model)
    expect(builds).toMatchObject([{ build: 2, status: 'active', events: 400 }])
  })

  test('that finds its tables in use gives way, and is the one that waits', async () => {
    const one = tallies('Busy')
    await one.append(...numbered(3))
    const { stop } = await start(one.model)
    await caughtUp(one, 3)
    await stop()
    const { build } = await startBuild(database(), one.model)
    const handled = { commit: 1n << 60n, prepare: 1n << 60n }
    const writer = await database().connect()
    onTestFinished(() => writer.release())
    await writer.query('begin')
    await writer.query(`update ${one.table.name}_b1 set total = total`)
    expect(await activateBuild(database(), one.model, build, handled)).toBe(false)
    await writer.query(`update projection_builds set events = 4 where name = '${one.model.name}'`)
    await writer.query('commit')
    expect(await activateBuild(database(), one.model, build, handled)).toBe(true)
  })

  test('that meets an event it cannot handle leaves the old tables in place', async () => {
    const one = tallies('Failing')
    await one.append(...numbered(5))
    const { stop } = await start(one.model)
    await caughtUp(one, 5)
    await stop()
    const [type = ''] = Object.keys(one.model.on)
    const fail = () => {
      throw new Error('not today')
    }
    const failing = rebuild({
      store: store(),
      database: database(),
      projection: { ...one.model, on: { [type]: fail } },
      log: silent,
      signal: new AbortController().signal,
    })
    await expect(failing).rejects.toThrow(/cannot be rebuilt.*not today/s)
    expect(await one.read()).toHaveLength(5)
    expect(await buildsOf(one.model)).toMatchObject([{ build: 1, status: 'active' }])
  })
})

describe('a new version', () => {
  test('is built beside the old one, which answers until then', async () => {
    const old = tallies('Version', 1)
    await old.append(...numbered(100))
    const { stop } = await start(old.model)
    await caughtUp(old, 100)
    await stop()
    const stopReading = keepReading(old, 100)
    const next = tallies('Version', 2)
    await start(next.model)
    await until('the new one answers', async () => (await next.read())[1]?.doubled === '2')
    await next.append(...numbered(10, 100))
    await caughtUp(next, 110)
    expect((await stopReading()).strange).toEqual([])
    const builds = await buildsOf(next.model)
    expect(builds).toMatchObject([{ build: 2, version: 2, status: 'active', events: 110 }])
    const tables = await database().query("select to_regclass('tallies_version_b1') as old")
    expect(tables.rows).toEqual([{ old: null }])
  })

  test('is built also beside a new model that nothing has happened to yet', async () => {
    const old = tallies('Beside', 1)
    await old.append(...numbered(10))
    const { stop } = await start(old.model)
    await caughtUp(old, 10)
    await stop()
    const next = tallies('Beside', 2)
    const idle = tallies('Idle')
    await start(next.model, idle.model)
    await until('the new one answers', async () => (await next.read())[1]?.doubled === '2')
    await until('the idle one has arrived', async () => {
      const [build] = await buildsOf(idle.model)
      return build !== undefined && build.position.commit > 0n
    })
    expect(await buildsOf(next.model)).toMatchObject([{ version: 2, status: 'active' }])
  })

  test('left half-built by a process that died is begun anew', async () => {
    const old = tallies('Half', 1)
    await old.append(...numbered(10))
    const { stop } = await start(old.model)
    await caughtUp(old, 10)
    await stop()
    await prepareProjections(database(), [old.model])
    await database().query(
      `insert into projection_builds (name, build, version, status)
       values ('tallies_half', 2, 2, 'building')`,
    )
    await database().query('create table tallies_half_b2 (junk text)')
    const next = tallies('Half', 2)
    await start(next.model)
    await until('the new one answers', async () => (await next.read())[1]?.doubled === '2')
    expect(await buildsOf(next.model)).toMatchObject([{ version: 2, status: 'active' }])
  })
})
