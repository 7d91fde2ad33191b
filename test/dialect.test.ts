import { z } from '@hono/zod-openapi'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Contract, route } from '../api/contract.ts'
import { type Dialect, dialectOf } from '../api/dialect.ts'
import { createApplication } from '../api/kernel.ts'
import { createMetrics } from '../api/metrics.ts'
import { nativeDialect } from '../api/native/dialect.ts'
import type { Services } from '../api/services.ts'
import { createThrottle } from '../api/throttle.ts'

const owner = (name: string, ...prefixes: string[]): Dialect => ({
  ...nativeDialect,
  name,
  prefixes,
})

describe('an address', () => {
  const dialects = [
    owner('native', '/'),
    owner('machine', '/health', '/api/v1'),
    owner('shop', '/api', '/api/v1/shop'),
  ]
  test.each([
    ['/', 'native'],
    ['/v1/books', 'native'],
    ['/health', 'machine'],
    ['/health/', 'machine'],
    ['/health/deep', 'machine'],
    ['/healthy', 'native'],
    ['/healthz', 'native'],
    ['/api', 'shop'],
    ['/api/v2', 'shop'],
    ['/api/v1', 'machine'],
    ['/api/v1/accounts', 'machine'],
    ['/api/v10', 'shop'],
    ['/api/v1/shop', 'shop'],
    ['/api/v1/shopping', 'machine'],
    ['/apis', 'native'],
  ])('%s belongs to the %s dialect', (path, name) => {
    expect(dialectOf(dialects, path).name).toBe(name)
    expect(dialectOf([...dialects].reverse(), path).name).toBe(name)
  })

  test('that nobody owns is a fault of who put the contracts together', () => {
    expect(() => dialectOf([owner('machine', '/api')], '/v1')).toThrow('no dialect owns /v1')
  })
})

const known = { id: 'somebody', roles: ['admin' as const] }
const native: Dialect = { ...nativeDialect, identify: async () => known }
const shop: Dialect = {
  ...native,
  name: 'shop',
  prefixes: ['/shop'],
  errorType: 'application/json',
  fault: ({ code, status, detail }) => ({
    code,
    // Its own word and status for one of them.
    status: code === 'INVALID_REQUEST' ? 422 : status,
    body: { shop_says: code, why: detail },
  }),
  headers: (requestId) => ({ 'X-Shop-Request': requestId }),
  requestIdHeader: 'x-shop-request',
  unknownFields: 'ignored',
}

const Thing = { name: z.string(), size: z.int().optional() }
const routesAt = (prefix: string, input: z.ZodType): Contract['routes'] => {
  const described = { tag: 'x', summary: 'x', response: z.object({}), example: {} }
  return [
    route('get', `${prefix}/things`, 'self:read', {
      ...described,
      input: z.object({}),
      run: async () => ({ body: { things: [] } }),
    }),
    route('post', `${prefix}/things`, 'self:read', {
      ...described,
      input,
      throttles: [{ scope: 'things', requests: 2, seconds: 90, key: () => prefix }],
      run: async (call) => ({ body: call.input, headers: { 'X-Dry-Run': `${call.dryRun}` } }),
    }),
    route('get', `${prefix}/hello`, 'public', {
      ...described,
      input: z.object({}),
      throttles: [{ scope: 'hello', requests: 1, seconds: 9, key: (_, { address }) => address }],
      run: async () => ({ body: {} }),
    }),
    route('get', `${prefix}/broken`, 'public', {
      ...described,
      input: z.object({}),
      run: async () => {
        throw new TypeError('cannot read properties of a secret')
      },
    }),
  ]
}
const contracts: readonly Contract[] = [
  { dialect: native, routes: routesAt('/v1', z.strictObject(Thing)) },
  { dialect: shop, routes: routesAt('/shop', z.object(Thing)) },
]

