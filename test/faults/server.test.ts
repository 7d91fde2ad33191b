import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processesWith } from '../infra-support.ts'
import { accepted, openBank, transferOf } from '../support/bank.ts'
import { type Client, createClient, eventually } from '../support/client.ts'
import {
  type Daybook,
  failToStart,
  makeDirectory,
  removeDirectory,
  startDaybook,
} from '../support/stack.ts'

const CLIENTS = 16
const working: Promise<void>[] = []
let directory = ''
const started: Daybook[] = []

const start = async (): Promise<Daybook> => {
  const daybook = await startDaybook({ directory })
  started.push(daybook)
  return daybook
}

beforeEach(() => {
  directory = makeDirectory()
})
afterEach(async () => {
  for (const daybook of started.splice(0)) await daybook.stop()
  removeDirectory(directory)
})

type Load = {
  /** Key -> id of the entry, of every posting that was acknowledged. */
  readonly acknowledged: Map<string, string>
  readonly asked: Set<string>
}

const post = (client: Client, key: string) =>
  client.post('/v1/books/bank/transfers', transferOf('cash:vault', 'customers:ada', '1'), {
    'Idempotency-Key': key,
  })

/** Posts until the server goes away, each with a key of its own. */
const postUntilGone = async (client: Client, name: string, load: Load): Promise<void> => {
  for (let count = 0; ; count += 1) {
    const key = `${name}-${count}`
    load.asked.add(key)
    try {
      const { status, body } = await post(client, key)
      if (status !== 201) return
      load.acknowledged.set(key, body.id)
    } catch {
      return
    }
  }
}

/** Puts clients to work, until the server goes away; resolves when two hundred more are posted. */
const putUnderLoad = async (daybook: Daybook, round: string, load: Load): Promise<void> => {
  const admin = await daybook.as('admin')
  const least = load.acknowledged.size + 200
  for (let index = 0; index < CLIENTS; index += 1) {
    working.push(postUntilGone(admin, `${round}-${index}`, load))
  }
  await eventually(
    'two hundred are posted',
    async () => load.acknowledged.size,
    (size) => size >= least,
  )
}

/** Every entry in the book's log by the key it was asked for with, as often as it is there. */
const readPostings = async (admin: Client): Promise<Map<string, string[]>> => {
  const found = new Map<string, string[]>()
  let from: number | null = 0
  while (from !== null) {
    const path = `/v1/streams/book-bank/events?from=${from}&limit=1000`
    const { body } = accepted(await admin.get(path))
    for (const { type, metadata, data } of body.items) {
      if (type !== 'EntryPosted') continue
      const key = metadata.command.split(' ')[1]
      found.set(key, [...(found.get(key) ?? []), data.entry.id])
    }
    from = body.next_from
  }
  return found
}

const checkBooks = async (admin: Client, { acknowledged, asked }: Load): Promise<void> => {
  await Promise.all(working.splice(0))
  const found = await readPostings(admin)
  const lost = [...acknowledged].filter(([key, id]) => found.get(key)?.[0] !== id)
  expect(lost).toEqual([])
  expect([...found].filter(([, ids]) => ids.length > 1)).toEqual([])
  expect([...found.keys()].filter((key) => !asked.has(key))).toEqual([])
  // Asking again for what was never answered does it now, or finds that it was done.
  for (const key of asked) if (!acknowledged.has(key)) accepted(await post(admin, key))
  // A projector that has just started may need longer than a read waits: then it is asked again.
  const { body } = await eventually(
    'the read models are up with the log',
    () => admin.get('/v1/books/bank/accounts/customers:ada/balance'),
    ({ status }) => status !== 503,
  )
  expect(body.balance).toBe(`${asked.size}`)
  const trial = (await admin.get('/v1/books/bank/trial-balance')).body
  expect(trial.totals).toMatchObject([{ asset: 'USD/2', difference: '0' }])
}

describe('a server that is killed under load', () => {
  test('has kept all it acknowledged, and nothing twice', async () => {
    const load: Load = { acknowledged: new Map(), asked: new Set() }
    let daybook = await start()
    await openBank(await daybook.as('admin'), 'bank')
    for (const round of ['first', 'second']) {
      await putUnderLoad(daybook, round, load)
      await daybook.kill()
      daybook = await start()
    }
    await checkBooks(await daybook.as('admin'), load)
  })
})

describe('a server that is told to stop', () => {
  test('finishes what is under way and leaves no process behind', async () => {
    const load: Load = { acknowledged: new Map(), asked: new Set() }
    const daybook = await start()
    await openBank(await daybook.as('admin'), 'bank')
    await putUnderLoad(daybook, 'only', load)
    expect(processesWith(directory).length).toBeGreaterThan(0)
    expect(await daybook.stop()).toBe(0)
    expect(processesWith(directory)).toEqual([])
    const again = await start()
    await checkBooks(await again.as('admin'), load)
  })

  test('ends its live streams too', async () => {
    const daybook = await start()
    const { token } = await daybook.as('admin')
    const response = await fetch(`${daybook.url}/v1/events/live`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    const ended = response.text().then(
      () => 'ended',
      () => 'cut',
    )
    expect(await daybook.stop()).toBe(0)
    expect(await ended).toBe('ended')
  })
})

describe('a server that cannot start', () => {
  const oneLine = (errors: string, words: RegExp): void => {
    const lines = errors.trim().split('\n')
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(words)
  }

  test('because its port is taken says so in one line and leaves nothing behind', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    const { code, errors } = await failToStart({ directory, env: { PORT: `${port}` } })
    other.close()
    expect(code).toBe(1)
    oneLine(errors, new RegExp(`Port ${port} .* is taken`))
    expect(processesWith(directory)).toEqual([])
  })

  test('because its database is out of reach says so, without the password', async () => {
    const env = { DATABASE_URL: 'postgres://daybook:tellnobody@127.0.0.1:1/daybook' }
    const { code, errors } = await failToStart({ directory, env })
    expect(code).toBe(1)
    oneLine(errors, /127\.0\.0\.1:1.*refuses connections/)
    expect(errors).not.toContain('tellnobody')
  })

  test('because the directory holds something else says so and touches nothing', async () => {
    writeFileSync(join(directory, 'thesis.txt'), 'years of work')
    const { code, errors } = await failToStart({ directory })
    expect(code).toBe(1)
    oneLine(errors, /is not a Daybook data directory .*thesis\.txt/)
  })

  test('because its event log is damaged says so', async () => {
    const daybook = await start()
    await daybook.stop()
    const events = join(directory, 'events')
    for (const file of readdirSync(events)) writeFileSync(join(events, file), 'x'.repeat(8192))
    const { code, errors } = await failToStart({ directory })
    expect(code).toBe(1)
    oneLine(errors, /event store cannot start/)
  })

  test('because another one runs on the directory says so', async () => {
    const daybook = await start()
    const { code, errors } = await failToStart({ directory })
    expect(code).toBe(1)
    oneLine(errors, /in use by another Daybook/)
    expect((await createClient(daybook.url).get('/livez')).status).toBe(200)
  })

  test('because of what it was told names every fault at once', async () => {
    const env = { PORT: 'eighty', LOG_LEVEL: 'loud', DAYBOOK_DTAA: '/tmp' }
    const { code, errors } = await failToStart({ directory, env })
    expect(code).toBe(1)
    for (const name of Object.keys(env)) expect(errors).toContain(name)
  })
})
