import { beforeEach, describe, expect, test } from 'vitest'
import { accepted } from '../support/bank.ts'
import { type Client, createClient, eventually } from '../support/client.ts'
import {
  accountOf,
  ada,
  administrator,
  CARD,
  doorOf,
  logIn,
  tryToLogIn,
  type Visitor,
  visitorOf,
} from '../support/machine.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook({ DAYBOOK_TEST: '1' })
const door = doorOf(daybook)
const BENS_CARD = { card_number: '4000-0002', pin: '8024' }
const people = [
  ada({
    accounts: [
      accountOf('1000-0001-0001', 100_000),
      accountOf('1000-0001-0002', 50_000, { account_type: 'SAVINGS' }),
    ],
  }),
  {
    customer: 'Ben Novak',
    accounts: [accountOf('1000-0002-0001', 10_000)],
    cards: [{ ...BENS_CARD, account: '1000-0002-0001' }],
  },
]

/**
 * A morning of a far year. The real clock, which runs between a start and the next `clock`, is
 * behind it, so that it ends nothing.
 */
const DAY = '2090-03-14T'
const at = (time: string): string => `${DAY}${time}Z`

beforeEach(async () => {
  await door.reset()
  await door.clock(at('09:00:00'))
  await door.give({ customers: people })
})

const balances = async (): Promise<Record<string, string>> => {
  const admin = await administrator(daybook)
  const read = async (code: string) =>
    (await admin.get(`/v1/books/main/accounts/${code}/balance`)).body.balance
  const codes = ['customers:1000-0001-0001', 'customers:1000-0002-0001', 'cash:machines:1:twenties']
  const values = await Promise.all(codes.map(read))
  return { ada: values[0], ben: values[1], notes: values[2] }
}

/** Entries of a kind in the book's log, by the key that each was asked for with. */
const entriesOf = async (admin: Client, kind: string): Promise<string[]> => {
  const { body } = accepted(await admin.get('/v1/streams/book-main/events?limit=1000'))
  return body.items.flatMap(
    ({ data, metadata }: { data: never; metadata: { command: string } }) => {
      const { entry } = data as { entry?: { kind: string } }
      return entry?.kind === kind ? [metadata.command.split(' ')[1] ?? ''] : []
    },
  )
}

describe("a customer's day at a machine", () => {
  test('goes on behind a restart: session, lock, limit, held money and papers', async () => {
    const visitor = await logIn(daybook)
    accepted(await visitor.withdraw(40_000))
    const cash = { amount_cents: 30_000, deposit_type: 'cash' }
    accepted(await visitor.post('/transactions/deposit', cash))
    const paper = accepted(await visitor.post('/statements/generate', { days: 1 })).body
    for (let tries = 0; tries < 3; tries += 1)
      await tryToLogIn(daybook, { ...BENS_CARD, pin: '0000' })
    await door.clock(at('09:01:00'))
    accepted(await visitor.get('/accounts'))

    await daybook.restart()
    await door.clock(at('09:03:00'))
    const [account] = accepted(await visitor.get('/accounts')).body.accounts
    expect(account).toMatchObject({ balance: '$900.00', available_balance: '$800.00' })
    expect((await visitor.withdraw(12_000)).body.error_code).toBe('TXN_DAILY_LIMIT_EXCEEDED')
    accepted(await visitor.withdraw(10_000))
    const file = await visitor.get(paper.file_path.replace('/api/v1', ''))
    expect(file.headers.get('content-type')).toBe('application/pdf')
    expect(file.text.slice(0, 5)).toBe('%PDF-')
    await door.clock(at('09:05:00.001'))
    expect((await visitor.get('/accounts')).body.error_code).toBe('AUTH_SESSION_INVALID')

    await door.clock(at('09:29:59.999'))
    const locked = await tryToLogIn(daybook, BENS_CARD)
    expect(locked).toMatchObject({ status: 403, body: { error_code: 'AUTH_ACCOUNT_LOCKED' } })
    expect(locked.body.details.locked_until).toMatch(/^2090-03-14T09:30:00/)
    await door.clock(at('09:30:00'))
    const ben = await logIn(daybook, BENS_CARD)
    const toAda = { destination_account_number: '1000-0001-0001', amount_cents: 2500 }
    accepted(await ben.post('/transactions/transfer', toAda))
    expect(await balances()).toEqual({ ada: '82500', ben: '7500', notes: '950000' })
    accepted(await ben.post('/auth/logout'))
    expect((await ben.get('/accounts')).status).toBe(401)
  })

  test('shows nobody what belongs to somebody else', async () => {
    const [visitor, ben] = [await logIn(daybook), await logIn(daybook, BENS_CARD)]
    const paper = accepted(await visitor.post('/statements/generate')).body
    const path = paper.file_path.replace('/api/v1', '')
    expect((await visitor.get(path)).status).toBe(200)
    expect(await ben.get(path)).toMatchObject({
      status: 404,
      body: { error_code: 'STMT_NOT_FOUND' },
    })
    expect((await ben.get('/statements/files/stmt-nothing.pdf')).status).toBe(404)
    expect((await ben.get('/statements/files/..%2F..%2Fdaybook.log')).status).toBe(404)
    expect((await createClient(daybook.url).get(paper.file_path)).status).toBe(401)
    const [own] = accepted(await visitor.get('/accounts')).body.accounts
    expect((await ben.get(`/accounts/${own.id}/balance`)).body.error_code).toBe('ACCOUNT_NOT_FOUND')
    const job = accepted(await visitor.post('/statements/jobs', { days: 7 })).body
    expect((await ben.get(`/statements/jobs/${job.statement_id}`)).status).toBe(404)
  })

  test('ends by log-out, by time or with the card, and each is noted once', async () => {
    const admin = await administrator(daybook)
    const [first, second, third] = [
      await logIn(daybook),
      await logIn(daybook),
      await logIn(daybook, BENS_CARD),
    ]
    accepted(await first.post('/auth/logout'))
    await door.clock(at('09:01:00'))
    accepted(await third.get('/accounts'))
    await door.clock(at('09:02:00.001'))
    const cards = (await admin.get('/v1/cards')).body.items
    const bens = cards.find(({ last_four }: { last_four: string }) => last_four === '0002')
    accepted(await admin.post(`/v1/cards/${bens.card}/block`, { reason: 'stolen' }))
    for (const visitor of [first, second, third]) {
      expect((await visitor.get('/accounts')).body.error_code).toBe('AUTH_SESSION_INVALID')
    }
    const { body } = accepted(await admin.get('/v1/events?limit=200'))
    const text = JSON.stringify(body)
    for (const reason of ['logout', 'expired', 'blocked']) {
      expect(text.split(`"reason":"${reason}"`)).toHaveLength(2)
    }
  })
})

