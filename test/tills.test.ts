import { describe, expect, test } from 'vitest'
import { execute } from '../commands/kernel.ts'
import {
  carryOutPayment,
  openPaymentAccounts,
  requestCounterPayment,
} from '../commands/payments/index.ts'
import { approveTill, bookTill, countTill, openTill } from '../commands/tills.ts'
import { isRefusal } from '../domain/kernel.ts'
import { isTolerable, Till } from '../domain/tills.ts'
import { answerOf, CHECKING, NOON, openBranch } from './machine-support.ts'
import { spec } from './support/spec.ts'

const book = 'main'
const opening = {
  ...{ teller: 'kofi', till: 't1', book, asset: 'USD/2', day: '2026-03-10', float: '10000' },
  opened_at: NOON,
}
const opened = { type: 'TillOpened', data: opening } as const
const booked = (step: 'opening' | 'closing') =>
  ({
    type: 'TillBooked',
    data: { teller: 'kofi', till: 't1', step, difference: null, booked_at: NOON },
  }) as const
const count = (counted: string) => ({
  ...{ teller: 'kofi', expected: '10000', counted, counted_at: NOON },
})
const counted = (amount: string, approval: 'needed' | 'none') =>
  ({ type: 'TillCounted', data: { ...count(amount), till: 't1', approval } }) as const
const approval = (by: string) => ({ teller: 'kofi', approved_by: by, approved_at: NOON })
const approved = {
  type: 'TillCountApproved',
  data: { ...approval('mary'), till: 't1' },
} as const

describe('a till', () => {
  const given = spec(Till).given
  const open = [opened, booked('opening')] as const

  test('is one at a time, and one a day', () => {
    given().when('open', opening).gives(opened)
    given(opened).when('open', opening).rejects('TILL_EXISTS')
    const closed = [...open, counted('10000', 'none'), booked('closing')] as const
    given(...closed)
      .when('open', { ...opening, till: 't2' })
      .rejects('TILL_EXISTS')
    const next = { ...opening, till: 't2', day: '2026-03-11' }
    given(...closed)
      .when('open', next)
      .gives({ type: 'TillOpened', data: next })
  })

  test('is counted while it is open, and closed unless too much is amiss', () => {
    given().when('count', count('10000')).rejects('TILL_NOT_OPEN')
    given(opened).when('count', count('10000')).rejects('TILL_NOT_OPEN')
    given(...open)
      .when('count', count('15000'))
      .gives(counted('15000', 'none'))
    given(...open)
      .when('count', count('5000'))
      .gives(counted('5000', 'none'))
    given(...open)
      .when('count', count('15001'))
      .gives(counted('15001', 'needed'))
    given(...open)
      .when('count', count('4999'))
      .gives(counted('4999', 'needed'))
    const closing = [...open, counted('10000', 'none')] as const
    given(...closing)
      .when('count', count('10000'))
      .rejects('TILL_NOT_OPEN')
    given(...open, counted('0', 'needed'))
      .when('count', count('10000'))
      .gives(counted('10000', 'none'))
  })

  test('with much amiss is looked at by somebody else', () => {
    const waits = [...open, counted('0', 'needed')] as const
    given(...waits)
      .when('approve', approval('kofi'))
      .rejects('MAKER_IS_CHECKER')
    given(...waits)
      .when('approve', approval('mary'))
      .gives(approved)
    given(...waits, approved)
      .when('approve', approval('mary'))
      .rejects('TILL_NOT_COUNTED')
    given(...open)
      .when('approve', approval('mary'))
      .rejects('TILL_NOT_COUNTED')
  })

  test('is booked once', () => {
    const data = booked('opening').data
    given(opened).when('book', data).gives(booked('opening'))
    given(...open)
      .when('book', data)
      .happens()
    given(opened)
      .when('book', { ...data, till: 't0' })
      .happens()
  })
})

test('50.00 may be amiss', () => {
  expect(isTolerable(10_000n, 15_000n) && isTolerable(10_000n, 5_000n)).toBe(true)
  expect(isTolerable(10_000n, 15_001n) || isTolerable(10_000n, 4_999n)).toBe(false)
})

describe('the cash of a teller', () => {
  const start = async () => {
    const branch = await openBranch()
    answerOf(await branch.ask(openPaymentAccounts, { book, asset: 'USD/2' }))
    const kofi = { actor: { id: 'kofi', roles: ['teller' as const] } }
    const serve = async (kind: 'deposit' | 'withdrawal', amount: string) => {
      const asked = { book, kind, account: CHECKING, amount, description: '' }
      const requested = await branch.ask(requestCounterPayment, asked, kofi)
      if (isRefusal(requested)) return requested
      const { payment } = requested.answer
      return branch.ask(carryOutPayment, { payment })
    }
    const open = (float = '10000') => branch.ask(openTill, { book, asset: 'USD/2', float }, kofi)
    const stands = async (code: string) => `${(await branch.stands(code)).balance}`
    return { ...branch, kofi, serve, open, stands }
  }
  const TILL = 'cash:tills:usd:kofi'

  test('goes through his till while it is open, and back to the vault', async () => {
    const { ask, kofi, serve, open, stands } = await start()
    answerOf(await serve('deposit', '500'))
    answerOf(await open())
    answerOf(await serve('deposit', '2500'))
    answerOf(await serve('withdrawal', '1000'))
    expect([await stands('cash:counter:usd'), await stands(TILL)]).toEqual(['500', '11500'])
    expect(answerOf(await ask(countTill, { counted: '11400' }, kofi))).toMatchObject({
      ...{ expected: '11500', difference: '-100', status: 'closing' },
    })
    expect(await stands(TILL)).toBe('0')
    expect(await stands('cash:vault:usd')).toBe('1400')
    expect(await stands('expenses:cash-short:usd')).toBe('100')
    answerOf(await serve('deposit', '700'))
    expect(await stands('cash:counter:usd')).toBe('1200')
  })

  test('is not paid out beyond what lies in it', async () => {
    const { serve, open } = await start()
    answerOf(await open('1000'))
    expect(await serve('withdrawal', '1001')).toMatchObject({ refused: 'INSUFFICIENT_FUNDS' })
    answerOf(await serve('withdrawal', '1000'))
  })

  test('that is amiss is booked when somebody else has approved it, once', async () => {
    const { ask, kofi, open, stands } = await start()
    answerOf(await open())
    answerOf(await ask(countTill, { counted: '15001' }, kofi))
    expect(await stands(TILL)).toBe('10000')
    const mary = { actor: { id: 'mary', roles: ['manager' as const] } }
    answerOf(await ask(approveTill, { teller: 'kofi' }, mary))
    answerOf(await ask(bookTill, { teller: 'kofi' }))
    expect([await stands(TILL), await stands('income:cash-over:usd')]).toEqual(['0', '5001'])
    expect(await stands('cash:vault:usd')).toBe('5001')
  })

  test('is booked by the clock when the process ended behind the decision', async () => {
    const { ask, kofi, stands, ports } = await start()
    const quiet = { ...openTill, after: async () => undefined }
    const input = { book, asset: 'USD/2', float: '300' }
    const context = { ...kofi, at: ports.clock(), correlation: 'test' }
    answerOf(await execute(ports, quiet, input, context))
    await expect(stands(TILL)).rejects.toThrow('no account')
    for (let times = 0; times < 2; times += 1) answerOf(await ask(bookTill, { teller: 'kofi' }))
    expect(await stands(TILL)).toBe('300')
  })
})
