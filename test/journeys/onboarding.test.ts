import { beforeAll, expect, test } from 'vitest'
import { useAudit } from '../support/audit.ts'
import { accepted } from '../support/bank.ts'
import { createClient } from '../support/client.ts'
import { administrator, doorOf } from '../support/machine.ts'
import { logInAt, person } from '../support/savings.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook({ DAYBOOK_TEST: '1' })
const door = doorOf(daybook)
const differences = useAudit(daybook)
const given = {
  users: [person('cashier', 'cashier'), person('mary', 'manager'), person('max', 'manager')],
}

beforeAll(async () => {
  await door.reset()
  accepted(await door.knock('given', { contract: 'coastal', given }))
})

const logIn = (email: string, secret?: string) => logInAt(daybook.url, email, secret)

const totals = async () => {
  // Which waits until the read models show everything.
  await door.clock(null)
  const admin = await administrator(daybook)
  return accepted(await admin.get('/v1/books/main/trial-balance')).body.totals
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
  expect(await totals()).toMatchObject([{ asset: 'GHS/2', difference: '0' }])
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

  // All is zero again, so that there is nothing to add up.
  expect(await totals()).toEqual([])
  expect(await differences()).toMatchObject({ total: 0 })
})
