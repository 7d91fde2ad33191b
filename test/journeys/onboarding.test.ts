import { beforeAll, expect, test } from 'vitest'
import { eventSchemas } from '../../domain/index.ts'
import { verify } from '../../infra/audit/index.ts'
import { connectEventStore } from '../../infra/eventstore/client.ts'
import { connectPostgres } from '../../infra/postgres/pool.ts'
import { findRunning } from '../../infra/running.ts'
import { projections } from '../../projections/index.ts'
import { accepted } from '../support/bank.ts'
import { createClient, type Reply } from '../support/client.ts'
import { administrator, doorOf } from '../support/machine.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook({ DAYBOOK_TEST: '1' })
const door = doorOf(daybook)
const password = 'password123'
const person = (ref: string, role: string) => ({
  ...{ ref, role, password, email: `${ref}@example.com` },
})
const given = {
  users: [person('cashier', 'cashier'), person('mary', 'manager'), person('max', 'manager')],
}

beforeAll(async () => {
  await door.reset()
  accepted(await door.knock('given', { contract: 'coastal', given }))
})

/** Somebody in the bank's own way, with a token instead of cookies. */
const logIn = async (email: string, secret = password) => {
  const { headers } = accepted(
    await createClient(daybook.url).post('/api/users/auth/login/', { email, password: secret }),
  )
  const [cookie = ''] = headers.getSetCookie().filter((one) => one.startsWith('access='))
  const own = { Authorization: `Bearer ${/^access=([^;]+)/.exec(cookie)?.[1]}` }
  return {
    get: (path: string): Promise<Reply> => createClient(daybook.url).get(`/api${path}`, own),
    post: (path: string, body: object = {}): Promise<Reply> =>
      createClient(daybook.url).post(`/api${path}`, body, own),
  }
}

const differences = async (): Promise<unknown> => {
  const running = findRunning(daybook.directory)
  if (!running) throw new Error('Daybook is not running')
  const store = connectEventStore({ url: running.eventStoreUrl })
  const database = await connectPostgres({ url: running.databaseUrl, name: 'journey', max: 2 })
  const { signal } = new AbortController()
  const report = await verify({ store, database, projections, schemas: eventSchemas, signal })
  await Promise.all([store.close(), database.end()])
  return report.differences
}

const jane = {
  ...{ account_type: 'daily_susu', id_type: 'ghana_card', id_number: 'GHA-123456789-0' },
  ...{ first_name: 'Jane', last_name: 'Smith', date_of_birth: '1992-05-15' },
  ...{ phone_number: '0247654321', email: 'jane@example.com' },
}

test('a customer comes, saves, takes her money and goes', async () => {
  const [cashier, mary, max] = await Promise.all([
    ...[logIn('cashier@example.com'), logIn('mary@example.com'), logIn('max@example.com')],
  ] as const)
  const { id } = accepted(await cashier.post('/banking/account-openings/', jane)).body
  const opening = `/banking/account-openings/${id}`
  const { data } = accepted(await mary.post(`${opening}/approve/`)).body
  expect(data).toMatchObject({ status: 'approved', created_account: expect.any(Number) })
  accepted(await mary.post(`${opening}/dispatch-credentials/`))
  const [message] = accepted(await createClient(daybook.url).get('/test/outbox')).body.items
  expect(message).toMatchObject({ recipient: jane.phone_number, purpose: 'first_password' })

  const customer = await logIn(jane.email, message.secret)
  const account = `/accounts/${data.created_account}/`
  expect(accepted(await customer.get(account)).body).toMatchObject({
    ...{ balance: '0.00', is_active: true, user: data.created_user },
  })
  const cash = { member_id: data.created_user, account_type: 'daily_susu', amount: '250.00' }
  accepted(await cashier.post('/transactions/process/', { ...cash, type: 'deposit' }))
  expect(accepted(await customer.get(account)).body.balance).toBe('250.00')
  const closing = { account_id: data.created_account, closure_reason: 'customer_request' }
  expect((await mary.post('/banking/account-closures/', closing)).status).toBe(400)
  accepted(await cashier.post('/transactions/process/', { ...cash, type: 'withdrawal' }))

  const filed = accepted(await mary.post('/banking/account-closures/', closing)).body
  const approval = `/banking/account-closures/${filed.id}/approve/`
  expect(accepted(await max.post(approval)).body.data).toMatchObject({
    ...{ status: 'approved', final_balance: '0.00' },
  })
  expect(accepted(await customer.get(account)).body.is_active).toBe(false)
  const late = await cashier.post('/transactions/process/', { ...cash, type: 'deposit' })
  expect(late.status).toBe(400)

  const admin = await administrator(daybook)
  const { body } = accepted(await admin.get('/v1/books/main/trial-balance'))
  expect(body.totals).toMatchObject([{ asset: 'GHS/2', difference: '0' }])
  expect(await differences()).toMatchObject({ total: 0 })
})