const noted: string[] = []
const note = (_facts: object, message: string): void => void noted.push(message)
const LIMIT_BYTES = 200
const fresh = (trustedProxies = 0) => {
  const services = {
    ports: { clock: () => new Date('2026-03-10T12:00:00.000Z') },
    log: { info: note, warn: note, error: note, debug: () => undefined },
    bodyLimit_bytes: LIMIT_BYTES,
    rateLimit: 0,
    throttle: createThrottle(),
    trustedProxies,
    newestWrite: () => 0n,
  }
  const metrics = createMetrics(async () => ({}))
  return createApplication(contracts, services as unknown as Services, metrics)
}
let app = fresh()
beforeEach(() => {
  app = fresh()
  noted.splice(0)
})

type Asked = { readonly body?: string; readonly headers?: Record<string, string> }
const ask = async (method: string, path: string, { body, headers = {} }: Asked = {}) => {
  const json = { 'Content-Type': 'application/json' }
  const init = { method, ...(body !== undefined && { body }), headers: { ...json, ...headers } }
  const response = await app.request(path, init)
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: JSON.parse(text), text }
}

const large = JSON.stringify({ name: 'x'.repeat(LIMIT_BYTES) })
const fine = JSON.stringify({ name: 'hat' })
const faults: readonly [string, string, string, Asked, number][] = [
  ['ROUTE_NOT_FOUND', 'GET', '/nowhere', {}, 404],
  ['METHOD_NOT_ALLOWED', 'DELETE', '/things', {}, 405],
  [
    'UNSUPPORTED_MEDIA_TYPE',
    'POST',
    '/things',
    { body: fine, headers: { 'Content-Type': 'text/plain' } },
    415,
  ],
  ['MALFORMED_JSON', 'POST', '/things', { body: '{"name":' }, 400],
  ['DUPLICATE_FIELD', 'POST', '/things', { body: '{"name":"a","name":"b"}' }, 400],
  ['BODY_TOO_LARGE', 'POST', '/things', { body: large }, 413],
  ['INTERNAL', 'GET', '/broken', {}, 500],
]

describe.each(faults)('%s', (code, method, path, asked, status) => {
  test('is a problem document in the native API', async () => {
    const { headers, body, ...reply } = await ask(method, `/v1${path}`, asked)
    expect([reply.status, headers.get('content-type')]).toEqual([
      status,
      'application/problem+json',
    ])
    const request_id = headers.get('x-request-id')
    expect(body).toMatchObject({ status, code, instance: `/v1${path}`, request_id })
    expect(headers.get('x-shop-request')).toBeNull()
  })

  test('is in the words of a contract under its own prefix', async () => {
    const { headers, body, ...reply } = await ask(method, `/shop${path}`, asked)
    expect([reply.status, headers.get('content-type')]).toEqual([status, 'application/json'])
    expect(body).toEqual({ shop_says: code, why: expect.any(String) })
    expect(headers.get('x-shop-request')).toBe(headers.get('x-request-id'))
  })
})

describe.each([
  ['/v1', 'code'],
  ['/shop', 'shop_says'],
])('under %s', (prefix, word) => {
  const things = `${prefix}/things`

  test('a wrong method is told which are right', async () => {
    const { headers } = await ask('PUT', things)
    expect(headers.get('allow')).toBe('GET, POST')
  })

  test('one too many is told how long to wait', async () => {
    for (let tries = 0; tries < 2; tries += 1) {
      expect((await ask('POST', things, { body: fine })).status).toBe(200)
    }
    const { status, headers, body } = await ask('POST', things, { body: fine })
    expect([status, headers.get('retry-after'), body[word]]).toEqual([429, '90', 'RATE_LIMITED'])
    // What does not fit is not counted, and the other address has its own count.
    const other = prefix === '/v1' ? '/shop/things' : '/v1/things'
    expect((await ask('POST', other, { body: fine })).status).toBe(200)
  })

  test('what does not fit its schema is not counted as an attempt', async () => {
    for (let tries = 0; tries < 5; tries += 1) await ask('POST', things, { body: '{}' })
    expect((await ask('POST', things, { body: fine })).status).toBe(200)
  })

  test('a bug tells the log what it was, and the client nothing', async () => {
    const { text } = await ask('GET', `${prefix}/broken`)
    expect(text).not.toMatch(/secret|TypeError/)
    expect(noted).toEqual(['request failed'])
  })

  test('an address with a slash behind it is the same address', async () => {
    expect((await ask('GET', `${things}/`)).body).toEqual({ things: [] })
    expect((await ask('DELETE', `${things}/`)).status).toBe(405)
    expect((await ask('GET', `${prefix}/nowhere/`)).body[word]).toBe('ROUTE_NOT_FOUND')
  })
})

