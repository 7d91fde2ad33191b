import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { connectPostgres } from '../infra/postgres/pool.ts'
import { lineOf, until } from './infra-support.ts'

// A server starts in a fraction of a second, but other suites share the machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let directory: string
let postgres: EmbeddedPostgres

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'daybook-test-'))
  chmodSync(directory, 0o711)
  postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') })
})

afterAll(async () => {
  await postgres.close()
  rmSync(directory, { recursive: true, force: true })
})

async function connect(max = 2) {
  const pool = await connectPostgres({ url: postgres.url, name: 'daybook-test', max })
  onTestFinished(() => pool.end())
  return pool
}

describe('pool', () => {
  test('numbers that JavaScript would round arrive as digits, instants as dates', async () => {
    const pool = await connect()
    const { rows } = await pool.query(`select
      9223372036854775807::int8 as large, 12345678901234567890.10::numeric as amount, 7::int4 as small,
      date '2024-02-29' as day, timestamp '2024-02-29 12:00' as local,
      timestamptz '2024-02-29 12:00+00' as instant, null::numeric as nothing,
      array[9223372036854775807]::int8[] as several`)
    expect(rows).toEqual([
      {
        large: '9223372036854775807',
        amount: '12345678901234567890.10',
        small: 7,
        day: '2024-02-29',
        local: '2024-02-29 12:00:00',
        instant: new Date('2024-02-29T12:00:00Z'),
        nothing: null,
        several: ['9223372036854775807'],
      },
    ])
  })

  test('every statement has a limit and names its owner', async () => {
    const pool = await connect()
    const { rows } = await pool.query(`select name, setting from pg_settings where name in
      ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
       'application_name') order by name`)
    expect(rows.map((row) => [row.name, row.setting])).toEqual([
      ['application_name', 'daybook-test'],
      ['idle_in_transaction_session_timeout', '60000'],
      ['lock_timeout', '10000'],
      ['statement_timeout', '30000'],
    ])
  })

  test('survives the loss of an idle connection', async () => {
    const pool = await connect(1)
    const other = await connect(1)
    const { rows } = await pool.query('select pg_backend_pid() as pid')
    await other.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    await until('the pool has noticed', () => pool.totalCount === 0)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test.each([
    ['nobody listens', { port: '1' }, 'refuses connections'],
    ['a wrong password', { password: 'wrong-one' }, 'refuses the user name'],
    ['no such database', { pathname: '/none' }, 'does not exist'],
    ['no such host', { hostname: 'db.invalid' }, 'cannot be resolved'],
  ])('%s: one line without the password', async (_case, change, expected) => {
    const url = Object.assign(new URL(postgres.url), change).href
    const line = await lineOf(() => connectPostgres({ url, name: 'daybook-test', max: 1 }))
    expect(line).toContain(expected)
    expect(line).toContain('The database at postgres://daybook@')
    expect(line).not.toContain(new URL(url).password)
  })

  test('an unreadable URL is one line too', async () => {
    const url = 'postgres://user:pa ss@[/x'
    const line = await lineOf(() => connectPostgres({ url, name: 'daybook-test', max: 1 }))
    expect(line).toContain('(unreadable DATABASE_URL)')
    expect(line).not.toContain('pa ss')
  })
})
