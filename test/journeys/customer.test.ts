import { beforeAll, describe, expect, test } from 'vitest'
import { accepted, openBank, transferOf } from '../support/bank.ts'
import { type Client, eventually } from '../support/client.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook()
const ADA = 'customers:ada'
const BOB = 'customers:bob'
let at = ''
let admin: Client
let teller: Client
let ada: Client

const balance = async (account = ADA) => (await admin.get(`${at}/accounts/${account}/balance`)).body
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()

beforeAll(async () => {
  admin = await daybook.as('admin')
  teller = await daybook.as('cashier')
  ada = await daybook.as('customer')
  at = await openBank(admin, 'day', ada.id)
})

describe("a customer's day", () => {
  test('begins with cash over the counter', async () => {
    const deposit = transferOf('cash:vault', ADA, '50000', { kind: 'deposit' })
    const { body } = accepted(await teller.post(`${at}/transfers`, deposit))
    expect(body.lines[1]).toMatchObject({ account: ADA, balance: '50000' })
    expect(await balance()).toMatchObject({ balance: '50000', held: '0', available: '50000' })
  })

  test('goes on with a cheque that is held until it is good, and then is', async () => {
    const cheque = { ...transferOf('cash:vault', ADA, '20000'), hold_until: inSeconds(2) }
    accepted(await admin.post(`${at}/transfers`, cheque))
    expect(await balance()).toMatchObject({ balance: '70000', held: '20000', available: '50000' })
    const tooMuch = await ada.post(`${at}/transfers`, transferOf(ADA, BOB, '50001'))
    expect(tooMuch.body).toMatchObject({ status: 422, code: 'INSUFFICIENT_FUNDS' })
    // The clock frees it by itself.
    await eventually('the cheque is good', balance, ({ held }) => held === '0')
    const holds = (await admin.get(`${at}/holds?account=${ADA}`)).body.items
    expect(holds).toMatchObject([{ kind: 'deposit', left: '0', status: 'expired' }])
  })

  test('has rent paid to Bob, by herself', async () => {
    accepted(
      await ada.post(`${at}/transfers`, transferOf(ADA, BOB, '30000', { description: 'Rent' })),
    )
    const { items } = (await ada.get(`${at}/accounts/${ADA}/lines`)).body
    expect(items[0]).toMatchObject({ description: 'Rent', amount: '30000', balance: '40000' })
    expect((await ada.get(`${at}/accounts/${BOB}`)).status).toBe(404)
  })

  test('has a hotel that holds, takes a part and gives back the rest', async () => {
    const hold = { account: ADA, amount: '15000', description: 'Hotel' }
    const { body } = accepted(await teller.post(`${at}/holds`, hold))
    accepted(await teller.post(`${at}/holds/${body.id}/captures`, { to: BOB, amount: '5000' }))
    const part = await teller.get(`${at}/holds/${body.id}`)
    expect(part.body).toMatchObject({ left: '10000', status: 'open' })
    const last = { to: BOB, amount: '4000', final: true }
    accepted(await teller.post(`${at}/holds/${body.id}/captures`, last))
    expect((await teller.get(`${at}/holds/${body.id}`)).body).toMatchObject({ status: 'captured' })
    const again = await teller.post(`${at}/holds/${body.id}/release`, {})
    expect(again.body).toMatchObject({ status: 409, code: 'HOLD_NOT_OPEN' })
  })

  test('has a mistake taken back, once', async () => {
    const slip = transferOf(ADA, BOB, '777')
    const { body } = accepted(await teller.post(`${at}/transfers`, slip))
    const manager = await daybook.as('manager')
    const address = `${at}/entries/${body.id}/reversal`
    expect((await teller.post(address, {})).status).toBe(403)
    expect(accepted(await manager.post(address, {})).body).toMatchObject({ reverses: body.id })
    expect((await manager.post(address, {})).body).toMatchObject({ code: 'ENTRY_REVERSED' })
    const original = (await manager.get(`${at}/entries/${body.id}`)).body
    expect(original.reversed_by).toBeTruthy()
  })

  test('has her card stolen: nothing moves until it is found', async () => {
    accepted(await admin.post(`${at}/accounts/${ADA}/freeze`, { reason: 'stolen card' }))
    const refused = await ada.post(`${at}/transfers`, transferOf(ADA, BOB, '1'))
    expect(refused.body).toMatchObject({ status: 422, code: 'ACCOUNT_FROZEN' })
    accepted(await admin.post(`${at}/accounts/${ADA}/unfreeze`, { reason: 'found' }))
    accepted(await ada.post(`${at}/transfers`, transferOf(ADA, BOB, '1')))
  })

  test('ends with books that balance, and are closed', async () => {
    const { body } = await admin.get(`${at}/trial-balance`)
    expect(body.totals).toMatchObject([{ asset: 'USD/2', difference: '0' }])
    expect(BigInt(body.totals[0].debit)).toBeGreaterThan(0n)
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
    const closed = accepted(await admin.post(`${at}/periods`, { through: yesterday }))
    expect(closed.body).toMatchObject({ through: yesterday, entries: 0 })
    const late = transferOf(ADA, BOB, '1', { value_date: yesterday })
    expect((await admin.post(`${at}/transfers`, late)).body).toMatchObject({
      status: 422,
      code: 'PERIOD_CLOSED',
    })
    expect((await admin.get('/v1/books/day')).body).toMatchObject({ closed_through: yesterday })
  })

  test('is scored, movement by movement', async () => {
    const entries = (await admin.get(`${at}/entries?kind=transfer`)).body.items
    const newest = entries[0].entry
    const { body } = await eventually(
      'the newest transfer is scored',
      () => admin.get(`/v1/risk/scores/day/${newest}`),
      ({ status }) => status === 200,
    )
    expect(body).toMatchObject({ entry: newest, account: ADA, counterparty: BOB, amount: '1' })
    expect(body.probability).toBeGreaterThanOrEqual(0)
    expect(body.probability).toBeLessThanOrEqual(1)
  })
})

describe('the past', () => {
  test('shows what stood at a position and at an instant', async () => {
    const account = 'customers:carl'
    const open = { account, type: 'liability', asset: 'USD/2', name: 'Carl' }
    const opened = accepted(await admin.post(`${at}/accounts`, open))
    const moments: { position: string; booked: string }[] = []
    for (const amount of ['100', '20', '3']) {
      const { headers, body } = accepted(
        await admin.post(`${at}/transfers`, transferOf('cash:vault', account, amount)),
      )
      const position = headers.get('consistency-token') ?? ''
      moments.push({ position, booked: body.booked_at })
      // Instants are milliseconds: the next entry must not be in the same one.
      await eventually(
        'time passes',
        async () => Date.now(),
        (now) => now > Date.parse(body.booked_at),
      )
    }
    const past = async (when: string) =>
      (await admin.get(`${at}/accounts/${account}/balance?at=${when}`)).body.balance
    const before = opened.headers.get('consistency-token') ?? ''
    expect(await past(before)).toBe('0')
    for (const [index, expected] of ['100', '120', '123'].entries()) {
      expect(await past(moments[index]?.position ?? '')).toBe(expected)
      expect(await past(moments[index]?.booked ?? '')).toBe(expected)
    }
    const trial = (await admin.get(`${at}/trial-balance?at=${moments[1]?.position}`)).body
    expect(trial.totals).toMatchObject([{ difference: '0' }])
  })
})
