import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accepted, openBank } from '../support/bank.ts'
import { type Client, eventually } from '../support/client.ts'
import { useDaybook } from '../support/stack.ts'
import { at, balanced, good, refusedBodies, refusedByRules } from './bad_bodies.ts'

const daybook = useDaybook()
const json = { 'Content-Type': 'application/json' }
let admin: Client

beforeAll(async () => {
  admin = await daybook.as('admin')
  await openBank(admin, 'bank')
  accepted(await admin.post(`${at}/transfers`, good))
  accepted(await admin.post(`${at}/holds`, { account: 'customers:ada', amount: '1' }))
})

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
  const post = (
    body: string | Uint8Array<ArrayBuffer> | ReadableStream,
    headers: Record<string, string> = json,
  ) => admin.send('POST', `${at}/transfers`, { body, headers })

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
  test('that is not UTF-8 is refused, with a length or without', async () => {
    const bytes = new Uint8Array([...Buffer.from('{"from":"'), 0xff, 0xfe, ...Buffer.from('"}')])
    const stream = new ReadableStream({
      start: (controller) => {
        controller.enqueue(bytes)
        controller.close()
      },
    })
    expect((await post(stream)).body).toMatchObject({ status: 400, code: 'MALFORMED_JSON' })
    expect((await post(bytes)).body).toMatchObject({ status: 400, code: 'MALFORMED_JSON' })
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
  const send = (body: string | Uint8Array<ArrayBuffer>, type = 'application/x-ndjson') =>
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
  test('refuses a line that is not UTF-8 and goes on', async () => {
    const good = JSON.stringify({ key: 'after', lines: balanced })
    const line = [...Buffer.from('{"description":"'), 0xff, ...Buffer.from('"}\n')]
    const reply = await send(new Uint8Array([...line, ...Buffer.from(good)]))
    const [first, second] = reply.text.trim().split('\n')
    expect(JSON.parse(first ?? '').problem.code).toBe('MALFORMED_JSON')
    expect(JSON.parse(second ?? '').status).toBe('posted')
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
