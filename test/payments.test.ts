import { describe, expect, test } from 'vitest'
import { createEngine } from '../commands/engine.ts'
import { changeGating, freezeAccount, unfreezeAccount } from '../commands/ledger/index.ts'
import {
  approvePayment,
  carryOutPayment,
  openPaymentAccounts,
  requestCounterPayment,
  requestPayment,
} from '../commands/payments/index.ts'
import { legsOf, Payment, type PaymentRequest, unfitParties } from '../domain/payments.ts'
import { answerOf, BENS, CHECKING, codeOf, NOON, openBranch, SAVINGS } from './machine-support.ts'
import { noSnapshots } from './support/memory.ts'
import { spec } from './support/spec.ts'

const book = 'main'
const second = { actor: { id: 'second', roles: ['manager' as const] } }

const request: PaymentRequest = {
  ...{ payment: 'p1', number: 1, reference: 'TXN-1', book, kind: 'transfer', channel: 'online' },
  ...{ from: CHECKING, to: BENS, from_owner: 'ada', to_owner: 'ben', amount: '600000' },
  ...{ asset: 'USD/2', description: '', approval: 'needed', requested_by: 'ada' },
  requested_at: NOON,
}
const requested = { type: 'PaymentRequested', data: request } as const
const accepted = { type: 'PaymentRequested', data: { ...request, approval: 'none' } } as const
const approval = (by: string) => ({ payment: 'p1', approved_by: by, approved_at: NOON })
const rejection = (by: string) => ({
  payment: 'p1',
  reason: '',
  rejected_by: by,
  rejected_at: NOON,
})
const completion = { payment: 'p1', entry: 'p1', completed_at: NOON }
const failure = { payment: 'p1', code: 'INSUFFICIENT_FUNDS', detail: 'Too little', failed_at: NOON }
const approved = { type: 'PaymentApproved', data: approval('carl') } as const
const rejected = { type: 'PaymentRejected', data: rejection('carl') } as const
const completed = { type: 'PaymentCompleted', data: completion } as const
const failed = { type: 'PaymentFailed', data: failure } as const

describe('a payment', () => {
  const given = spec(Payment).given

  test('over the counter is taken by somebody else than the customer', () => {
    const counter = { ...request, kind: 'deposit', channel: 'counter', from: null } as const
    const deposit = { ...counter, from_owner: null, requested_by: 'carl' }
    given().when('request', deposit).gives({ type: 'PaymentRequested', data: deposit })
    given()
      .when('request', { ...deposit, requested_by: 'ben' })
      .rejects('MAKER_IS_CHECKER')
  })

  test('that waits is decided about once, by somebody with no part in it', () => {
    given(requested).when('approve', approval('carl')).gives(approved)
    given(requested).when('reject', rejection('carl')).gives(rejected)
    for (const by of ['ada', 'ben']) {
      given(requested).when('approve', approval(by)).rejects('MAKER_IS_CHECKER')
      given(requested).when('reject', rejection(by)).rejects('MAKER_IS_CHECKER')
    }
    for (const before of [[accepted], [requested, approved], [requested, rejected]]) {
      given(before).when('approve', approval('dora')).rejects('PAYMENT_NOT_PENDING')
      given(before).when('reject', rejection('dora')).rejects('PAYMENT_NOT_PENDING')
    }
  })

  test('is settled only when it was let pass, and once', () => {
    for (const before of [[requested], [requested, rejected]]) {
      given(before).when('complete', completion).happens()
      given(before).when('fail', failure).happens()
    }
    for (const before of [[accepted], [requested, approved]]) {
      given(before).when('complete', completion).gives(completed)
      given(before).when('fail', failure).gives(failed)
    }
    given(accepted, completed).when('complete', completion).happens()
    given(accepted, completed).when('fail', failure).happens()
    given(accepted, failed).when('fail', failure).happens()
  })

  test('that the ledger has booked is completed, whatever somebody else was told', () => {
    given(accepted, failed).when('complete', completion).gives(completed)
    expect(given(accepted, failed, completed).state).toMatchObject({
      ...{ status: 'completed', entry: 'p1', failure: null },
    })
  })

  test('that the gate refuses is recorded, and has failed', () => {
    const screening = { outcome: 'refuse' as const, score: null }
    given()
      .when('request', { ...request, screening })
      .happens('PaymentRequested', 'PaymentFailed')
  })
})

