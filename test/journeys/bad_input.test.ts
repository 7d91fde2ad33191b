import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accepted, openBank, transferOf } from '../support/bank.ts'
import { type Client, eventually } from '../support/client.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook()
const at = '/v1/books/bank'
const json = { 'Content-Type': 'application/json' }
const good = transferOf('cash:vault', 'customers:ada', '100')
const line = (account: string, direction: string, amount: string) => ({
  account,
  direction,
  amount,
})
const balanced = [line('cash:vault', 'debit', '1'), line('customers:ada', 'credit', '1')]
let admin: Client

beforeAll(async () => {
  admin = await daybook.as('admin')
  await openBank(admin, 'bank')
  accepted(await admin.post(`${at}/transfers`, good))
  accepted(await admin.post(`${at}/holds`, { account: 'customers:ada', amount: '1' }))
})

type Refused = readonly [what: string, body: unknown, field: string]

const refusedBodies: Readonly<Record<string, readonly Refused[]>> = {
  [`${at}/transfers`]: [
    ['no body', undefined, 'from'],
    ['a list', [], '(body)'],
    ['null', null, '(body)'],
    ['a text', 'x', '(body)'],
    ['an unknown field', { ...good, colour: 'red' }, 'colour'],
    ['a field of the address', { ...good, book: 'other' }, 'book'],
    ['a missing field', { from: 'a', to: 'b' }, 'amount'],
    ['a number for an amount', { ...good, amount: 100 }, 'amount'],
    ['a negative amount', { ...good, amount: '-100' }, 'amount'],
    ['zero', { ...good, amount: '0' }, 'amount'],
    ['a fraction', { ...good, amount: '1.5' }, 'amount'],
    ['an exponent', { ...good, amount: '1e5' }, 'amount'],
    ['leading zeros', { ...good, amount: '0100' }, 'amount'],
    ['spaces', { ...good, amount: ' 100' }, 'amount'],
    ['other digits', { ...good, amount: '١٠٠' }, 'amount'],
    ['25 digits', { ...good, amount: '1'.repeat(25) }, 'amount'],
    ['an empty amount', { ...good, amount: '' }, 'amount'],
    ['no amount', { ...good, amount: null }, 'amount'],
    ['a list for an account', { ...good, from: ['cash:vault'] }, 'from'],
    ['capital letters', { ...good, from: 'CASH' }, 'from'],
    ['an over-long account', { ...good, from: 'a'.repeat(129) }, 'from'],
    ['too many parts', { ...good, from: 'a:b:c:d:e:f:g:h:i' }, 'from'],
    ['an over-long description', { ...good, description: 'x'.repeat(257) }, 'description'],
    ['a NUL in a text', { ...good, description: 'a\u0000b' }, 'description'],
    ['half a character in a text', { ...good, description: 'a\ud800b' }, 'description'],
    ['a NUL in a reference', { ...good, reference: 'a\u0000b' }, 'reference'],
    ['an empty reference', { ...good, reference: '  ' }, 'reference'],
    ['a NUL in metadata', { ...good, metadata: { note: 'a\u0000b' } }, 'metadata'],
    ['a NUL in a name of metadata', { ...good, metadata: { 'a\u0000b': 'x' } }, 'metadata'],
    ['half a character in metadata', { ...good, metadata: { note: '\udc00' } }, 'metadata'],
    ['a number in metadata', { ...good, metadata: { note: 1 } }, 'metadata'],
    [
      'too much metadata',
      {
        ...good,
        metadata: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, ''])),
      },
      'metadata',
    ],
    ['a day that is none', { ...good, value_date: '2026-02-30' }, 'value_date'],
    ['an instant for a day', { ...good, value_date: '2026-02-03T00:00:00.000Z' }, 'value_date'],
    [
      'an instant without milliseconds',
      { ...good, hold_until: '2099-01-01T00:00:00Z' },
      'hold_until',
    ],
    ['a local instant', { ...good, hold_until: '2099-01-01T00:00:00.000+03:00' }, 'hold_until'],
    ['a kind with spaces', { ...good, kind: 'my kind' }, 'kind'],
    [
      'an empty condition',
      { ...good, conditions: [{ account: 'a', field: 'balance' }] },
      'conditions',
    ],
  ],
  [`${at}/entries`]: [
    ['one line', { lines: balanced.slice(1) }, 'lines'],
    ['no lines', { lines: [] }, 'lines'],
    ['129 lines', { lines: Array.from({ length: 129 }, () => balanced[0]) }, 'lines'],
    ['a third direction', { lines: [line('a', 'up', '1'), balanced[1]] }, 'lines.0.direction'],
    ['nine holds', { lines: balanced, holds: Array.from({ length: 9 }, () => ({})) }, 'holds'],
  ],
  [`${at}/batches`]: [
    ['no entries', { entries: [] }, 'entries'],
    ['a third mode', { mode: 'some', entries: [{ lines: balanced }] }, 'mode'],
    ['a fault deep inside', { entries: [{ lines: balanced }, { lines: [] }] }, 'entries.1.lines'],
  ],
  [`${at}/accounts`]: [
    ['an unknown type', { account: 'a', type: 'thing', asset: 'USD/2', name: 'A' }, 'type'],
    ['an asset without places', { account: 'a', type: 'asset', asset: 'USD', name: 'A' }, 'asset'],
    ['an asset of 19 places', { account: 'a', type: 'asset', asset: 'USD/19', name: 'A' }, 'asset'],
    ['an empty name', { account: 'a', type: 'asset', asset: 'USD/2', name: ' ' }, 'name'],
    ['a NUL in a name', { account: 'a', type: 'asset', asset: 'USD/2', name: 'A\u0000' }, 'name'],
    [
      'a negative overdraft',
      { account: 'a', type: 'asset', asset: 'USD/2', name: 'A', overdraft_limit: '-1' },
      'overdraft_limit',
    ],
  ],
  [`${at}/accounts/customers:ada/freeze`]: [
    ['no reason', {}, 'reason'],
    ['a NUL in the reason', { reason: 'a\u0000b' }, 'reason'],
  ],
  [`${at}/periods`]: [
    ['a day that is none', { through: '2025-13-01' }, 'through'],
    ['a year that the read models do not know', { through: '0000-01-01' }, 'through'],
  ],
  '/v1/books': [
    ['an upper-case name', { book: 'Bank', name: 'x', assets: ['USD/2'] }, 'book'],
    ['no assets', { book: 'x', name: 'x', assets: [] }, 'assets'],
    ['half a character in a name', { book: 'x', name: '\ud800', assets: ['USD/2'] }, 'name'],
  ],
  '/v1/tokens': [
    ['a number for a password', { username: 'x', password: 1 }, 'password'],
    ['an odd audience', { username: 'x', password: 'x', audience: '../..' }, 'audience'],
  ],
  '/v1/users': [
    [
      'a short password',
      { username: 'x', password: 'short', name: 'X', roles: ['staff'] },
      'password',
    ],
    [
      'a role for machines',
      { username: 'x', password: 'a long password', name: 'X', roles: ['system'] },
      'roles.0',
    ],
    [
      'a role twice',
      { username: 'x', password: 'a long password', name: 'X', roles: ['staff', 'staff'] },
      'roles',
    ],
  ],
}

