import { expect, test } from 'vitest'
import { createClient, type Reply } from '../support/client.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook({ DAYBOOK_TEST: '1' })
const AUTH = '/api/users/auth'
const credentials = { email: 'ama@example.com', password: 'password123' }
const noon = Date.UTC(2040, 2, 1, 12)

const knock = async (name: string, body: object): Promise<void> => {
  const { status } = await createClient(daybook.url).post(`/test/${name}`, body)
  expect([200, 204]).toContain(status)
}
const turnClock = (minutes: number) =>
  knock('clock', { now: new Date(noon + minutes * 60_000).toISOString() })

const begin = async () => {
  await knock('reset', {})
  await knock('given', { contract: 'coastal', given: { users: [{ ref: 'ama', ...credentials }] } })
  await turnClock(0)
  return createClient(daybook.url)
}

/** What a browser keeps of the cookies that an answer sets. */
const jarOf = ({ headers }: Reply): Record<string, string> =>
  Object.fromEntries(
    headers.getSetCookie().map((cookie) => {
      const [, name = '', value = ''] = /^(\w+)=([^;]*)/.exec(cookie) ?? []
      return [name, value]
    }),
  )
const carrying = (jar: Record<string, string>) => ({
  Cookie: Object.entries(jar)
    .map(([name, value]) => `${name}=${value}`)
    .join('; '),
})

test('cookies are for no script and no other site, and last as long as what they bring', async () => {
  const browser = await begin()
  const reply = await browser.post(`${AUTH}/login/`, credentials)
  const [access, refresh, ...others] = reply.headers.getSetCookie().sort()
  expect(others).toEqual([])
  expect(access).toMatch(/^access=[\w.-]+; Max-Age=300; Path=\/; HttpOnly; SameSite=Lax$/)
  expect(refresh).toMatch(
    /^refresh=[\w.-]+; Max-Age=86400; Path=\/api\/users\/auth; HttpOnly; SameSite=Lax$/,
  )
  expect(reply.text).not.toContain(jarOf(reply).access)
  const proxied = { 'X-Forwarded-Proto': 'https' }
  const secure = await browser.post(`${AUTH}/login/`, credentials, proxied)
  for (const cookie of secure.headers.getSetCookie()) expect(cookie).toContain('; Secure')
})

test('an access cookie is good for five minutes, a session for a day', async () => {
  const browser = await begin()
  const jar = jarOf(await browser.post(`${AUTH}/login/`, credentials))
  await turnClock(4.9)
  expect((await browser.get('/api/users/me/', carrying(jar))).status).toBe(200)
  await turnClock(5)
  expect((await browser.get('/api/users/me/', carrying(jar))).status).toBe(401)
  const refreshed = await browser.post(`${AUTH}/refresh/`, undefined, carrying(jar))
  expect(refreshed.status, refreshed.text).toBe(200)
  const second = jarOf(refreshed)
  expect((await browser.get('/api/users/me/', carrying(second))).status).toBe(200)
  await turnClock(24 * 60)
  const late = await browser.post(`${AUTH}/refresh/`, undefined, carrying(second))
  expect(late.body).toMatchObject({ status: 'error', code: 'SESSION_ENDED' })
})

test('a refresh token that comes twice ends the session for both who have it', async () => {
  const browser = await begin()
  const stolen = jarOf(await browser.post(`${AUTH}/login/`, credentials))
  const own = jarOf(await browser.post(`${AUTH}/refresh/`, { refresh: stolen.refresh }))
  expect(own.refresh).not.toBe(stolen.refresh)
  const again = await browser.post(`${AUTH}/refresh/`, undefined, carrying(stolen))
  expect([again.status, again.body.code]).toEqual([401, 'REFRESH_TOKEN_REUSED'])
  expect((await browser.post(`${AUTH}/refresh/`, undefined, carrying(own))).status).toBe(401)
  expect((await browser.get('/api/users/me/', carrying(own))).status).toBe(401)
})

test('a log-out ends the session by the refresh token alone, and takes the cookies back', async () => {
  const browser = await begin()
  const jar = jarOf(await browser.post(`${AUTH}/login/`, credentials))
  const [session] = (jar.refresh ?? '').split('.')
  const forged = { refresh: `${session}.not-its-secret` }
  expect((await browser.post(`${AUTH}/logout/`, undefined, carrying(forged))).status).toBe(200)
  expect((await browser.get('/api/users/me/', carrying(jar))).status).toBe(200)
  const only = { refresh: jar.refresh ?? '' }
  const reply = await browser.post(`${AUTH}/logout/`, undefined, carrying(only))
  expect(jarOf(reply)).toEqual({ access: '', refresh: '' })
  for (const cookie of reply.headers.getSetCookie()) expect(cookie).toContain('Max-Age=0')
  expect((await browser.get('/api/users/me/', carrying(jar))).status).toBe(401)
  expect((await browser.post(`${AUTH}/refresh/`, undefined, carrying(jar))).status).toBe(401)
})

test('one’s own page may ask, by its origin, and the same page on another port may not', async () => {
  const browser = await begin()
  const jar = jarOf(await browser.post(`${AUTH}/login/`, credentials))
  const ask = (Origin: string) =>
    browser.post('/api/users/verify-otp/', {}, { ...carrying(jar), Origin })
  expect((await ask(daybook.url)).status).toBe(400)
  expect((await ask('http://127.0.0.1:1')).status).toBe(403)
})