test.each([
  ['deposit', false, 'always'],
  ['withdrawal', true, 'never'],
  ['transfer', true, 'always'],
  ['payment', true, 'perhaps'],
  ['repayment', true, 'perhaps'],
  ['fee', true, 'never'],
] as const)('a %s is from an account: %s; to one: %s', (kind, from, to) => {
  const code = (sides: { from: string | null; to: string | null }) =>
    unfitParties({ kind, ...sides })?.refused
  const fits = (isFrom: boolean, isTo: boolean): boolean =>
    isFrom === from && (to === 'perhaps' || isTo === (to === 'always'))
  for (const isFrom of [false, true]) {
    for (const isTo of [false, true]) {
      const sides = { from: isFrom ? CHECKING : null, to: isTo ? BENS : null }
      expect(code(sides)).toBe(fits(isFrom, isTo) ? undefined : 'PAYMENT_PARTIES_UNFIT')
    }
  }
})

test('the other side is the bank, by the kind and where it is made', () => {
  const legs = (kind: PaymentRequest['kind'], channel: PaymentRequest['channel'] = 'online') => {
    const isIn = kind === 'deposit'
    const sides = { from: isIn ? null : CHECKING, to: isIn ? CHECKING : null }
    const { debit, credit } = legsOf({ kind, channel, asset: 'GHS/2', ...sides })
    return isIn ? debit : credit
  }
  expect(legs('deposit')).toBe('clearing:payments:ghs')
  expect(legs('deposit', 'counter')).toBe('cash:counter:ghs')
  expect(legs('withdrawal', 'counter')).toBe('cash:counter:ghs')
  expect(legs('withdrawal')).toBe('clearing:payments:ghs')
  expect(legs('payment')).toBe('clearing:payments:ghs')
  expect(legs('repayment')).toBe('clearing:repayments:ghs')
  expect(legs('fee')).toBe('income:fees:ghs')
})