/** Refused by the ledger and not by a schema; the facts name what is at fault. */
const refusedByRules: readonly (readonly [
  what: string,
  path: string,
  body: object,
  code: string,
])[] = [
  [
    'an asset the book does not keep',
    `${at}/accounts`,
    { account: 'a', type: 'asset', asset: 'EUR/2', name: 'A' },
    'ASSET_UNKNOWN',
  ],
  [
    'an account that is not there',
    `${at}/transfers`,
    transferOf('nobody', 'customers:ada', '1'),
    'ACCOUNT_NOT_FOUND',
  ],
  ['a book that is not there', '/v1/books/nowhere/transfers', good, 'BOOK_NOT_FOUND'],
  [
    'one account twice',
    `${at}/transfers`,
    transferOf('cash:vault', 'cash:vault', '1'),
    'SAME_ACCOUNT',
  ],
  [
    'a value date far away',
    `${at}/transfers`,
    { ...good, value_date: '1999-01-01' },
    'VALUE_DATE_TOO_FAR',
  ],
  [
    'a hold that ends in the past',
    `${at}/transfers`,
    { ...good, hold_until: '2001-01-01T00:00:00.000Z' },
    'HOLD_EXPIRY_PAST',
  ],
  [
    'a time zone on Mars',
    '/v1/books',
    { book: 'mars', name: 'x', assets: ['USD/2'], time_zone: 'Mars/X' },
    'TIME_ZONE_UNKNOWN',
  ],
  ['an unknown hold', `${at}/holds/none/release`, {}, 'HOLD_NOT_OPEN'],
  ['an unknown entry', `${at}/entries/none/reversal`, {}, 'ENTRY_NOT_FOUND'],
  ['an unknown user', '/v1/users/none/disable', { reason: 'x' }, 'USER_NOT_FOUND'],
  ['an unknown key', '/v1/api-keys/none/revoke', { reason: 'x' }, 'API_KEY_NOT_FOUND'],
  ['an unknown session', '/v1/sessions/none/end', {}, 'SESSION_NOT_FOUND'],
]

