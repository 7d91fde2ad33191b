import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { connectPostgres } from '../infra/postgres/pool.ts'
import { openVault } from '../infra/vault.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const masterKey = randomBytes(32)
let directory: string
let postgres: EmbeddedPostgres
let database: Pool

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'daybook-test-'))
  chmodSync(directory, 0o711)
  postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') })
  database = await connectPostgres({ url: postgres.url, name: 'daybook-test', max: 8 })
})

afterAll(async () => {
  await database.end()
  await postgres.close()
  rmSync(directory, { recursive: true, force: true })
})

const fields = { name: 'Ada Byron', username: 'ada' }

test('what was sealed is opened again, also by another process that started at the same time', async () => {
  const [here, there] = await Promise.all([
    openVault({ database, masterKey }),
    openVault({ database, masterKey }),
  ])
  const sealed = await here.seal('s1', fields)
  expect(sealed).not.toContain('Ada')
  expect(await here.open('s1', sealed)).toEqual(fields)
  expect(await there.open('s1', sealed)).toEqual(fields)
})

test('the same fields look different each time, under one key for each subject', async () => {
  const vault = await openVault({ database, masterKey })
  const texts = await Promise.all([1, 2, 3, 4].map(() => vault.seal('s2', fields)))
  expect(new Set(texts).size).toBe(4)
  for (const sealed of texts) expect(await vault.open('s2', sealed)).toEqual(fields)
  const { rows } = await database.query("select subject from subject_keys where subject = 's2'")
  expect(rows).toHaveLength(1)
})

test('many are opened at a time, in their order, with null for whom there is no key', async () => {
  const vault = await openVault({ database, masterKey })
  const [a, b] = [await vault.seal('a', { name: 'A' }), await vault.seal('b', { name: 'B' })]
  const texts = [
    { subject: 'b', sealed: b },
    { subject: 'unknown', sealed: b },
    { subject: 'a', sealed: a },
    { subject: 'b', sealed: b },
  ]
  expect(await vault.openAll(texts)).toEqual([{ name: 'B' }, null, { name: 'A' }, { name: 'B' }])
  expect(await vault.openAll([])).toEqual([])
})

test('what is damaged, or sealed for somebody else, is an error and not empty', async () => {
  const vault = await openVault({ database, masterKey })
  const sealed = await vault.seal('s3', fields)
  await vault.seal('s4', fields)
  const body = Buffer.from(sealed.slice('v1.'.length), 'base64url')
  body[20] = (body[20] ?? 0) ^ 1
  await expect(vault.open('s3', `v1.${body.toString('base64url')}`)).rejects.toThrow()
  await expect(vault.open('s4', sealed)).rejects.toThrow()
  await expect(vault.open('s3', 'v9.abc')).rejects.toThrow('damaged')
  await expect(vault.open('s3', 'v1.')).rejects.toThrow()
})

test('keys are worth nothing without the master key, or under another subject', async () => {
  const vault = await openVault({ database, masterKey })
  const sealed = await vault.seal('s5', fields)
  const stranger = await openVault({ database, masterKey: randomBytes(32) })
  await expect(stranger.open('s5', sealed)).rejects.toThrow()
  await vault.seal('s6', fields)
  await database.query(
    `update subject_keys set wrapped_key =
       (select wrapped_key from subject_keys where subject = 's5') where subject = 's6'`,
  )
  await expect(vault.seal('s6', fields)).rejects.toThrow()
})

test('whom one process forgets no other remembers, and nothing more is sealed for him', async () => {
  const here = await openVault({ database, masterKey })
  const there = await openVault({ database, masterKey })
  const sealed = await here.seal('s7', fields)
  const other = await here.seal('s8', fields)
  expect(await there.open('s7', sealed)).toEqual(fields)
  await here.forget('s7')
  await here.forget('s7')
  expect(await there.open('s7', sealed)).toBeNull()
  expect(await there.open('s8', other)).toEqual(fields)
  await expect(there.seal('s7', fields)).rejects.toMatchObject({ code: 'SUBJECT_FORGOTTEN' })
  const { rows } = await database.query("select wrapped_key from subject_keys where subject = 's7'")
  expect(rows).toEqual([{ wrapped_key: null }])
})

test('whoever was never known is forgotten all the same', async () => {
  const vault = await openVault({ database, masterKey })
  await vault.forget('s9')
  await expect(vault.seal('s9', fields)).rejects.toMatchObject({ code: 'SUBJECT_FORGOTTEN' })
})

test('bytes are sealed as bytes, for one person alone, and are gone when he is forgotten', async () => {
  const vault = await openVault({ database, masterKey })
  const bytes = randomBytes(1000)
  const sealed = await vault.sealBytes('picture', bytes)
  expect(Buffer.from(sealed).includes(bytes.subarray(0, 16))).toBe(false)
  expect(await vault.openBytes('picture', sealed)).toEqual(bytes)
  await vault.sealBytes('another', bytes)
  await expect(vault.openBytes('another', sealed)).rejects.toThrow()
  await vault.forget('picture')
  expect(await vault.openBytes('picture', sealed)).toBeNull()
})
