import { beforeEach, expect, test } from 'vitest'
import { accepted } from '../support/bank.ts'
import { administrator, doorOf } from '../support/machine.ts'
import { logInAt, person } from '../support/savings.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook({ DAYBOOK_TEST: '1' })
const door = doorOf(daybook)
const given = {
  users: [person('ama', 'customer'), person('kofi', 'customer'), person('boss', 'admin')],
  accounts: [
    { ref: 'amas', owner: 'ama', balance: '1000.00' },
    { ref: 'kofis', owner: 'kofi', balance: '0.00' },
  ],
}
let refs: Record<string, { id: number; account: string }>

beforeEach(async () => {
  await door.reset()
  refs = accepted(await door.knock('given', { contract: 'coastal', given })).body.refs
})

const logIn = (ref: string) => logInAt(daybook.url, `${ref}@example.com`)

const transfer = (amount: string) => ({
  ...{ transaction_type: 'transfer', amount },
  ...{ from_account: refs.amas?.id, to_account: refs.kofis?.id },
})

test('what a rule blocks is critical, what it reviews is high, and each is one case', async () => {
  const admin = await administrator(daybook)
  const rule = (outcome: string, at_least: number) => ({
    ...{ description: outcome, outcome, mode: 'live', when: [{ field: 'amount', at_least }] },
  })
  accepted(await admin.put('/v1/risk/policies/main/rules/large', rule('review', 100)))
  accepted(await admin.put('/v1/risk/policies/main/rules/larger', rule('block', 200)))
  const [ama, boss] = await Promise.all([logIn('ama'), logIn('boss')])

  const found: object[] = []
  for (const amount of ['10.00', '100.00', '200.00']) {
    const { body } = accepted(await ama.post('/transactions/', transfer(amount)))
    const analyzed = await ama.post('/ml/fraud/analyze/', { transaction_id: body.id })
    found.push(accepted(analyzed).body.analysis)
  }
  expect(found).toMatchObject([
    { is_anomaly: false },
    { is_anomaly: true, risk_level: 'high' },
    { is_anomaly: true, risk_level: 'critical' },
  ])

  const analyzeAll = async () => {
    const { body } = accepted(await boss.post('/ml/fraud/batch-analyze/', { hours: 24 }))
    // The clock's catching up waits for what is done in the background.
    await door.clock(new Date().toISOString())
    return accepted(await (await logIn('boss')).get(`/ml/fraud/tasks/${body.task_id}/`)).body
  }
  expect(await analyzeAll()).toMatchObject({
    ...{ status: 'completed', analyzed: 3, anomalies: 2, alerts: 2 },
    transactions: [{ risk_level: expect.any(String) }, { risk_level: expect.any(String) }],
  })
  expect(await analyzeAll()).toMatchObject({ analyzed: 3, anomalies: 2, alerts: 0 })
  const { body } = accepted(await admin.get('/v1/risk/cases?book=main'))
  expect(body.items).toHaveLength(2)
})

test('a payment of the one product is listed, decided about and booked in the native API', async () => {
  accepted(
    await (await logIn('ama')).post('/transactions/', {
      ...{ transaction_type: 'deposit', to_account: refs.amas?.id, amount: '7000.00' },
    }),
  )
  const admin = await administrator(daybook)
  const pending = accepted(await admin.get('/v1/payments?book=main&status=pending')).body.items
  expect(pending).toMatchObject([{ kind: 'deposit', amount: '700000', to: refs.amas?.account }])
  const path = `/v1/payments/${pending[0].payment}/approve`
  const approved = accepted(await admin.post(path, {}))
  expect(approved.body).toMatchObject({ status: 'completed' })
  const entry = accepted(await admin.get(`/v1/books/main/entries/${pending[0].payment}`)).body
  expect(entry).toMatchObject({ kind: 'deposit', reference: pending[0].reference })
  const { body } = await (await logIn('ama')).get(`/accounts/${refs.amas?.id}/`)
  expect(body.balance).toBe('8000.00')
})