for (const [path, cases] of Object.entries(refusedBodies)) {
  describe(`POST ${path}`, () => {
    test.each(cases)('%s', async (_what, body, field) => {
      const reply = await admin.post(path, body)
      expect(reply.body).toMatchObject({ status: 400, code: 'INVALID_REQUEST' })
      expect(reply.status).toBe(400)
      const named = reply.body.errors.map((error: { field: string }) => error.field).join()
      expect(named).toContain(field)
      expect(reply.body.detail).toContain(field)
    })
  })
}

test.each(refusedByRules)('%s', async (_what, path, body, code) => {
  const reply = await admin.post(path, body)
  expect(reply.body).toMatchObject({ code, type: `/problems/${code}` })
  expect(reply.status).toBeGreaterThanOrEqual(400)
  expect(reply.status).toBeLessThan(500)
  expect(reply.headers.get('content-type')).toBe('application/problem+json')
})

const cursorOf = (...parts: string[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')

const lists = [
  '/v1/books',
  `${at}/accounts`,
  `${at}/accounts/customers:ada/lines`,
  `${at}/entries`,
  `${at}/holds`,
  `${at}/periods`,
  '/v1/audit/trail',
  '/v1/risk/scores',
  '/v1/risk/alerts',
  '/v1/users',
  '/v1/sessions',
  '/v1/me/sessions',
  '/v1/api-keys',
]

describe.each(lists)('GET %s', (path) => {
  test.each([
    ['no base64', '%%%'],
    ['no JSON', Buffer.from('hello').toString('base64url')],
    ['another shape', Buffer.from('{"a":1}').toString('base64url')],
    ['no parts', cursorOf()],
    ['five parts', cursorOf('a', 'b', 'c', 'd', 'e')],
    ['words', cursorOf('word')],
    ['two words', cursorOf('word', 'word')],
    ['a NUL', cursorOf('\u0000')],
    ['two NULs', cursorOf('\u0000', '\u0000')],
    ['numbers too large', cursorOf('9'.repeat(40), '9'.repeat(40))],
  ])('a cursor of %s is refused or begins a page, never a fault of ours', async (_what, cursor) => {
    const reply = await admin.get(`${path}?cursor=${encodeURIComponent(cursor)}`)
    expect(reply.status, reply.text).toBeLessThan(500)
    if (reply.status !== 200) expect(reply.body.code).toMatch(/BAD_CURSOR|INVALID_REQUEST/)
  })
  test.each(['0', '-1', '201', '1.5', 'all', ''])('a limit of %j is refused', async (limit) => {
    const reply = await admin.get(`${path}?limit=${limit}`)
    expect(reply.body).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field: 'limit' }] })
  })
  test('an unknown field is refused', async () => {
    const reply = await admin.get(`${path}?colour=red`)
    expect(reply.body).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field: 'colour' }] })
  })
  test('a field given twice is refused', async () => {
    const reply = await admin.get(`${path}?limit=1&limit=2`)
    expect(reply.body).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field: 'limit' }] })
  })
})

