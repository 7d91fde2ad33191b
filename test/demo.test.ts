import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { lookAtApiKey, parseApiKey } from '../commands/api_keys.ts'
import type { Ports } from '../commands/ports.ts'
import { logIn } from '../commands/sessions.ts'
import { isRefusal } from '../domain/kernel.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Book } from '../domain/ledger/state.ts'
import { demoBank } from '../infra/demo/bank.ts'
import { type DemoRecord, provideDemo, welcome } from '../infra/demo/index.ts'
import { temporaryDirectory } from './infra-support.ts'
import { useWorld } from './people-support.ts'

const never = new AbortController().signal
const quiet = (): void => undefined

const bookOf = async ({ engine }: Ports): Promise<Book> =>
  (await engine.look(Ledger, 'book-demo')).state as Book

/** By key, so that nothing done twice escapes. */
const commandsIn = async ({ store }: Ports): Promise<string[]> => {
  const commands: string[] = []
  for await (const { metadata } of store.readStream('book-demo')) {
    commands.push(metadata.command ?? '')
  }
  return commands
}

describe('the demo bank', () => {
  const world = useWorld()

  /** As another process would see it, which has to find out everything from the log. */
  const anotherStart = (): Ports => {
    const ports = world.anotherProcess()
    return { ...ports, index: { locate: (book, entry) => locate(ports, book, entry) } }
  }

  const locate = async ({ store }: Ports, book: string, entry: string) => {
    const backwards = { direction: 'backwards' } as const
    for await (const { data, revision } of store.readStream(`book-${book}`, backwards)) {
      if ((data as { entry?: { id: string } }).entry?.id === entry) return revision
    }
    return undefined
  }

  it('is taken up where it was interrupted, and nothing is done twice', async () => {
    const directory = temporaryDirectory()
    const stopping = new AbortController()
    const progress = (text: string): void => {
      if (text.startsWith('2000 ')) stopping.abort(new Error('interrupted'))
    }
    const settings = { directory, administrator: undefined, progress, signal: stopping.signal }
    await expect(provideDemo(anotherStart(), settings)).rejects.toThrow('interrupted')
    const before = await commandsIn(world.ports)
    expect(before.length).toBeGreaterThan(2000)
    const begun = JSON.parse(readFileSync(join(directory, 'demo.json'), 'utf8')) as DemoRecord
    expect(begun.complete).toBe(false)

    world.advance(3 * 86_400_000)
    const again = { ...settings, progress: quiet, signal: never }
    const record = await provideDemo(anotherStart(), again)
    expect(record).toMatchObject({ complete: true, until: begun.until, log_ins: begun.log_ins })
    expect(statSync(join(directory, 'demo.json')).mode & 0o777).toBe(0o600)

    const commands = await commandsIn(world.ports)
    expect(commands.slice(0, before.length)).toEqual(before)
    expect(new Set(commands).size).toBe(commands.length)
    const wanted = [...demoBank(new Date(begun.until)).postings].length
    expect(commands.filter((command) => command.includes('demo-posting-'))).toHaveLength(wanted)

    const third = await provideDemo(anotherStart(), again)
    expect(third).toEqual(record)
    expect(await commandsIn(world.ports)).toHaveLength(commands.length)

    await expectFeatures(world.ports)
    await expectLogIns(anotherStart(), record)
  })

  it('is not loaded into a log that has something else in it', async () => {
    const directory = temporaryDirectory()
    const before = await world.ports.store.head()
    const settings = { directory, administrator: undefined, progress: quiet, signal: never }
    expect(await provideDemo(anotherStart(), settings)).toBeUndefined()
    expect(await world.ports.store.head()).toEqual(before)
  })

  it('says when its record is damaged', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'demo.json'), '{')
    const settings = { directory, administrator: undefined, progress: quiet, signal: never }
    await expect(provideDemo(anotherStart(), settings)).rejects.toThrow('is damaged')
  })
})

