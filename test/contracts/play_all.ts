/** Plays a folder of cases as tests, one for each scenario, with the audit behind every one. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventSchemas } from '../../domain/index.ts'
import { verify } from '../../infra/audit/index.ts'
import { connectEventStore } from '../../infra/eventstore/client.ts'
import { connectPostgres } from '../../infra/postgres/pool.ts'
import { findRunning } from '../../infra/running.ts'
import { projections } from '../../projections/index.ts'
import { eventually } from '../support/client.ts'
import { useDaybook } from '../support/stack.ts'
import { playScenario } from './runner/play.ts'
import { readCases } from './runner/read.ts'

export const openStores = async (directory: string) => {
  const running = await eventually(
    'where the stores are',
    async () => findRunning(directory),
    (found) => found !== undefined,
  )
  if (!running) throw new Error('Daybook is not running')
  return {
    store: connectEventStore({ url: running.eventStoreUrl }),
    database: await connectPostgres({ url: running.databaseUrl, name: 'cases', max: 2 }),
  }
}
export type Stores = Awaited<ReturnType<typeof openStores>>

/** What the audit finds wrong: debits and credits that differ, rows that do not follow. */
export const differences = async (stores: Stores | undefined): Promise<unknown> => {
  if (!stores) throw new Error('the stores are not open')
  const { signal } = new AbortController()
  const report = await verify({ ...stores, projections, schemas: eventSchemas, signal })
  return report.differences
}

/** Declares the tests: to be called once, at the top of a test file. */
export const playAll = (folder: string): void => {
  const daybook = useDaybook({ DAYBOOK_TEST: '1' })
  const opened: { stores?: Stores } = {}

  beforeAll(async () => {
    opened.stores = await openStores(daybook.directory)
  })
  afterAll(async () => {
    await opened.stores?.store.close()
    await opened.stores?.database.end()
  })

  const cases = readCases(folder).flatMap(({ file, contract, scenarios }) =>
    scenarios.map((scenario) => [`${file}: ${scenario.name}`, contract, scenario] as const),
  )
  test.each(cases)('%s', async (_name, contract, scenario) => {
    expect(await playScenario(daybook.url, contract, scenario)).toBeUndefined()
    expect(await differences(opened.stores)).toMatchObject({ total: 0 })
  })
}
