import { beforeEach, expect, test } from 'vitest'
import { accepted } from '../support/bank.ts'
import { type Client, createClient, eventually } from '../support/client.ts'
import { administrator, doorOf } from '../support/machine.ts'
import { useDaybook } from '../support/stack.ts'
import { allAt, parseXml, textAt } from '../xml-support.ts'

const daybook = useDaybook({ DAYBOOK_TEST: '1' })
const door = doorOf(daybook)
const password = 'a long enough password'
const book = 'main'
const AT = '/v1/books/main/accounts'
const seen = { newest: 0n }
let amas: string
let kofis: string

const logIn = async (username: string): Promise<Client> => {
  const { body } = accepted(
    await createClient(daybook.url).post('/v1/tokens', { username, password }),
  )
  return createClient(daybook.url, body.access_token, { id: body.user }, seen)
}

const enrol = async (admin: Client, name: string, role: string): Promise<string> => {
  const user = { username: name, password, name: `${name} & Co`, roles: [role] }
  return accepted(await admin.post('/v1/users', user)).body.user
}

beforeEach(async () => {
  await door.reset()
  seen.newest = 0n
  await door.clock('2027-01-01T08:00:00.000Z')
  const admin = await administrator(daybook)
  accepted(await admin.post('/v1/books', { book, name: 'Main', assets: ['GHS/2'] }))
  accepted(await admin.post('/v1/books/main/payment-accounts', { asset: 'GHS/2' }))
  for (const role of ['cashier', 'manager', 'mobile_banker']) await enrol(admin, role, role)
  const open = async (name: string, amount: string): Promise<string> => {
    const customer = await enrol(admin, name, 'customer')
    const deposit = { customer, product: 'member_savings', asset: 'GHS/2', velocity_limits: [] }
    const { account } = accepted(await admin.post('/v1/books/main/deposits', deposit)).body
    const path = `/v1/books/main/deposits/${account}/opening-balance`
    accepted(await admin.post(path, { amount }))
    return account
  }
  amas = await open('ama', '1000000')
  kofis = await open('kofi', '1000')
})

const order = (more: object = {}) => ({
  ...{ book, from: amas, to: kofis, amount: '5000', frequency: 'weekly' },
  ...{ starts_on: '2027-01-04', description: 'Susu', ...more },
})

test('orders, interest and statements are for the owner and staff', async () => {
  const [ama, kofi, cashier, manager, banker] = await Promise.all(
    ['ama', 'kofi', 'cashier', 'manager', 'mobile_banker'].map(logIn),
  )
  const nobody = createClient(daybook.url)
  if (!ama || !kofi || !cashier || !manager || !banker) throw new Error('somebody is missing')
  const everybody = { nobody, kofi, banker, ama, cashier, manager }
  const statuses = async (ask: (client: Client) => Promise<{ status: number }>) => {
    const found: Record<string, number> = {}
    for (const [name, client] of Object.entries(everybody)) found[name] = (await ask(client)).status
    return found
  }
  // To others, it is not there.
  const reading = { nobody: 401, kofi: 404, banker: 404, ama: 200, cashier: 200, manager: 200 }

  expect(await statuses((client) => client.post('/v1/standing-orders', order()))).toEqual({
    ...{ nobody: 401, kofi: 404, banker: 404, ama: 201, cashier: 201, manager: 201 },
  })
  const { items } = accepted(await ama.get('/v1/standing-orders?book=main')).body
  expect(items).toHaveLength(3)
  expect((await kofi.get('/v1/standing-orders?book=main')).body.items).toEqual([])
  const one = `/v1/standing-orders/${items[0].order}`
  expect(await statuses((client) => client.get(one))).toEqual(reading)
  expect(await statuses((client) => client.get(`${one}/due-dates`))).toEqual(reading)
  const cancel = (client: Client) => client.send('DELETE', one)
  expect(await statuses(cancel)).toEqual({
    ...{ nobody: 401, kofi: 404, banker: 404, ama: 200, cashier: 409, manager: 409 },
  })

  const rate = (client: Client) => client.put(`${AT}/${amas}/interest`, { rate_bp: 850 })
  expect(await statuses(rate)).toEqual({
    ...{ nobody: 401, kofi: 403, banker: 403, ama: 403, cashier: 403, manager: 200 },
  })
  expect(await statuses((client) => client.get(`${AT}/${amas}/interest`))).toEqual(reading)
  expect(await statuses((client) => client.get(`${AT}/${amas}/interest/periods`))).toEqual(reading)
  const settle = (client: Client) => client.post(`${AT}/${amas}/interest/settlement`, {})
  expect(await statuses(settle)).toEqual({
    ...{ nobody: 401, kofi: 403, banker: 403, ama: 403, cashier: 403, manager: 409 },
  })

  const days = { from: '2027-01-01', to: '2027-01-01', format: 'camt.053' }
  const state = (client: Client) => client.post(`${AT}/${amas}/statements`, days)
  expect(await statuses(state)).toEqual({
    ...{ nobody: 401, kofi: 404, banker: 403, ama: 202, cashier: 202, manager: 202 },
  })
  const made = await eventually(
    'a statement is made',
    () => ama.get(`${AT}/${amas}/statements`),
    ({ body }) => body.items.every(({ status }: { status: string }) => status === 'completed'),
  )
  expect(made.body.items).toHaveLength(3)
  expect((await kofi.get(`${AT}/${amas}/statements`)).body.items).toEqual([])
  const statement = `/v1/statements/${made.body.items[0].statement}`
  const showing = { ...reading, banker: 403 }
  expect(await statuses((client) => client.get(statement))).toEqual(showing)
  expect(await statuses((client) => client.get(`${statement}/file`))).toEqual(showing)
})

