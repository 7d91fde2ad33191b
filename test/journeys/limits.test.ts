import { expect, test } from 'vitest'
import { createClient } from '../support/client.ts'
import { useDaybook } from '../support/stack.ts'

const ALLOWED = 30
const daybook = useDaybook({ RATE_LIMIT_PER_MINUTE: `${ALLOWED}`, BODY_LIMIT_BYTES: '2048' })

test('a client is told what is left to him, and refused when that is nothing', async () => {
  const admin = await daybook.as('admin')
  const first = await admin.get('/v1/me')
  expect(first.status).toBe(200)
  const left = Number(first.headers.get('ratelimit-remaining'))
  expect(first.headers.get('ratelimit-limit')).toBe(`${ALLOWED}`)
  expect(Number(first.headers.get('ratelimit-reset'))).toBeLessThanOrEqual(60)
  for (let request = left - 1; request >= 0; request -= 1) {
    const { status, headers } = await admin.get('/v1/me')
    expect(status).toBe(200)
    expect(headers.get('ratelimit-remaining')).toBe(`${request}`)
  }
  const refused = await admin.get('/v1/me')
  expect(refused.body).toMatchObject({ status: 429, code: 'RATE_LIMITED' })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(refused.headers.get('ratelimit-remaining')).toBe('0')
})

test('another client goes on, and so does the look at its health', async () => {
  const credentials = { username: 'nobody', password: 'wrong' }
  const other = createClient(daybook.url)
  expect((await other.post('/v1/tokens', credentials)).body).toMatchObject({
    code: 'CREDENTIALS_INVALID',
  })
  expect((await other.get('/readyz')).status).toBe(200)
})

test('guesses of a password are refused after a few, whoever makes them', async () => {
  const guess = (password: string) =>
    createClient(daybook.url).post('/v1/tokens', { username: 'root', password })
  for (let tries = 0; tries < 5; tries += 1) {
    expect((await guess(`wrong ${tries}`)).body.code).toBe('CREDENTIALS_INVALID')
  }
  expect((await guess('correct horse battery')).body).toMatchObject({
    status: 429,
    code: 'LOGIN_LOCKED',
  })
})

test('a body may be as large as was said', async () => {
  const of = (bytes: number) =>
    createClient(daybook.url).send('POST', '/v1/tokens', {
      body: JSON.stringify({ username: 'x', password: 'y' }).padEnd(bytes, ' '),
      headers: { 'Content-Type': 'application/json' },
    })
  expect((await of(2048)).status).toBe(401)
  expect((await of(2049)).body).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' })
})
