/** What the audit says of the stores behind a Daybook under test. */
import { afterAll, beforeAll } from 'vitest'
import { eventSchemas } from '../../domain/index.ts'
import { verify } from '../../infra/audit/index.ts'
import { connectEventStore } from '../../infra/eventstore/client.ts'
import { connectPostgres } from '../../infra/postgres/pool.ts'
import { findRunning } from '../../infra/running.ts'
import { projections } from '../../projections/index.ts'
import { eventually } from './client.ts'
import type { Daybook } from './stack.ts'

const openStores = async (directory: string) => {
  const running = await eventually(
    'where the stores are',
    async () => findRunning(directory),
    (found) => found !== undefined,
  )
  if (!running) throw new Error('Daybook is not running')
  return {
    store: connectEventStore({ url: running.eventStoreUrl }),
    database: await connectPostgres({ url: running.databaseUrl, name: 'audit', max: 2 }),
  }
}

/**
 * To be called once, at the top of a test file. The function that it answers with finds out what is
 * wrong now: debits and credits that differ, rows that do not follow; `{ total }` of them.
 */
export const useAudit = (daybook: Pick<Daybook, 'directory'>) => {
  const opened: { stores?: Awaited<ReturnType<typeof openStores>> } = {}
  beforeAll(async () => {
    opened.stores = await openStores(daybook.directory)
  })
  afterAll(async () => {
    await opened.stores?.store.close()
    await opened.stores?.database.end()
  })
  return async () => {
    if (!opened.stores) throw new Error('the stores are not open')
    const { signal } = new AbortController()
    const options = { ...opened.stores, projections, schemas: eventSchemas, signal }
    return (await verify(options)).differences
  }
}
