import { beforeAll, describe, expect, test } from 'vitest'
import { nativeRoutes } from '../../api/index.ts'
import type { Route } from '../../api/route.ts'
import { type Permission, Role, reachOf } from '../../domain/permissions.ts'
import { accepted, openBank, transferOf } from '../support/bank.ts'
import { type Client, createClient } from '../support/client.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook()
const roles = Role.options

beforeAll(async () => {
  const admin = await daybook.as('admin')
  const ada = await daybook.as('customer')
  await openBank(admin, 'bank', ada.id)
  accepted(
    await admin.post('/v1/books/bank/transfers', transferOf('cash:vault', 'customers:ada', '900')),
  )
})

/** An address of the route at which there is nothing, so that being let in does no harm. */
const addressOf = ({ path }: Route): string => path.replace(/\{\w+\}/g, 'none')

const call = (client: Client, route: Route) =>
  client.send(route.method.toUpperCase(), addressOf(route), {
    ...(route.method !== 'get' && {
      body: route.source === 'stream' ? '' : '{}',
      headers: {
        'Content-Type': route.source === 'stream' ? 'application/x-ndjson' : 'application/json',
      },
    }),
  })

/** One route for each permission and method: enough to see who is let in. */
const representative = [
  ...new Map(
    nativeRoutes
      .filter(
        ({ permission, contentType }) =>
          permission !== 'public' && contentType !== 'text/event-stream',
      )
      .map((route) => [`${route.permission} ${route.method}`, route]),
  ).values(),
]

describe.each(roles)('a %s', (role) => {
  test.each(
    representative.map((route) => [route.permission as Permission, route.method, route] as const),
  )('with %s: %s', async (permission, _method, route) => {
    const { status, body } = await call(await daybook.as(role), route)
    if (reachOf([role], permission)) expect(status, JSON.stringify(body)).not.toBe(403)
    else expect(body).toMatchObject({ status: 403, code: 'NOT_PERMITTED' })
    expect(status).toBeLessThan(500)
  })
})

describe('nobody', () => {
  const closed = nativeRoutes.filter(({ permission }) => permission !== 'public')
  test.each(closed.map((route) => [route.method, route.path, route] as const))(
    'is let into %s %s',
    async (_method, _path, route) => {
      const { status, body, headers } = await call(createClient(daybook.url), route)
      expect(body).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' })
      expect(status).toBe(401)
      expect(headers.get('www-authenticate')).toBe('Bearer')
    },
  )
  test.each(['Bearer', 'Bearer x.y.z', 'Basic cm9vdDpyb290', 'Bearer daybook_01_x', ''])(
    'gets in with %j',
    async (Authorization) => {
      const reply = await createClient(daybook.url).send('GET', '/v1/books', {
        headers: { Authorization },
      })
      expect(reply.body).toMatchObject({ status: 401 })
    },
  )
})

describe('a customer', () => {
  const at = '/v1/books/bank'
  test('sees his own account and no other', async () => {
    const ada = await daybook.as('customer')
    const { items } = (await ada.get(`${at}/accounts`)).body
    expect(items.map(({ account }: { account: string }) => account)).toEqual(['customers:ada'])
    for (const path of ['', '/balance', '/terms']) {
      expect((await ada.get(`${at}/accounts/customers:bob${path}`)).status).toBe(404)
      expect((await ada.get(`${at}/accounts/customers:ada${path}`)).status).toBe(200)
    }
    const lines = (await ada.get(`${at}/accounts/customers:bob/lines`)).body
    expect(lines.items).toEqual([])
  })

  test('sees of an entry what stood on his own account only', async () => {
    const admin = await daybook.as('admin')
    const ada = await daybook.as('customer')
    const theirs = accepted(
      await admin.post(`${at}/transfers`, transferOf('cash:vault', 'customers:bob', '5')),
    )
    expect((await ada.get(`${at}/entries/${theirs.body.id}`)).status).toBe(404)
    const hers = accepted(
      await ada.post(`${at}/transfers`, transferOf('customers:ada', 'customers:bob', '7')),
    )
    const { lines } = (await ada.get(`${at}/entries/${hers.body.id}`)).body
    expect(lines).toMatchObject([{ balance: '893' }, { account: 'customers:bob', balance: '' }])
    // Nor does the answer to the posting itself give it away.
    expect(hers.body.lines).toMatchObject([{ balance: '893' }, { balance: '' }])
  })

  test.each([
    ['takes from another', transferOf('customers:bob', 'customers:ada', '1')],
    ['takes from the bank', transferOf('cash:vault', 'customers:ada', '1')],
    ['pays into the accounts of the bank', transferOf('customers:ada', 'income:fees', '1')],
  ])('%s: refused, as if there were no such account', async (_what, body) => {
    const ada = await daybook.as('customer')
    expect((await ada.post(`${at}/transfers`, body)).body).toMatchObject({
      status: 404,
      code: 'ACCOUNT_NOT_FOUND',
    })
  })

  test('cannot end the session of somebody else', async () => {
    const ada = await daybook.as('customer')
    const teller = await daybook.as('cashier')
    const reply = await ada.post(`/v1/me/sessions/${teller.session}/end`, {})
    expect(reply.body).toMatchObject({ status: 404, code: 'SESSION_NOT_FOUND' })
    expect((await teller.get('/v1/me')).status).toBe(200)
  })
})