test('a year goes by in one look of the clock, and everything adds up', async () => {
  const manager = await logIn('manager')
  accepted(await manager.put(`${AT}/${amas}/interest`, { rate_bp: 1200 }))
  const ama = await logIn('ama')
  const weekly = accepted(await ama.post('/v1/standing-orders', order())).body
  const monthly = { amount: '1', frequency: 'monthly', starts_on: '2027-01-31', count: 3 }
  const few = accepted(await ama.post('/v1/standing-orders', order(monthly))).body
  const large = { amount: '500000', frequency: 'once', starts_on: '2027-06-01' }
  const waiting = accepted(await ama.post('/v1/standing-orders', order(large))).body
  await door.clock('2028-01-03T08:00:00.000Z')

  const later = await logIn('ama')
  const duesOf = async ({ order }: { order: string }) =>
    accepted(await later.get(`/v1/standing-orders/${order}/due-dates?limit=200`)).body.items
  const dues = await duesOf(weekly)
  expect(dues).toHaveLength(53)
  expect(new Set(dues.map(({ status }: { status: string }) => status))).toEqual(
    new Set(['executed']),
  )
  expect((await duesOf(few)).map(({ due }: { due: string }) => due)).toEqual([
    ...['2027-03-31', '2027-02-28', '2027-01-31'],
  ])
  const found = accepted(await later.get(`/v1/standing-orders/${few.order}`)).body
  expect(found).toMatchObject({ status: 'completed', next_due: null })
  const [{ payment }] = await duesOf(waiting)
  expect(accepted(await later.get(`/v1/payments/${payment}`)).body).toMatchObject({
    ...{ status: 'pending', amount: '500000', requested_by: later.id },
  })
  const { items: periods } = accepted(await later.get(`${AT}/${amas}/interest/periods`)).body
  expect(periods).toHaveLength(12)
  const paid = periods.reduce((sum: bigint, { amount }: { amount: string }) => {
    return sum + BigInt(amount)
  }, 0n)
  const account = accepted(await later.get(`${AT}/${amas}`)).body
  expect(BigInt(account.balance)).toBe(1_000_000n - 53n * 5000n - 3n + paid)

  const asked = { from: '2027-01-01', to: '2028-01-03', format: 'camt.053' }
  const { statement } = accepted(await later.post(`${AT}/${amas}/statements`, asked)).body
  const file = await eventually(
    'the statement is made',
    () => later.get(`/v1/statements/${statement}/file`),
    ({ status }) => status === 200,
  )
  expect(file.headers.get('content-type')).toBe('application/xml')
  const [read] = allAt(parseXml(file.text), 'BkToCstmrStmt/Stmt')
  if (!read) throw new Error('there is no statement in it')
  expect(textAt(read, 'Acct/Ownr/Nm')).toBe('ama & Co')
  const minor = (text: string | undefined) => BigInt((text ?? '').replace('.', ''))
  const [opening, closing] = allAt(read, 'Bal/Amt').map(({ text }) => minor(text))
  const net = allAt(read, 'Ntry').reduce((sum, entry) => {
    const size = minor(textAt(entry, 'Amt'))
    return textAt(entry, 'CdtDbtInd') === 'DBIT' ? sum - size : sum + size
  }, opening ?? 0n)
  expect([net, closing]).toEqual([BigInt(account.balance), BigInt(account.balance)])

  const { totals } = accepted(
    await (await administrator(daybook)).get('/v1/books/main/trial-balance'),
  ).body
  expect(totals).toMatchObject([{ asset: 'GHS/2', difference: '0' }])
})