describe('a server that is killed', () => {
  test('moves money once for each key, however often it is asked again', async () => {
    const keys = Array.from({ length: 24 }, (_, n) => `cash-${n}`)
    let visitor = await logIn(daybook)
    const asked = keys.map((key) => visitor.withdraw(2000, key).catch(() => undefined))
    // In the middle: as soon as one of them is paid.
    await Promise.race(asked)
    await daybook.kill()
    const before = await Promise.all(asked)
    await daybook.restart()
    await door.clock(at('09:01:00'))
    // The session outlives its server, and so does what was done in it.
    visitor = visitorOf(daybook, visitor.session)
    for (const [index, key] of keys.entries()) {
      const again = await visitor.withdraw(2000, key)
      expect([key, again.status]).toEqual([key, 201])
      const answered = before[index]
      if (answered?.status === 201) expect(again.body).toEqual(answered.body)
    }
    const admin = await administrator(daybook)
    expect((await entriesOf(admin, 'withdrawal')).toSorted()).toEqual(keys.toSorted())
    expect(await balances()).toMatchObject({ ada: '52000', notes: '952000' })
  })

  test('makes the statements that were asked for when it starts again', async () => {
    const visitor = await logIn(daybook)
    const jobs = await Promise.all(
      [1, 2, 3, 4, 5].map((days) => visitor.post('/statements/jobs', { days })),
    )
    const ids = jobs.map((job) => accepted(job).body.statement_id)
    await daybook.kill()
    await daybook.restart()
    await door.clock(at('09:01:00'))
    for (const id of ids) {
      const { body } = await eventually(
        'it is made',
        () => visitor.get(`/statements/jobs/${id}`),
        ({ body: job }) => job.status === 'COMPLETED',
      )
      expect(body).toMatchObject({ progress: 100, transaction_count: 0 })
      expect((await visitor.get(body.file_path.replace('/api/v1', ''))).status).toBe(200)
    }
  })
})

describe('64 withdrawals at once', () => {
  const spend = async (visitors: readonly Visitor[], count: number) => {
    const replies = await Promise.all(
      Array.from({ length: count }, (_, n) => visitors[n % visitors.length]?.withdraw(2000)),
    )
    const paid = replies.filter((reply) => reply?.status === 201)
    const codes = new Set(replies.flatMap((reply) => reply?.body.error_code ?? []))
    return { paid: paid.map((reply) => reply?.body), codes: [...codes] }
  }

  test('are paid up to the daily limit, from several machines', async () => {
    const visitors = [await logIn(daybook), await logIn(daybook), await logIn(daybook, CARD)]
    const { paid, codes } = await spend(visitors, 64)
    expect(paid).toHaveLength(25)
    expect(codes).toEqual(['TXN_DAILY_LIMIT_EXCEEDED'])
    expect(new Set(paid.map(({ reference_number }) => reference_number)).size).toBe(25)
    const after = paid.map(({ balance_after }) => Number(balance_after.replace(/[$,.]/g, '')))
    expect(after.toSorted((a, b) => b - a)).toEqual(after.map((_, n) => 100_000 - 2000 * (n + 1)))
    expect(await balances()).toMatchObject({ ada: '50000', notes: '950000' })
  })

  test('are paid up to the last cent, and never below', async () => {
    const ben = await logIn(daybook, BENS_CARD)
    const { paid, codes } = await spend([ben], 64)
    expect(paid).toHaveLength(5)
    expect(codes).toEqual(['TXN_INSUFFICIENT_FUNDS'])
    expect(await ben.balance()).toBe('$0.00')
    const trial = await (await administrator(daybook)).get('/v1/books/main/trial-balance')
    expect(trial.body.totals).toMatchObject([{ asset: 'USD/2', difference: '0' }])
  })
})