const expectFeatures = async (ports: Ports): Promise<void> => {
  const book = await bookOf(ports)
  const accounts = [...book.accounts.rows.values()]
  expect(new Set(accounts.map(({ type }) => type)).size).toBe(5)
  expect(new Set(accounts.map(({ asset }) => asset))).toEqual(new Set(['USD/2', 'EUR/2']))
  expect(accounts.filter(({ status }) => status === 'frozen')).toHaveLength(1)
  expect(accounts.filter(({ limits }) => limits.length > 0)).toHaveLength(1)
  expect([...book.holds.rows.values()].map(({ kind }) => kind).sort()).toEqual([
    'authorisation',
    'authorisation',
    'authorisation',
    'deposit',
  ])
  expect(book.reversals.rows.size).toBe(1)
  expect(book.closedThrough).toMatch(/^\d{4}-\d{2}-(28|29|30|31)$/)
  const euros = accounts.filter(({ asset, balance }) => asset === 'EUR/2' && balance !== 0n)
  expect(euros).toHaveLength(2)
}

const expectLogIns = async (ports: Ports, record: DemoRecord | undefined): Promise<void> => {
  const context = { actor: { id: 'anonymous', roles: [] }, at: ports.clock(), correlation: 'test' }
  for (const { username, password, role, user } of record?.log_ins ?? []) {
    const input = logIn.input.parse({ username, password })
    const outcome = await logIn.run(ports, input, context)
    if (isRefusal(outcome)) throw new Error(`${username}: ${outcome.detail}`)
    expect(outcome.answer).toMatchObject({ user, roles: [role] })
  }
  expect(record?.log_ins.map(({ role }) => role)).toEqual([
    ...['admin', 'manager', 'cashier', 'auditor', 'analyst', 'regulator', 'customer', 'customer'],
  ])
  const book = await bookOf(ports)
  const owners = [...book.accounts.rows.values()].map(({ owner }) => owner)
  expect(owners).toEqual(expect.arrayContaining(['customer-1001', 'customer-1002']))
  const { key, secret } = parseApiKey(record?.api_key ?? '') ?? { key: '', secret: '' }
  const found = await lookAtApiKey(ports, key)
  expect(found?.roles).toEqual(['manager'])
  expect(found?.secretDigest).toBe(ports.secrets.digest(secret))
}

const record: DemoRecord = {
  until: '2026-01-01T00:00:00.000Z',
  complete: true,
  api_key: 'daybook_key_secret',
  log_ins: [
    { user: 'demo-admin', username: 'admin', password: 'open', name: 'Admin', role: 'admin' },
    { user: 'customer-7', username: 'ann', password: 'open', name: 'Ann', role: 'customer' },
    { user: 'customer-8', username: 'ben', password: 'open', name: 'Ben', role: 'customer' },
  ],
}

describe('the closing print-out', () => {
  const occasion = { url: 'http://h:1', directory: '.daybook', colours: false }

  it('has the places, the log-ins and a transfer to paste', () => {
    const text = welcome({ ...occasion, demo: record, hasAdministrator: false })
    for (const part of ['http://h:1/docs', 'admin ann ben', 'open', 'npm run daybook -- verify']) {
      expect(text).toContain(part)
    }
    const [, body] = /-d '(.*)'/.exec(text) ?? []
    expect(JSON.parse(body ?? '')).toMatchObject({
      from: 'customers:7:checking',
      to: 'customers:8:checking',
    })
    expect(text).toContain('"email":"ama@susu.example","password":"open"')
    expect(text).not.toContain('\u001b')
    const coloured = welcome({ ...occasion, demo: record, hasAdministrator: false, colours: true })
    expect(stripVTControlCharacters(coloured)).toBe(text)
  })

  it('says how to get in where there is no demo bank', () => {
    const none = welcome({ ...occasion, demo: undefined, hasAdministrator: false })
    expect(none).toContain('start again with ADMIN_USERNAME and ADMIN_PASSWORD')
    const some = welcome({ ...occasion, demo: undefined, hasAdministrator: true })
    expect(some).toContain('as the administrator')
    expect(none + some).not.toContain('curl')
  })

  it('leaves nobody with a printed password where an administrator was named', async () => {
    const { makeLogIns } = await import('../infra/demo/bank.ts')
    const bank = demoBank(new Date('2026-06-15T10:00:00.000Z'))
    const names = makeLogIns(bank, ['admin', 'cashier']).map(({ username }) => username)
    expect(names).not.toContain('admin')
    expect(names).not.toContain('cashier')
    expect(names).toContain('manager')
  })
})

it('npm start refuses an option it does not know, in one line', () => {
  const main = new URL('../infra/main.ts', import.meta.url).pathname
  const { status, stderr } = spawnSync(process.execPath, [main, '--emtpy'], { encoding: 'utf8' })
  expect(status).toBe(2)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stderr).toContain('--emtpy')
})