describe('fields that nobody asked for', () => {
  const more = JSON.stringify({ name: 'hat', colour: 'red' })

  test('are refused by the native API, in the body and in the address', async () => {
    const { status, body } = await ask('POST', '/v1/things', { body: more })
    expect([status, body.errors]).toEqual([400, [{ field: 'colour', message: 'unknown field' }]])
    expect((await ask('POST', '/v1/things?colour=red', { body: fine })).status).toBe(400)
    expect((await ask('GET', '/v1/things?a=1&a=2')).status).toBe(400)
    const { headers } = await ask('POST', '/v1/things?dry_run=true', { body: fine })
    expect(headers.get('x-dry-run')).toBe('true')
  })

  test('are ignored by a contract that does, and do not reach its routes', async () => {
    expect((await ask('POST', '/shop/things', { body: more })).body).toEqual({ name: 'hat' })
    const { body, headers } = await ask('POST', '/shop/things?dry_run=true', { body: fine })
    expect([body, headers.get('x-dry-run')]).toEqual([{ name: 'hat' }, 'false'])
    expect((await ask('GET', '/shop/things?a=1&a=2')).status).toBe(200)
    const wrong = await ask('POST', '/shop/things', { body: '{"name":1}' })
    expect(wrong).toMatchObject({ status: 422, body: { shop_says: 'INVALID_REQUEST' } })
  })
})

describe('the address of who asks', () => {
  const hello = async (forwarded: string): Promise<number> => {
    const headers = { 'X-Forwarded-For': forwarded }
    return (await ask('GET', '/v1/hello', { headers })).status
  }

  test('is the socket’s, whatever a header says, where no proxy is trusted', async () => {
    expect([await hello('192.0.2.1'), await hello('192.0.2.2')]).toEqual([200, 429])
  })

  test('is what the first trusted proxy saw, however much is written before it', async () => {
    app = fresh(2)
    expect(await hello('192.0.2.1, 198.51.100.7')).toBe(200)
    expect(await hello('203.0.113.9, 192.0.2.1, 198.51.100.8')).toBe(429)
    expect(await hello('192.0.2.1, 192.0.2.2, 198.51.100.8')).toBe(200)
  })

  test('is the first one named, where fewer proxies have spoken than are trusted', async () => {
    app = fresh(2)
    expect([await hello('192.0.2.1'), await hello('192.0.2.1'), await hello('192.0.2.2')]).toEqual([
      200, 429, 200,
    ])
  })
})

describe('the id of a request', () => {
  const idOf = async (path: string, headers: Record<string, string>) => {
    const reply = await ask('GET', path, { headers })
    return [reply.headers.get('x-request-id'), reply.headers.get('x-shop-request')]
  }

  test.each(['/shop/things', '/shop/nowhere', '/shop/broken'])(
    'is the one that the client gave in the header of the contract at %s',
    async (path) => {
      expect(await idOf(path, { 'X-Shop-Request': 'mine-1' })).toEqual(['mine-1', 'mine-1'])
      expect(await idOf(path, { 'X-Request-Id': 'mine-2' })).toEqual(['mine-2', 'mine-2'])
    },
  )

  test('is a new one when what was given is none', async () => {
    for (const odd of ['', 'a b', 'x'.repeat(65), '<script>']) {
      const [id, again] = await idOf('/shop/things', { 'X-Shop-Request': odd })
      expect(id).toMatch(/^[0-9A-Z]{26}$/)
      expect(again).toBe(id)
    }
    expect(await idOf('/v1/things', { 'X-Shop-Request': 'mine' })).not.toContain('mine')
  })
})