test.each([
  [`${at}/accounts?prefix=%00`, 'prefix'],
  [`${at}/accounts?owner=%00`, 'owner'],
  [`${at}/accounts?type=thing`, 'type'],
  [`${at}/accounts?order=balance`, 'order'],
  [`${at}/entries?reference=%00`, 'reference'],
  [`${at}/entries?correlation=%00`, 'correlation'],
  [`${at}/entries?from=0000-01-01`, 'from'],
  [`${at}/entries?to=yesterday`, 'to'],
  [`${at}/accounts/customers:ada/balance?at=yesterday`, 'at'],
  [`${at}/accounts/customers:ada/balance?at=0000-01-01T00:00:00.000Z`, 'at'],
  [`${at}/trial-balance?at=0000-01-01T00:00:00.000Z`, 'at'],
  [`${at}/accounts/CASH`, 'account'],
  [`${at}/accounts/%00`, 'account'],
  ['/v1/books/%00', 'book'],
  ['/v1/audit/trail?actor=%00', 'actor'],
  ['/v1/audit/trail?stream=%00', 'stream'],
  ['/v1/risk/scores?min_probability=2', 'min_probability'],
  ['/v1/risk/scores?min_probability=NaN', 'min_probability'],
  ['/v1/events?after=-1', 'after'],
  ['/v1/events?after=soon', 'after'],
  ['/v1/events?after=99999999999999999999', 'after'],
  ['/v1/events?types=1', 'types'],
  ['/v1/events?streams=%00', 'streams'],
  ['/v1/streams/%00/events', 'stream'],
  ['/v1/streams/book-bank/events?from=-1', 'from'],
  ['/v1/streams/book-bank/events?from=99999999999999999999', 'from'],
])('GET %s names %s', async (path, field) => {
  const reply = await admin.get(path)
  expect(reply.body).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field }] })
  expect(reply.status).toBe(400)
})

