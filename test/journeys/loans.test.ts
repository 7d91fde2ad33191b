import { beforeEach, expect, test } from 'vitest'
import { useAudit } from '../support/audit.ts'
import { accepted } from '../support/bank.ts'
import { administrator, doorOf } from '../support/machine.ts'
import { logInAt, type Person, person } from '../support/savings.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook({ DAYBOOK_TEST: '1' })
const door = doorOf(daybook)
const differences = useAudit(daybook)
const given = {
  users: [person('ama', 'customer'), person('boss', 'manager'), person('chief', 'manager')],
  accounts: [{ ref: 'amas', owner: 'ama', balance: '500.00' }],
}
let refs: Record<string, { id: number; account: string }>

beforeEach(async () => {
  await door.reset()
  // Far ahead of the real clock, which runs until then.
  await door.clock('2090-01-31T09:00:00Z')
  refs = accepted(await door.knock('given', { contract: 'coastal', given })).body.refs
})

/** Anew each time, because the clock leaves every token behind. */
const logIn = (ref: string) => logInAt(daybook.url, `${ref}@example.com`)

const file = async (ama: Person, terms: object = {}): Promise<number> => {
  const loan = { amount: '1000.00', interest_rate: '24.00', term_months: 3, ...terms }
  return accepted(await ama.post('/loans/', loan)).body.id
}

/** Minor units; undefined where nothing was ever booked. */
const balanceOf = async (account: string): Promise<string | undefined> =>
  (await (await administrator(daybook)).get(`/v1/books/main/accounts/${account}/balance`)).body
    .balance

const expectBalanced = async (): Promise<void> => {
  const admin = await administrator(daybook)
  const { totals } = accepted(await admin.get('/v1/books/main/trial-balance')).body
  expect(totals.map(({ difference }: { difference: string }) => difference)).toEqual(['0'])
  expect(await differences()).toMatchObject({ total: 0 })
}

test.each(['simple', 'declining_balance'])(
  'a loan with %s interest goes from its filing to its last instalment',
  async (loan_type) => {
    const id = await file(await logIn('ama'), { loan_type })
    const loan = accepted(await (await logIn('boss')).post(`/loans/${id}/approve/`)).body
    const { instalments } = accepted(await (await logIn('ama')).get(`/loans/${id}/schedule/`)).body
    expect(instalments.map(({ due_date }: { due_date: string }) => due_date)).toEqual([
      ...['2090-02-28', '2090-03-31', '2090-04-30'],
    ])
    const interest = { expected: 0 }
    for (const instalment of instalments) {
      await door.clock(`${instalment.due_date}T12:00:00Z`)
      const { post } = await logIn('ama')
      const paid = accepted(await post(`/loans/${id}/repay/`, { amount: instalment.amount })).body
      expect(paid).toMatchObject({ days_past_due: 0, amount_in_arrears: '0.00' })
      interest.expected += Math.round(Number(instalment.interest) * 100)
      expect(await balanceOf('income:loan-interest:ghs')).toBe(`${interest.expected}`)
    }
    const done = accepted(await (await logIn('ama')).get(`/loans/${id}/`)).body
    expect(done).toMatchObject({ status: 'paid_off', amount_paid: loan.total_payable })
    expect(`${interest.expected}`).toBe(loan.total_interest.replace('.', ''))
    expect(await balanceOf(`loans:receivable:${id}`)).toBe('0')
    const amas = BigInt(await balanceOf(refs.amas?.account ?? '').then((text) => text ?? '0'))
    expect(amas).toBe(50_000n - BigInt(interest.expected))
    await expectBalanced()
  },
)

test('a loan that is not repaid comes into arrears, into default, and is written off', async () => {
  const id = await file(await logIn('ama'))
  accepted(await (await logIn('boss')).post(`/loans/${id}/approve/`))
  accepted(await (await logIn('ama')).post(`/loans/${id}/repay/`, { amount: '353.33' }))
  const look = async (day: string) => {
    await door.clock(`${day}T12:00:00Z`)
    return accepted(await (await logIn('boss')).get(`/loans/${id}/`)).body
  }
  expect(await look('2090-03-31')).toMatchObject({ days_past_due: 0, ageing_bucket: 'current' })
  expect(await look('2090-04-01')).toMatchObject({ days_past_due: 1, amount_in_arrears: '353.33' })
  expect(await look('2090-06-29')).toMatchObject({ days_past_due: 90, status: 'active' })
  expect(await look('2090-06-30')).toMatchObject({ days_past_due: 91, status: 'defaulted' })
  const types = async () => {
    const admin = await administrator(daybook)
    const loans = accepted(await admin.get('/v1/loans?book=main')).body.items
    const path = `/v1/streams/loan-${loans[0].loan}/events`
    return accepted(await admin.get(path)).body.items.map(({ type }: { type: string }) => type)
  }
  const missed = ['LoanInstalmentMissed', 'LoanInstalmentMissed', 'LoanDefaulted']
  expect((await types()).slice(-3)).toEqual(missed)

  const loss = { reason: 'Moved away' }
  expect((await (await logIn('boss')).post(`/loans/${id}/write-off/`, loss)).status).toBe(403)
  const written = accepted(await (await logIn('chief')).post(`/loans/${id}/write-off/`, loss)).body
  expect(written).toMatchObject({ status: 'written_off', written_off_amount: '666.67' })
  accepted(await (await logIn('ama')).post(`/loans/${id}/repay/`, { amount: '100.00' }))
  expect(
    await Promise.all(
      [
        ...[`loans:receivable:${id}`, 'expenses:loan-losses:ghs', 'income:loan-interest:ghs'],
        'income:loan-recoveries:ghs',
      ].map(balanceOf),
    ),
  ).toEqual(['0', '66667', '2000', '10000'])
  await expectBalanced()
})

test('of two managers who approve and reject at once one wins, and it is paid out at most once', async () => {
  const managers = await Promise.all([logIn('boss'), logIn('chief')])
  const id = await file(await logIn('ama'))
  const decisions = ['approve', 'approve', 'reject', 'approve', 'reject'].flatMap((decision) =>
    managers.map(({ post }) => post(`/loans/${id}/${decision}/`)),
  )
  const statuses = (await Promise.all(decisions)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  expect(statuses.filter((status) => status === 400)).toHaveLength(9)
  const { status } = accepted(await (await logIn('ama')).get(`/loans/${id}/`)).body
  const lent = status === 'active' ? 100_000n : 0n
  expect(await balanceOf(refs.amas?.account ?? '')).toBe((50_000n + lent).toString())
  await expectBalanced()
})
