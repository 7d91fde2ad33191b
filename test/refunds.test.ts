import { describe, expect, test } from 'vitest'
import { createEngine } from '../commands/engine.ts'
import { reverseEntry } from '../commands/ledger/index.ts'
import { carryOutPayment, openPaymentAccounts, requestPayment } from '../commands/payments/index.ts'
import { approveRefund, processRefund, rejectRefund, requestRefund } from '../commands/refunds.ts'
import { entriesOf } from '../domain/ledger/events.ts'
import { Refund, type RefundRequest } from '../domain/refunds.ts'
import { answerOf, BENS, CHECKING, codeOf, NOON, openBranch } from './machine-support.ts'
import { noSnapshots } from './support/memory.ts'
import { spec } from './support/spec.ts'

const book = 'main'
const second = { actor: { id: 'second', roles: ['manager' as const] } }

const request: RefundRequest = {
  ...{ payment: 'p1', refund: 'r1', number: 1, book, amount: '6000', asset: 'USD/2' },
  ...{ payment_amount: '10000', debit: BENS, credit: CHECKING, from_owner: 'ada' },
  ...{ to_owner: 'ben', reason: 'other', subject: 'ada', description: '' },
  ...{ requested_by: 'carl', requested_at: NOON },
}
const requested = { type: 'RefundRequested', data: request } as const
const ids = { payment: 'p1', refund: 'r1' }
const approval = (by: string) => ({ ...ids, approved_by: by, approved_at: NOON })
const rejection = (by: string) => ({ ...ids, reason: '', rejected_by: by, rejected_at: NOON })
const completion = { ...ids, entry: 'r1', processed_at: NOON }
const failure = { ...ids, code: 'INSUFFICIENT_FUNDS', detail: 'Too little', failed_at: NOON }
const approved = { type: 'RefundApproved', data: approval('dora') } as const
const rejected = { type: 'RefundRejected', data: rejection('dora') } as const
const processed = { type: 'RefundProcessed', data: completion } as const
const failed = { type: 'RefundFailed', data: failure } as const
const another = (amount: string) => ({ ...request, refund: 'r2', number: 2, amount })

describe('refunds of a payment', () => {
  const given = spec(Refund).given

  test('are together never more than it; those that came to nothing do not count', () => {
    for (const before of [[requested], [requested, approved], [requested, approved, processed]]) {
      given(before).when('request', another('4000')).happens('RefundRequested')
      given(before)
        .when('request', another('4001'))
        .rejects('REFUND_EXCEEDS_PAYMENT', { left: '4000' })
    }
    for (const before of [
      [requested, rejected],
      [requested, approved, failed],
    ]) {
      given(before).when('request', another('10000')).happens('RefundRequested')
      given(before).when('request', another('10001')).rejects('REFUND_EXCEEDS_PAYMENT')
    }
  })

  test('are decided about once, by somebody with no part in them', () => {
    given(requested).when('approve', approval('dora')).gives(approved)
    given(requested).when('reject', rejection('dora')).gives(rejected)
    for (const by of ['carl', 'ada', 'ben']) {
      given(requested).when('approve', approval(by)).rejects('MAKER_IS_CHECKER')
      given(requested).when('reject', rejection(by)).rejects('MAKER_IS_CHECKER')
    }
    for (const before of [
      [requested, approved],
      [requested, rejected],
    ]) {
      given(before).when('approve', approval('eve')).rejects('REFUND_NOT_PENDING')
      given(before).when('reject', rejection('eve')).rejects('REFUND_NOT_PENDING')
    }
    given().when('approve', approval('dora')).rejects('REFUND_NOT_FOUND')
  })

  test('are settled only when they were let pass, and once', () => {
    given(requested, approved).when('complete', completion).gives(processed)
    given(requested, approved).when('fail', failure).gives(failed)
    given(requested, approved, failed).when('complete', completion).gives(processed)
    for (const before of [[requested], [requested, rejected], [requested, approved, processed]]) {
      given(before).when('complete', completion).happens()
      given(before).when('fail', failure).happens()
    }
  })
})