describe('a request', () => {
  const post = (body: string | ReadableStream, headers: Record<string, string> = json) =>
    admin.send('POST', `${at}/transfers`, { body, headers })

  test.each(['{', '{"a":1,}', "{'a':1}", '\u0000', 'NaN'])(
    'of the text %j is malformed',
    async (body) => {
      expect((await post(body)).body).toMatchObject({ status: 400, code: 'MALFORMED_JSON' })
    },
  )
  test('that names a field twice, in whatever spelling, is refused', async () => {
    const text = JSON.stringify(good)
    for (const again of ['"amount":"1"', '"am\\u006funt":"1"']) {
      const reply = await post(`${text.slice(0, -1)},${again}}`)
      expect(reply.body).toMatchObject({ code: 'DUPLICATE_FIELD', errors: [{ field: 'amount' }] })
    }
  })
  test.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])(
    'of the type %s is refused',
    async (type) => {
      const reply = await post(JSON.stringify(good), { 'Content-Type': type })
      expect(reply.body).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' })
    },
  )
  test('that is not UTF-8 is refused', async () => {
    const bytes = new Uint8Array([...Buffer.from('{"from":"'), 0xff, 0xfe, ...Buffer.from('"}')])
    const stream = new ReadableStream({
      start: (controller) => {
        controller.enqueue(bytes)
        controller.close()
      },
    })
    expect((await post(stream)).status).toBe(400)
  })
  test('that is too large is refused, with a length or without', async () => {
    const large = JSON.stringify({ ...good, description: 'x'.repeat(1_100_000) })
    expect((await post(large)).body).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' })
    const stream = new ReadableStream({
      start: (controller) => {
        controller.enqueue(Buffer.from(large))
        controller.close()
      },
    })
    expect((await post(stream)).body).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' })
  })
  test('nested a hundred thousand deep is refused', async () => {
    const deep = `{"from":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const reply = await post(deep)
    expect(reply.status).toBe(400)
  })
  test('with __proto__ is refused like any unknown field', async () => {
    const reply = await post('{"__proto__":{"amount":"1"},"from":"a:b","to":"c","amount":"1"}')
    expect(reply.status).toBe(400)
  })
  test.each([
    ['Idempotency-Key', 'with space'],
    ['Idempotency-Key', 'x'.repeat(129)],
    ['If-Match', '7'],
    ['If-Match', '*'],
    ['Consistency-Token', 'soon'],
  ])('with the header %s: %s is refused', async (name, value) => {
    const reply = await post(JSON.stringify(good), { ...json, [name]: value })
    expect(reply.body).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ field: name }] })
  })
  test.each(['dry_run=maybe', 'dry_run=true&dry_run=true', 'colour=red'])(
    'with ?%s is refused',
    async (query) => {
      const reply = await admin.post(`${at}/transfers?${query}`, good)
      expect(reply.body).toMatchObject({ status: 400, code: 'INVALID_REQUEST' })
    },
  )
  test('to nowhere is a problem, and so is a method that an address does not know', async () => {
    expect((await admin.get('/v1/nowhere')).body).toMatchObject({
      status: 404,
      code: 'ROUTE_NOT_FOUND',
    })
    const reply = await admin.send('DELETE', `${at}/transfers`)
    expect(reply.body).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' })
    expect(reply.headers.get('allow')).toBe('POST')
  })
  test.each(['%E0%A4%A', '%FF', '..%2f..%2fetc', 'a%20b'])(
    'for the address /v1/books/%s is refused',
    async (name) => {
      const reply = await admin.send('GET', `/v1/books/${name}`)
      expect(reply.status).toBeGreaterThanOrEqual(400)
      expect(reply.status).toBeLessThan(500)
    },
  )
})

describe('an import', () => {
  const send = (body: string, type = 'application/x-ndjson') =>
    admin.send('POST', `${at}/import`, { body, headers: { 'Content-Type': type } })

  test('answers each line for itself: a bad one does not stop the others', async () => {
    const entry = { lines: balanced }
    const lines = [
      '{',
      JSON.stringify(entry),
      JSON.stringify({ key: 'one', ...entry }),
      JSON.stringify({ key: 'two', ...entry, colour: 'red' }),
      `{"key":"x","description":"${'x'.repeat(70_000)}"}`,
      JSON.stringify({ key: 'one', ...entry }),
      JSON.stringify({ key: 'one', ...entry, description: 'another' }),
    ]
    const reply = await send(lines.join('\n'))
    const results = reply.text
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text))
    expect(results.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(
      results.map(({ status, replayed, problem }) => problem?.code ?? `${status} ${replayed}`),
    ).toEqual([
      'MALFORMED_JSON',
      'INVALID_REQUEST',
      'posted false',
      'INVALID_REQUEST',
      'BODY_TOO_LARGE',
      'posted true',
      'IDEMPOTENCY_KEY_REUSED',
    ])
  })
  test('of another type is refused', async () => {
    expect((await send('{}', 'application/json')).body).toMatchObject({ status: 415 })
  })
})

afterAll(async () => {
  // Whatever was sent above, no read model has choked on it.
  const stopped = await eventually(
    'the read models are up with the log',
    async () => (await admin.get('/v1/projections')).body.items,
    (items: { lag_events: number; status: string }[]) =>
      items.every(({ lag_events, status }) => lag_events === 0 || status === 'stopped'),
  )
  expect(stopped.filter(({ status }) => status !== 'active')).toEqual([])
})
