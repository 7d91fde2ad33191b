import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { connectPostgres } from '../infra/postgres/pool.ts'
import { withPreparedQueries } from '../infra/postgres/prepared.ts'

const directory = mkdtempSync(join(tmpdir(), 'daybook-prepared-'))
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>
let pool: Pool

beforeAll(async () => {
  postgres = await startEmbeddedPostgres({ directory })
  pool = withPreparedQueries(await connectPostgres({ url: postgres.url, name: 'test', max: 1 }))
})
afterAll(async () => {
  await pool.end()
  await postgres.close()
  rmSync(directory, { recursive: true, force: true })
})

const SELECT = 'select * from shown where id = $1'

test('a query with values is planned once on its connection', async () => {
  await pool.query('create table first (id integer, name text)')
  await pool.query('create view shown as select * from first')
  await pool.query('insert into first values (1, $1)', ['one'])
  for (let times = 0; times < 3; times += 1) {
    const { rows } = await pool.query(SELECT, [1])
    expect(rows).toEqual([{ id: 1, name: 'one' }])
  }
  const { rows } = await pool.query('select statement from pg_prepared_statements')
  expect(rows.filter(({ statement }) => statement === SELECT)).toHaveLength(1)
})

test('it goes on when its view is put over a table with other columns', async () => {
  await pool.query('create table second (id integer, name text, town text)')
  await pool.query("insert into second values (1, 'one', 'Accra')")
  await pool.query('drop view shown')
  await pool.query('create view shown as select * from second')
  const { rows } = await pool.query(SELECT, [1])
  expect(rows).toEqual([{ id: 1, name: 'one', town: 'Accra' }])
})