describe('giving a payment back', () => {
  /** Ada has paid Ben 100.00 out of 1,000.00; he had 100.00 before. */
  const open = async () => {
    const branch = await openBranch()
    const { ask, ports } = branch
    answerOf(await ask(openPaymentAccounts, { book, asset: 'USD/2' }))
    const ada = await branch.holder(CHECKING)
    const sides = { kind: 'transfer' as const, from: CHECKING, to: BENS }
    const { payment } = answerOf(
      await ask(requestPayment, { book, ...sides, amount: '10000' }, ada),
    )
    answerOf(await ask(carryOutPayment, { payment }))
    const first = { actor: { id: 'first', roles: ['manager' as const] } }
    const askBack = (amount: string, context: object = first) =>
      ask(requestRefund, { payment, amount, reason: 'other' }, context)
    const approve = (refund: string) => ask(approveRefund, { payment, refund }, second)
    const process = (refund: string, more: object = {}) =>
      ask(processRefund, { payment, refund }, more)
    const entry = (id: string) =>
      ports.store.log.flatMap((event) =>
        entriesOf(event as { type: string; data: object }).filter((one) => one.id === id),
      )[0]
    return { ...branch, ada, payment, askBack, approve, process, entry }
  }

  test('takes the entry back when it is all of it, and names the payment when it is less', async () => {
    const { ask, payment, askBack, approve, process, entry, stands } = await open()
    const part = answerOf(await askBack('2500')).refund
    answerOf(await approve(part))
    answerOf(await process(part))
    expect(entry(part)).toMatchObject({ kind: 'refund', metadata: { refund: part, payment } })
    expect(entry(part)?.reverses).toBeUndefined()
    expect((await stands(CHECKING)).balance).toBe(92_500n)

    const other = await open()
    const whole = answerOf(await other.askBack('10000')).refund
    answerOf(await other.approve(whole))
    answerOf(await other.process(whole))
    expect(other.entry(whole)?.reverses).toBe(other.payment)
    expect((await other.stands(BENS)).balance).toBe(10_000n)
    const again = { book, entry: other.payment }
    expect(codeOf(await other.ask(reverseEntry, again))).toBe('ENTRY_REVERSED')
    expect(codeOf(await ask(reverseEntry, { book, entry: part }))).toBeUndefined()
  })

  test('is not done for what was taken back by hand', async () => {
    const { ask, payment, askBack, approve, process, stands } = await open()
    const { refund: waiting } = answerOf(await askBack('4000'))
    const { refund } = answerOf(await askBack('6000'))
    answerOf(await approve(refund))
    answerOf(await ask(reverseEntry, { book, entry: payment }))
    expect(codeOf(await approve(waiting))).toBe('ENTRY_REVERSED')
    expect(codeOf(await process(waiting))).toBe('REFUND_NOT_APPROVED')
    expect(codeOf(await process(refund))).toBe('ENTRY_REVERSED')
    expect((await stands(CHECKING)).balance).toBe(100_000n)
  })

  test('moves the money once, whoever asks for it and however often', async () => {
    const { ports, askBack, approve, process, stands } = await open()
    const other = { ...ports, engine: createEngine(ports.store, noSnapshots) }
    const { refund } = answerOf(await askBack('10000'))
    answerOf(await approve(refund))
    expect((await stands(CHECKING)).balance).toBe(90_000n)
    const all = [
      ...Array.from({ length: 10 }, () => process(refund)),
      ...Array.from({ length: 5 }, () => process(refund, { ports: other })),
    ]
    expect((await Promise.all(all)).map(codeOf)).toEqual(all.map(() => undefined))
    expect((await stands(CHECKING)).balance).toBe(100_000n)
  })

  test('waits while whoever got it has not got it, and fails when that is found out too late', async () => {
    const { ask, holder, askBack, approve, process, stands, types, payment } = await open()
    const { refund } = answerOf(await askBack('10000'))
    const ben = await holder(BENS)
    const spend = async (amount: string) => {
      const asked = { book, kind: 'withdrawal' as const, from: BENS, amount }
      const spent = answerOf(await ask(requestPayment, asked, ben)).payment
      answerOf(await ask(carryOutPayment, { payment: spent }))
    }
    await spend('10001')
    expect(codeOf(await approve(refund))).toBe('INSUFFICIENT_FUNDS')
    expect(types(`refund-${payment}`)).toEqual(['RefundRequested'])
    answerOf(await ask(rejectRefund, { payment, refund }, second))
    const { refund: less } = answerOf(await askBack('9999'))
    answerOf(await approve(less))
    await spend('1')
    expect(codeOf(await process(less))).toBe('INSUFFICIENT_FUNDS')
    expect(codeOf(await process(less))).toBe('INSUFFICIENT_FUNDS')
    expect(types(`refund-${payment}`).at(-1)).toBe('RefundFailed')
    expect((await stands(CHECKING)).balance).toBe(90_000n)
  })

  test('is asked for by managers and those above', async () => {
    const { askBack, ask, payment } = await open()
    for (const role of ['customer', 'cashier', 'mobile_banker'] as const) {
      expect(codeOf(await askBack('1', { actor: { id: 'x', roles: [role] } }))).toBe(
        'NOT_PERMITTED',
      )
    }
    expect(codeOf(await askBack('1', { actor: { id: 'x', roles: ['manager'] } }))).toBeUndefined()
    const none = { payment: 'none', amount: '1', reason: 'other' as const }
    expect(codeOf(await ask(requestRefund, none))).toBe('PAYMENT_NOT_FOUND')
    expect(codeOf(await ask(approveRefund, { payment, refund: 'none' }, second))).toBe(
      'REFUND_NOT_FOUND',
    )
  })
})