describe('asking for a payment', () => {
  const open = async () => {
    const branch = await openBranch()
    answerOf(await branch.ask(openPaymentAccounts, { book, asset: 'USD/2' }))
    const ada = await branch.holder(CHECKING)
    const pay = (amount: string, more: object = {}, context: object = ada) =>
      branch.ask(
        requestPayment,
        { book, kind: 'transfer', from: CHECKING, to: BENS, amount, ...more },
        context,
      )
    const carryOut = (payment: string, more: object = {}) =>
      branch.ask(carryOutPayment, { payment }, more)
    return { ...branch, ada, pay, carryOut }
  }

  test('moves nothing yet; carrying it out moves it once, however often it is asked for', async () => {
    const { pay, carryOut, stands } = await open()
    const { payment, status } = answerOf(await pay('40000'))
    expect(status).toBe('accepted')
    expect((await stands(CHECKING)).balance).toBe(100_000n)
    const all = await Promise.all(Array.from({ length: 20 }, () => carryOut(payment)))
    expect(all.map(codeOf)).toEqual(all.map(() => undefined))
    expect((await stands(CHECKING)).balance).toBe(60_000n)
    expect((await stands(BENS)).balance).toBe(50_000n)
  })

  test('moves it once when another process carries it out too', async () => {
    const { ports, pay, carryOut, stands } = await open()
    const other = { ...ports, engine: createEngine(ports.store, noSnapshots) }
    const { payment } = answerOf(await pay('40000'))
    await Promise.all([carryOut(payment), carryOut(payment, { ports: other })])
    expect(codeOf(await carryOut(payment, { ports: other }))).toBeUndefined()
    expect((await stands(CHECKING)).balance).toBe(60_000n)
  })

  test('goes on, after a process that ended in between, where it had come to', async () => {
    const { pay, carryOut, stands, ada, types } = await open()
    const keyed = { ...ada, key: 'once' }
    const { payment } = answerOf(await pay('90000', {}, keyed))
    answerOf(await carryOut(payment))
    // The money of the first is what the repetition would lack.
    expect(answerOf(await pay('90000', {}, keyed)).payment).toBe(payment)
    expect(codeOf(await pay('80000', {}, keyed))).toBe('IDEMPOTENCY_KEY_REUSED')
    expect(types(`payment-${payment}`)).toEqual(['PaymentRequested', 'PaymentCompleted'])
    expect((await stands(CHECKING)).balance).toBe(10_000n)
  })

  test('what could not be booked is refused, and leaves nothing behind', async () => {
    const { pay, ports, ask } = await open()
    const before = ports.store.log.length
    expect(codeOf(await pay('100001'))).toBe('INSUFFICIENT_FUNDS')
    expect(codeOf(await pay('1', { to: 'customers:nobody' }))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await pay('1', { to: 'cash:vault' }))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await pay('1', { from: BENS, to: CHECKING }))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await pay('1', { book: 'nowhere' }))).toBe('BOOK_NOT_FOUND')
    expect(ports.store.log).toHaveLength(before)
    answerOf(await ask(freezeAccount, { book, account: BENS, reason: 'x' }))
    expect(codeOf(await pay('1'))).toBe('ACCOUNT_FROZEN')
  })

  test('a customer pays in to his own account only, staff to anybody’s', async () => {
    const { pay, ask } = await open()
    const deposit = { kind: 'deposit', from: null }
    expect(codeOf(await pay('100', { ...deposit, to: BENS }))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await pay('100', { ...deposit, to: SAVINGS }))).toBeUndefined()
    expect(codeOf(await pay('100', { ...deposit, to: BENS }, {}))).toBeUndefined()
    const counter = { book, kind: 'deposit' as const, account: BENS, amount: '100' }
    const customer = { actor: { id: 'x', roles: ['customer' as const] } }
    expect(codeOf(await ask(requestCounterPayment, counter, customer))).toBe('NOT_PERMITTED')
    expect(codeOf(await ask(requestCounterPayment, counter))).toBeUndefined()
  })

  test('from 5,000.00 on, or when it is proposed, it waits and is not carried out', async () => {
    const { pay, carryOut, ask, stands } = await open()
    const rich = { book, kind: 'deposit' as const, account: CHECKING, amount: '499999' }
    const { payment: cash } = answerOf(await ask(requestCounterPayment, rich))
    answerOf(await carryOut(cash))
    // Of transfers, less may leave the account in a day.
    const bill = { kind: 'payment', to: null }
    expect(answerOf(await pay('499999', bill)).status).toBe('accepted')
    const { payment, status } = answerOf(await pay('500000', bill))
    expect(status).toBe('pending')
    expect(codeOf(await carryOut(payment))).toBe('PAYMENT_NOT_ACCEPTED')
    expect(answerOf(await pay('1', { propose: true })).status).toBe('pending')
    answerOf(await ask(approvePayment, { payment }, second))
    answerOf(await carryOut(payment))
    expect((await stands(CHECKING)).balance).toBe(99_999n)
  })

  test('what the ledger refuses when it is carried out has failed for good', async () => {
    const { pay, carryOut, ask, stands, types } = await open()
    const { payment } = answerOf(await pay('100', { propose: true }))
    answerOf(await ask(approvePayment, { payment }, second))
    answerOf(await ask(freezeAccount, { book, account: BENS, reason: 'x' }))
    expect(codeOf(await carryOut(payment))).toBe('ACCOUNT_FROZEN')
    answerOf(await ask(unfreezeAccount, { book, account: BENS, reason: 'x' }))
    expect(codeOf(await carryOut(payment))).toBe('ACCOUNT_FROZEN')
    expect(types(`payment-${payment}`).at(-1)).toBe('PaymentFailed')
    expect((await stands(BENS)).balance).toBe(10_000n)
  })

  test('the risk gate has what looks like fraud wait or refused, where it is asked', async () => {
    const { pay, carryOut, ask, types, stands } = await open()
    expect(answerOf(await pay('107')).status).toBe('accepted')
    answerOf(await ask(changeGating, { book, account: CHECKING, risk: 'gate' }))
    expect(answerOf(await pay('100')).status).toBe('accepted')
    const held = answerOf(await pay('107'))
    expect(held.status).toBe('pending')
    const refused = await pay('109')
    expect(refused).toMatchObject({ refused: 'TRANSFER_DECLINED' })
    const { payment } = (refused as unknown as { facts: { payment: string } }).facts
    expect(types(`payment-${payment}`)).toEqual(['PaymentRequested', 'PaymentFailed'])
    expect(codeOf(await carryOut(payment))).toBe('TRANSFER_DECLINED')
    expect((await stands(CHECKING)).balance).toBe(100_000n)
  })
})
