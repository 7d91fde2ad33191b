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

const daybook = useDaybook({ DAYBOOK_TEST: '1' })

const openStores = async () => {
  const running = await eventually(
    'where the stores are',
    async () => findRunning(daybook.directory),
    (found) => found !== undefined,
  )
  if (!running) throw new Error('Daybook is not running')
  return {
    store: connectEventStore({ url: running.eventStoreUrl }),
    database: await connectPostgres({ url: running.databaseUrl, name: 'cases', max: 2 }),
  }
}
const opened: { stores?: Awaited<ReturnType<typeof openStores>> } = {}

beforeAll(async () => {
  opened.stores = await openStores()
})
afterAll(async () => {
  await opened.stores?.store.close()
  await opened.stores?.database.end()
})

/** What the audit finds wrong: debits and credits that differ, rows that do not follow. */
const differences = async (): Promise<unknown> => {
  if (!opened.stores) throw new Error('the stores are not open')
  const { signal } = new AbortController()
  const report = await verify({ ...opened.stores, projections, schemas: eventSchemas, signal })
  return report.differences
}

const cases = (await readCases('test/contracts/atm')).flatMap(({ file, contract, scenarios }) =>
  scenarios.map((scenario) => [`${file}: ${scenario.name}`, contract, scenario] as const),
)

test.each(cases)('%s', async (_name, contract, scenario) => {
  expect(await playScenario(daybook.url, contract, scenario)).toBeUndefined()
  expect(await differences()).toMatchObject({ total: 0 })
})
