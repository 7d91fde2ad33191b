import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Recorded } from '../domain/log.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { connectPostgres } from '../infra/postgres/pool.ts'
import { projections } from '../projections/index.ts'
import { type Projection, project } from '../projections/kernel.ts'
import { writeChanges } from '../projections/rows.ts'
import { createTableSql, dropTableSql, physicalName } from '../projections/table.ts'
import { createHistories, freshSeed, HISTORIES_TIMEOUT_MS } from './laws/shared.ts'

const directory = mkdtempSync(join(tmpdir(), 'daybook-laws-'))
type Running = {
  postgres?: EmbeddedPostgres
  database?: Pool
  /** All histories, and those that are replayed in several ways. */
  all: readonly Recorded[][]
  logs: readonly Recorded[][]
}
const running: Running = { all: [], logs: [] }

beforeAll(async () => {
  const [postgres, histories] = await Promise.all([
    startEmbeddedPostgres({ directory }),
    createHistories(),
  ])
  running.postgres = postgres
  running.database = await connectPostgres({ url: postgres.url, name: 'laws', max: 2 })
  running.all = histories.map(({ log }) => [...log])
  running.logs = [running.all.at(0), running.all.at(-1)].filter((log) => log !== undefined)
}, HISTORIES_TIMEOUT_MS)

afterAll(async () => {
  await running.database?.end()
  await running.postgres?.close()
  rmSync(directory, { recursive: true, force: true })
})

let lastBuild = 0

/** All rows of a projection's tables once it has handled these batches, on tables of its own. */
const tablesAfter = async (
  { tables, ...rest }: Projection,
  batches: readonly (readonly Recorded[])[],
): Promise<Record<string, unknown[]>> => {
  const { database } = running
  if (!database) throw new Error('there is no database')
  lastBuild += 1
  const build = lastBuild
  for (const table of tables) await database.query(createTableSql(table, build))
  const client = await database.connect()
  try {
    for (const batch of batches) {
      const { changes, poison } = project({ tables, ...rest }, batch)
      if (poison) throw poison.error
      await client.query('begin')
      await writeChanges(client, build, changes)
      await client.query('commit')
    }
    const dumped: Record<string, unknown[]> = {}
    for (const table of tables) {
      const order = table.key.join(', ')
      const text = `select * from ${physicalName(table, build)} order by ${order}`
      dumped[table.name] = (await client.query(text)).rows
    }
    return dumped
  } finally {
    client.release()
    for (const table of tables) await database.query(dropTableSql(table, build))
  }
}

/** The events cut into batches of random lengths. */
const cut = (log: readonly Recorded[], longest: number, seed: number): Recorded[][] => {
  const lengths = fc.sample(fc.integer({ min: 1, max: longest }), { seed, numRuns: log.length })
  const batches: Recorded[][] = []
  let from = 0
  for (const length of lengths) {
    if (from < log.length) batches.push(log.slice(from, from + length))
    from += length
  }
  return batches
}

/** Each batch again right behind itself: as after a restart which had not got to its checkpoint. */
const stuttering = (batches: readonly Recorded[][]): Recorded[][] =>
  batches.flatMap((batch) => [batch, batch])

const ways: readonly (readonly [string, (log: readonly Recorded[]) => Recorded[][]])[] = [
  ['in one batch again', (log) => [[...log]]],
  ['with every event twice', (log) => [log.flatMap((event) => [event, event])]],
  ['cut anywhere', (log) => cut(log, 40, freshSeed)],
  ['event by event', (log) => log.map((event) => [event])],
  ['with batches delivered twice', (log) => stuttering(cut(log, 40, freshSeed + 1))],
  ['from the beginning once more', (log) => [...cut(log, 90, freshSeed + 2), [...log]]],
]

describe.each(projections.map((one) => [one.name, one] as const))(
  `%s (seed ${freshSeed})`,
  (_name, projection) => {
    test.each(ways)('comes to the same tables %s', async (_way, batchesOf) => {
      for (const log of running.logs) {
        const expected = await tablesAfter(projection, [log])
        expect(await tablesAfter(projection, batchesOf(log))).toEqual(expected)
      }
    })
    test('comes to some rows', () => {
      const made = running.all.map((log) => project(projection, log).changes)
      for (const table of projection.tables) {
        const rows = made.flatMap((changes) => [...(changes.get(table)?.values() ?? [])])
        expect(rows.filter(({ kind }) => kind === 'put').length, table.name).toBeGreaterThan(0)
      }
    })
  },
)
