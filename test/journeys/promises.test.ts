import { beforeAll, describe, expect, test } from 'vitest'
import { accepted, openBank, transferOf } from '../support/bank.ts'
import { type Client, createClient, eventually } from '../support/client.ts'
import { ADMIN, useDaybook } from '../support/stack.ts'

const daybook = useDaybook()
const ADA = 'customers:ada'
let at = ''
let admin: Client

beforeAll(async () => {
  admin = await daybook.as('admin')
  at = await openBank(admin, 'bank')
})

const deposit = (amount: string, headers: Record<string, string> = {}) =>
  admin.post(`${at}/transfers`, transferOf('cash:vault', ADA, amount), headers)
const balance = async () => (await admin.get(`${at}/accounts/${ADA}/balance`)).body.balance

describe('a request with a key', () => {
  test('is done once however often it is made', async () => {
    const key = { 'Idempotency-Key': 'deposit-1' }
    const first = accepted(await deposit('100', key))
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    const again = accepted(await deposit('100', key))
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(again.headers.get('consistency-token')).toBe(first.headers.get('consistency-token'))
    expect(await balance()).toBe('100')
  })

  test('is done once by many who make it at the same time', async () => {
    const before = BigInt(await balance())
    const key = { 'Idempotency-Key': 'deposit-2' }
    const replies = await Promise.all(Array.from({ length: 20 }, () => deposit('7', key)))
    const ids = new Set(replies.map((reply) => accepted(reply).body.id))
    expect(ids.size).toBe(1)
    const fresh = replies.filter(({ headers }) => headers.get('idempotent-replayed') === null)
    expect(fresh).toHaveLength(1)
    expect(BigInt(await balance())).toBe(before + 7n)
  })

  test('is refused when the key came with another', async () => {
    const reply = await deposit('101', { 'Idempotency-Key': 'deposit-1' })
    expect(reply.body).toMatchObject({ status: 409, code: 'IDEMPOTENCY_KEY_REUSED' })
    const elsewhere = await admin.post(
      `${at}/holds`,
      { account: ADA, amount: '1' },
      { 'Idempotency-Key': 'deposit-1' },
    )
    expect(elsewhere.body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
  })

  test('does not meet the same key of somebody else', async () => {
    const manager = await daybook.as('manager')
    const reply = await manager.post(`${at}/transfers`, transferOf('cash:vault', ADA, '1'), {
      'Idempotency-Key': 'deposit-1',
    })
    expect(accepted(reply).headers.get('idempotent-replayed')).toBeNull()
  })

  test('that was refused may be made again when it can be done', async () => {
    const headers = { 'Idempotency-Key': 'payment-1' }
    const body = transferOf(ADA, 'customers:bob', '5000')
    expect((await admin.post(`${at}/transfers`, body, headers)).status).toBe(422)
    accepted(await deposit('5000'))
    const { headers: answered } = accepted(await admin.post(`${at}/transfers`, body, headers))
    expect(answered.get('idempotent-replayed')).toBeNull()
  })

  test('of several entries, each on its own, is done once for each', async () => {
    const line = (direction: string, account: string) => ({ account, direction, amount: '10' })
    const entry = { lines: [line('debit', 'cash:vault'), line('credit', ADA)] }
    const bad = { lines: [line('debit', 'nowhere'), line('credit', ADA)] }
    const body = { mode: 'independent', entries: [entry, bad, entry] }
    const headers = { 'Idempotency-Key': 'batch-1' }
    const first = accepted(await admin.post(`${at}/batches`, body, headers)).body.results
    expect(first).toMatchObject([
      { status: 'posted', replayed: false },
      { status: 'refused', problem: { code: 'ACCOUNT_NOT_FOUND' } },
      { status: 'posted', replayed: false },
    ])
    const before = await balance()
    const again = accepted(await admin.post(`${at}/batches`, body, headers)).body.results
    expect(again).toMatchObject([{ replayed: true }, { status: 'refused' }, { replayed: true }])
    expect(await balance()).toBe(before)
  })
})

describe('a dry run', () => {
  test('says what would be and does nothing', async () => {
    const before = await balance()
    const reply = await admin.post(
      `${at}/transfers?dry_run=true`,
      transferOf('cash:vault', ADA, '9'),
    )
    expect(reply.status).toBe(200)
    expect(reply.body.lines[1]).toMatchObject({ balance: (BigInt(before) + 9n).toString() })
    expect(await balance()).toBe(before)
    const refused = await admin.post(
      `${at}/transfers?dry_run=true`,
      transferOf('nowhere', ADA, '9'),
    )
    expect(refused.body).toMatchObject({ code: 'ACCOUNT_NOT_FOUND' })
  })
})

describe('a read', () => {
  test('with the token of a write shows that write, every time', async () => {
    for (let round = 0; round < 20; round += 1) {
      const before = BigInt(await balance())
      const { headers } = accepted(await deposit('1'))
      const token = headers.get('consistency-token') ?? ''
      const { body } = await createClient(daybook.url, admin.token).get(
        `${at}/accounts/${ADA}/balance`,
        { 'Consistency-Token': token },
      )
      expect(BigInt(body.balance)).toBe(before + 1n)
    }
  })
  test('that would have to wait too long says so', async () => {
    const reply = await admin.get(`${at}/accounts/${ADA}`, { 'Consistency-Token': '9999999999' })
    expect(reply.body).toMatchObject({ status: 503, code: 'NOT_CAUGHT_UP' })
    expect(reply.headers.get('retry-after')).toBe('1')
  })
  test('gives pages that join without a gap or an overlap', async () => {
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`
      const { body } = await admin.get(`${at}/accounts/${ADA}/lines?limit=7&order=revision${query}`)
      seen.push(...body.items.map(({ balance: stood }: { balance: string }) => stood))
      cursor = body.next_cursor
    }
    const whole = (await admin.get(`${at}/accounts/${ADA}/lines?limit=200&order=revision`)).body
      .items
    expect(seen.length).toBeGreaterThan(20)
    expect(seen).toEqual(whole.map(({ balance: stood }: { balance: string }) => stood))
  })
})

describe('a change', () => {
  test('of what has changed since it was read is refused', async () => {
    const address = `${at}/accounts/${ADA}/terms`
    const tag = (await admin.get(address)).headers.get('etag') ?? ''
    const terms = { overdraft_limit: '500', velocity_limits: [] }
    accepted(await deposit('1'))
    accepted(await admin.put(address, terms, { 'If-Match': tag }))
    const late = await admin.put(address, terms, { 'If-Match': tag })
    expect(late.body).toMatchObject({ status: 412, code: 'REVISION_MISMATCH' })
    const now = (await admin.get(address)).headers.get('etag') ?? ''
    expect(now).not.toBe(tag)
    accepted(await admin.put(address, terms, { 'If-Match': now }))
  })
  test('of a user likewise', async () => {
    await daybook.as('cashier')
    const tag = (await admin.get('/v1/users/cashier')).headers.get('etag') ?? ''
    const reason = { reason: 'test' }
    accepted(await admin.post('/v1/users/cashier/disable', reason, { 'If-Match': tag }))
    const late = await admin.post('/v1/users/cashier/enable', reason, { 'If-Match': tag })
    expect(late.status).toBe(412)
  })
})

describe('a live stream', () => {
  test('goes on after the last event that was seen', async () => {
    const path = '/v1/events/live?types=EntryPosted'
    const [first, second] = await admin.events(`${path}&after=0`, 2)
    const resumed = await admin.events(path, 1, { 'Last-Event-ID': first?.id ?? '' })
    expect(resumed[0]).toEqual(second)
    const newest = accepted(await deposit('1')).headers.get('consistency-token') ?? ''
    const following = admin.events(path, 1, { 'Last-Event-ID': newest })
    const { body } = accepted(await deposit('2'))
    const [live] = await following
    expect(live?.data.data.entry.id).toBe(body.id)
  })
  test('of scores too', async () => {
    const path = '/v1/risk/scores/stream'
    const transfer = transferOf(ADA, 'customers:bob', '1')
    accepted(await admin.post(`${at}/transfers`, transfer))
    const [first] = await admin.events(`${path}?after=0`, 1)
    const after = { 'Last-Event-ID': first?.id ?? '' }
    const following = admin.events(path, 1, after)
    accepted(await admin.post(`${at}/transfers`, transfer))
    const [next] = await following
    expect(BigInt(next?.id ?? 0)).toBeGreaterThan(BigInt(first?.id ?? 0))
    expect(next?.event).toBe('TransactionScored')
  })
})

describe('the machine', () => {
  const anybody = () => createClient(daybook.url)
  test('says that it lives, is ready, and how it does', async () => {
    expect((await anybody().get('/livez')).body).toEqual({ status: 'alive' })
    expect((await anybody().get('/readyz')).body).toMatchObject({
      status: 'ready',
      parts: { postgres: 'answers', event_store: 'answers' },
    })
    const { text } = await anybody().get('/metrics')
    expect(text).toMatch(
      /http_requests_total\{method="post",route="\/v1\/books",status="201"\} 1\b/,
    )
    expect(text).toContain('daybook_projection_lag_seconds{projection="accounts"}')
  })
  test('describes every address it has', async () => {
    const { body } = await anybody().get('/openapi.json')
    expect(body.openapi).toBe('3.1.0')
    expect(body.paths['/v1/books/{book}/transfers'].post.responses['422'].description).toContain(
      'INSUFFICIENT_FUNDS',
    )
    expect((await anybody().get('/problems/INSUFFICIENT_FUNDS')).body).toMatchObject({
      status: 422,
    })
  })
  test('shows its documentation from itself alone', async () => {
    const page = await anybody().get('/docs')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
    for (const [, path] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect(path).toMatch(/^\/docs\//)
      expect((await anybody().get(path ?? '')).status).toBe(200)
    }
  })
  test('gives back the request id it was given', async () => {
    const reply = await admin.post(`${at}/transfers`, transferOf('cash:vault', ADA, '1'), {
      'X-Request-Id': 'my-request-7',
    })
    expect(reply.headers.get('x-request-id')).toBe('my-request-7')
    const trail = await admin.get('/v1/audit/trail?correlation=my-request-7')
    expect(trail.body.items).toMatchObject([{ type: 'EntryPosted', actor: admin.id }])
  })
})

describe('after a restart', () => {
  test('what was done is done, what was ended has ended, and keys are known', async () => {
    const credentials = { username: ADMIN.username, password: ADMIN.password }
    const other = accepted(await createClient(daybook.url).post('/v1/tokens', credentials)).body
    accepted(await admin.post(`/v1/me/sessions/${other.session}/end`, {}))
    const before = await balance()
    const posted = accepted(await deposit('100', { 'Idempotency-Key': 'deposit-1' }))
    const { token } = admin
    await daybook.restart()

    const ended = await createClient(daybook.url, other.access_token).get('/v1/me')
    expect(ended.body).toMatchObject({ status: 401 })
    const refreshed = { refresh_token: other.refresh_token }
    expect((await createClient(daybook.url).post('/v1/tokens/refresh', refreshed)).status).toBe(401)
    // Tokens from before are still good, and so are keys.
    admin = createClient(daybook.url, token, { id: admin.id })
    const again = accepted(await deposit('100', { 'Idempotency-Key': 'deposit-1' }))
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(again.body).toEqual(posted.body)
    await eventually('the balance is the same', balance, (now) => now === before)
  })
})
