import { beforeAll, describe, expect, test } from 'vitest'
import { accepted, openBank, transferOf } from '../support/bank.ts'
import type { Client } from '../support/client.ts'
import { useDaybook } from '../support/stack.ts'

const daybook = useDaybook()
const ADA = 'customers:ada'
const BOB = 'customers:bob'
const policy = '/v1/risk/policies/gated'
let at = ''
let admin: Client
let manager: Client
let ada: Client

const balance = async () => (await admin.get(`${at}/accounts/${ADA}/balance`)).body
const pay = (amount: string, more: object = {}, headers = {}) =>
  ada.post(`${at}/transfers`, transferOf(ADA, BOB, amount, more), headers)
const list = (name: string) =>
  admin.post(`${policy}/lists/${name}`, { account: BOB, reason: 'A test' }).then(accepted)
const unlist = (name: string) =>
  admin.send('DELETE', `${policy}/lists/${name}/${BOB}`).then(accepted)

const hold = async (amount: string): Promise<string> => {
  const { status, body } = accepted(await pay(amount, { risk: 'gate' }))
  expect([status, body.status]).toEqual([202, 'held'])
  return body.id
}

beforeAll(async () => {
  admin = await daybook.as('admin')
  manager = await daybook.as('manager')
  ada = await daybook.as('customer')
  at = await openBank(admin, 'gated', ada.id)
  accepted(await admin.post(`${at}/transfers`, transferOf('cash:vault', ADA, '50000')))
})

describe('a gated transfer', () => {
  test('that looks like any other is posted, and its owner is not told how it was judged', async () => {
    const { status, body } = accepted(await pay('1000', { risk: 'gate' }))
    expect(status).toBe(201)
    expect(body).not.toHaveProperty('screening')
    expect(await balance()).toMatchObject({ balance: '49000', held: '0' })
  })

  test('to a watched account is held until somebody else approves, once', async () => {
    await list('watch')
    const id = await hold('2000')
    expect(await balance()).toMatchObject({ balance: '49000', held: '2000' })
    const shown = (await manager.get(`${at}/screened-transfers/${id}`)).body
    expect(shown).toMatchObject({
      ...{ status: 'held', from: ADA, to: BOB, amount: '2000', asked_by: ada.id },
      screening: { outcome: 'hold', score: { decision: 'review', by: 'list' }, policy: 0 },
    })
    const approve = `${at}/screened-transfers/${id}/approve`
    expect((await ada.post(approve, {})).body).toMatchObject({ code: 'NOT_PERMITTED' })
    const both = await Promise.all([manager.post(approve, {}), admin.post(approve, {})])
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409])
    expect(await balance()).toMatchObject({ balance: '47000', held: '0' })
    const after = (await manager.get(`${at}/screened-transfers/${id}`)).body
    expect(after).toMatchObject({ status: 'approved' })
    const entry = (await admin.get(`${at}/entries/${id}`)).body
    expect(entry).toMatchObject({ entry: id, kind: 'transfer', captures: id })
  })

  test('that is declined gives the money back', async () => {
    const id = await hold('3000')
    const reason = { reason: 'She did not ask for it' }
    accepted(await manager.post(`${at}/screened-transfers/${id}/decline`, reason))
    expect(await balance()).toMatchObject({ balance: '47000', held: '0' })
    const { items } = (await manager.get(`${at}/screened-transfers?status=declined`)).body
    expect(items).toMatchObject([{ transfer: id, decided_by: manager.id, ...reason }])
    await unlist('watch')
  })

  test('to a blocked account is refused, moves nothing and is written down', async () => {
    await list('block')
    const key = { 'Idempotency-Key': 'blocked' }
    const refused = await pay('4000', { risk: 'gate' }, key)
    expect(refused.body).toMatchObject({ status: 422, code: 'TRANSFER_DECLINED' })
    await unlist('block')
    // What was decided stands, also when it would be decided otherwise by now.
    const again = await pay('4000', { risk: 'gate' }, key)
    expect(again.body).toMatchObject({ code: 'TRANSFER_DECLINED', facts: refused.body.facts })
    expect(await balance()).toMatchObject({ balance: '47000', held: '0' })
    const id = refused.body.facts.transfer
    const shown = (await manager.get(`${at}/screened-transfers/${id}`)).body
    expect(shown).toMatchObject({ status: 'declined', decided_by: null })
  })

  test('is one that the account says is gated', async () => {
    await list('block')
    accepted(await pay('100'))
    accepted(await admin.put(`${at}/accounts/${ADA}/risk`, { risk: 'gate' }))
    expect((await pay('100')).body).toMatchObject({ code: 'TRANSFER_DECLINED' })
    accepted(await admin.put(`${at}/accounts/${ADA}/risk`, { risk: 'none' }))
    accepted(await pay('100'))
    await unlist('block')
  })

  test('that lacks the money is refused for that, whatever the gate says', async () => {
    await list('block')
    const { body } = await pay('9999999', { risk: 'gate' })
    expect(body).toMatchObject({ code: 'INSUFFICIENT_FUNDS' })
  })
})
