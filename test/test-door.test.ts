import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { accepted } from './support/bank.ts'
import { createClient } from './support/client.ts'
import {
  accountOf,
  ada,
  administrator,
  CARD,
  doorOf,
  logIn,
  tryToLogIn,
  type Visitor,
} from './support/machine.ts'
import { useDaybook } from './support/stack.ts'

const NOON = '2031-03-11T12:00:00Z'

describe('the test door', () => {
  const daybook = useDaybook({ DAYBOOK_TEST: '1' })
  const door = doorOf(daybook)
  beforeEach(async () => {
    await door.reset()
  })

  const typesIn = async (stream: string): Promise<string[]> => {
    const path = `/v1/streams/${stream}/events?limit=1000`
    const { status, body } = await (await administrator(daybook)).get(path)
    return status === 404 ? [] : body.items.map(({ type }: { type: string }) => type)
  }
  const filesIn = (name: string): string[] => {
    const path = join(daybook.directory, name)
    return existsSync(path) ? readdirSync(path) : []
  }

  /** What is done now carries the day of the real clock, also around midnight. */
  const expectToday = async (visitor: Visitor): Promise<void> => {
    const today = () => `TXN-${new Date().toISOString().slice(0, 10).replaceAll('-', '')}-`
    const before = today()
    const { body } = accepted(await visitor.withdraw(2000))
    expect([before, today()]).toContain(body.reference_number.slice(0, -6))
  }

  describe('resets', () => {
    const live = async () => {
      const refs = (await door.give({ customers: [ada()] })).refs
      const visitor = await logIn(daybook)
      accepted(await visitor.withdraw(2000))
      accepted(await visitor.post('/statements/generate'))
      return { refs, visitor }
    }

    test('everything that happened: events, rows, files, sessions and wrong PINs', async () => {
      const { visitor } = await live()
      for (let tries = 0; tries < 3; tries += 1) await tryToLogIn(daybook, { ...CARD, pin: '0000' })
      expect(filesIn('statements')).toHaveLength(1)
      await door.reset()
      expect(filesIn('statements')).toEqual([])
      expect((await visitor.get('/accounts')).body.error_code).toBe('AUTH_SESSION_INVALID')
      expect((await tryToLogIn(daybook)).body.error_code).toBe('AUTH_INVALID_CREDENTIALS')
      const admin = await administrator(daybook)
      for (const path of ['/v1/books', '/v1/customers', '/v1/cards', '/v1/compliance/exports']) {
        expect([path, (await admin.get(path)).body.items]).toEqual([path, []])
      }
      for (const stream of ['book-main', 'sequence-accounts', 'sequence-references']) {
        expect([stream, await typesIn(stream)]).toEqual([stream, []])
      }
    })

    test('access tokens, which are good no more', async () => {
      const admin = await administrator(daybook)
      accepted(await admin.get('/v1/customers'))
      await door.reset()
      expect((await admin.get('/v1/customers')).status).toBe(401)
    })

    test('twice when two ask at once', async () => {
      await Promise.all([door.reset(), door.reset(), door.reset()])
      await live()
    })

    test('numbers, which begin at 1 again', async () => {
      const { refs } = await live()
      expect(refs['1000-0001-0001']).toMatchObject({ id: 1 })
      await door.reset()
      expect((await live()).refs).toEqual(refs)
    })

    test('the clock, which runs again', async () => {
      await door.clock(NOON)
      await door.reset()
      await door.give({ customers: [ada()] })
      await expectToday(await logIn(daybook))
    })

    test('as often as it is asked to, and everything works behind it', async () => {
      for (let times = 0; times < 3; times += 1) {
        await door.reset()
        const { visitor } = await live()
        expect(await visitor.balance()).toBe('$980.00')
        expect((await createClient(daybook.url).get('/readyz')).status).toBe(200)
      }
    })

    test('nobody who registers the same person and signs in the same administrator', async () => {
      const admin = await administrator(daybook)
      const user = { username: 'eve', password: 'a long enough password', name: 'Eve' }
      accepted(await admin.post('/v1/users', { ...user, roles: ['staff'] }))
      await door.reset()
      const { status } = await createClient(daybook.url).post('/v1/tokens', user)
      expect(status).toBeGreaterThanOrEqual(400)
      accepted(
        await (await administrator(daybook)).post('/v1/users', { ...user, roles: ['staff'] }),
      )
    })
  })

  describe('is given', () => {
    const nothingIsThere = async () => {
      const admin = await administrator(daybook)
      expect((await admin.get('/v1/customers')).body.items).toEqual([])
      expect(await typesIn('book-main')).toEqual([])
    }

    test.each([
      ['cashiers', { contract: 'atm', given: { cashiers: [], customers: [ada()] } }],
      ['age', { contract: 'atm', given: { customers: [ada({ age: 36 })] } }],
      [
        'limit',
        {
          contract: 'atm',
          given: { customers: [ada({ accounts: [accountOf('1', 1, { limit: 1 })] })] },
        },
      ],
      [
        'balance_cents',
        { contract: 'atm', given: { customers: [ada({ accounts: [accountOf('1', 0.5)] })] } },
      ],
      [
        'the same ref',
        {
          contract: 'atm',
          given: {
            customers: [
              ada({ accounts: [1, 2].map((n) => accountOf(`1000-0001-000${n}`, n, { ref: 'a' })) }),
            ],
          },
        },
      ],
      ['fives', { contract: 'atm', given: { cassettes: { twenties: 1, fives: 1 } } }],
      ['throttles', { contract: 'atm', given: { throttles: { login: 'five' } } }],
      ['contract', { contract: 'bank', given: {} }],
      ['now', { contract: 'atm', given: {}, now: NOON }],
    ])('nothing it does not know, and names it: %s', async (name, body) => {
      const reply = await door.knock('given', body)
      expect(reply).toMatchObject({ status: 400, body: { error: 'unfit' } })
      expect(reply.body.detail).toContain(name)
      await nothingIsThere()
    })

    test('nothing that is no JSON', async () => {
      const client = createClient(daybook.url)
      for (const body of ['', '{', '[]', '"atm"']) {
        expect((await client.send('POST', '/test/given', { body })).status).toBe(400)
      }
    })

    // What came before the contradiction stays: whoever is told of one resets.
    test.each([
      ['an account twice', [ada(), { ...ada(), cards: [] }]],
      [
        'a card twice',
        [ada({ cards: [CARD, CARD].map((card) => ({ ...card, account: '1000-0001-0001' })) })],
      ],
      ['a card of no account', [ada({ cards: [{ ...CARD, account: 'nowhere' }] })]],
      [
        "a card of another customer's account",
        [ada({ cards: [] }), { customer: 'Ben', cards: [{ ...CARD, account: '1000-0001-0001' }] }],
      ],
      [
        'more available than there is',
        [ada({ accounts: [accountOf('1', 1, { available_balance_cents: 2 })], cards: [] })],
      ],
    ])('no contradiction: %s', async (_what, customers) => {
      const reply = await door.knock('given', { contract: 'atm', given: { customers } })
      expect(reply.status).toBe(400)
      expect(reply.body.detail).toEqual(expect.any(String))
      await door.reset()
      await nothingIsThere()
    })

    test('people whose money is in the books, and whom everybody can read at once', async () => {
      const held = accountOf('1000-0001-0001', 100_000, { available_balance_cents: 60_000 })
      const { refs } = await door.give({
        notes: ['for people'],
        customers: [ada({ accounts: [held] })],
      })
      const visitor = await logIn(daybook)
      const [account] = (await visitor.get('/accounts')).body.accounts
      expect(account).toMatchObject({ balance: '$1,000.00', available_balance: '$600.00' })
      expect(account.id).toBe(refs['1000-0001-0001'].id)
      const trial = await (await administrator(daybook)).get('/v1/books/main/trial-balance')
      expect(trial.body.totals).toMatchObject([{ asset: 'USD/2', difference: '0' }])
    })

    test('rate limits, and has none otherwise', async () => {
      await door.clock(NOON)
      await door.give({ customers: [ada()] })
      for (let tries = 0; tries < 8; tries += 1)
        expect((await tryToLogIn(daybook)).status).toBe(200)
      await door.give({ throttles: { login: '2/15min' } })
      for (let tries = 0; tries < 2; tries += 1)
        expect((await tryToLogIn(daybook)).status).toBe(200)
      const refused = await tryToLogIn(daybook)
      expect(refused).toMatchObject({ status: 429, body: { error_code: 'AUTH_RATE_LIMITED' } })
      expect(refused.headers.get('retry-after')).toBe('900')
      await door.clock('2031-03-11T12:15:00Z')
      expect((await tryToLogIn(daybook)).status).toBe(200)
    })
  })

  describe('sets the clock', () => {
    test('which stops there, and ends what is due before it answers', async () => {
      await door.clock(NOON)
      await door.give({ customers: [ada()] })
      const visitor = await logIn(daybook)
      const cash = { amount_cents: 50_000, deposit_type: 'cash' }
      const { body } = accepted(await visitor.post('/transactions/deposit', cash))
      expect(body.hold_until).toBe('2031-03-12T00:00:00Z')
      await door.clock('2031-03-11T23:59:59.999Z')
      expect(await typesIn('book-main')).not.toContain('HoldExpired')
      await door.clock('2031-03-12T00:00:00Z')
      expect((await typesIn('book-main')).filter((type) => type === 'HoldExpired')).toHaveLength(1)
    })

    test('by which sessions live and end', async () => {
      await door.clock(NOON)
      await door.give({ customers: [ada()] })
      const [used, unused] = [await logIn(daybook), await logIn(daybook)]
      await door.clock('2031-03-11T12:02:00Z')
      expect((await used.get('/accounts')).status).toBe(200)
      await door.clock('2031-03-11T12:02:00.001Z')
      expect((await unused.get('/accounts')).status).toBe(401)
      await door.clock('2031-03-11T12:04:00Z')
      expect((await used.get('/accounts')).status).toBe(200)
    })

    test('and lets it run again', async () => {
      await door.give({ customers: [ada()] })
      await door.clock(NOON)
      const visitor = await logIn(daybook)
      await door.clock(null)
      await expectToday(visitor)
    })

    test.each([{}, { now: 'yesterday' }, { now: 1 }, { now: '2031-03-11' }, { now: null, at: 1 }])(
      'not to %j',
      async (body) => {
        expect((await door.knock('clock', body)).status).toBe(400)
      },
    )
  })

  test('knows nothing else', async () => {
    expect((await door.knock('nothing')).status).toBe(404)
    expect((await createClient(daybook.url).get('/test/reset')).status).toBe(404)
  })
})
