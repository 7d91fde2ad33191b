import { describe, test } from 'vitest'
import type { VelocityLimit } from '../domain/ledger/events.ts'
import {
  account,
  book,
  given,
  hold,
  newId,
  play,
  playOn,
  staff,
  transfer,
} from './support/ledger.ts'

const ADA = 'customers:ada'
const BOB = 'customers:bob'

const bankWith = (limits: VelocityLimit[], time_zone = 'UTC') =>
  play(
    book({ time_zone }),
    account('cash', { type: 'asset' }),
    account(ADA, { limits }),
    account(BOB),
    transfer('cash', ADA, '100000', { kind: 'deposit' }),
  )

describe('a velocity limit', () => {
  test('by amount counts what has left in the window, to the unit', () => {
    const spent = playOn(bankWith([{ window: 'day', amount: '5000' }]), transfer(ADA, BOB, '3000'))
    given(spent)
      .when(...transfer(ADA, BOB, '2000'))
      .happens('EntryPosted')
    given(spent)
      .when(...transfer(ADA, BOB, '2001'))
      .rejects('VELOCITY_LIMIT', {
        account: ADA,
        window: 'day',
        limit_amount: '5000',
        limit_count: null,
      })
  })

  test('by count lets so many go and no more', () => {
    const once = playOn(bankWith([{ window: 'day', count: 2 }]), transfer(ADA, BOB, '1'))
    given(once)
      .when(...transfer(ADA, BOB, '1'))
      .happens('EntryPosted')
    given(playOn(once, transfer(ADA, BOB, '1')))
      .when(...transfer(ADA, BOB, '1'))
      .rejects('VELOCITY_LIMIT', { limit_count: 2 })
  })

  test('of one kind counts only that', () => {
    const history = playOn(
      bankWith([{ window: 'day', kind: 'withdrawal', amount: '5000' }]),
      transfer(ADA, BOB, '9000'),
      transfer(ADA, 'cash', '5000', { kind: 'withdrawal' }),
    )
    given(history)
      .when(...transfer(ADA, BOB, '9000'))
      .happens('EntryPosted')
    given(history)
      .when(...transfer(ADA, 'cash', '1', { kind: 'withdrawal' }))
      .rejects('VELOCITY_LIMIT', { kind: 'withdrawal' })
  })

  test('counts what leaves and not what comes', () => {
    const history = playOn(
      bankWith([{ window: 'day', amount: '1' }]),
      transfer('cash', ADA, '9000'),
    )
    given(history)
      .when(...transfer(ADA, BOB, '1'))
      .happens('EntryPosted')
  })

  test.each([
    ['UTC', '2026-03-10T23:59:59.999Z', '2026-03-11T00:00:00.000Z'],
    // Midnight in Nairobi is 21:00 in Greenwich.
    ['Africa/Nairobi', '2026-03-10T20:59:59.999Z', '2026-03-10T21:00:00.000Z'],
    // Clocks go forward in New York on 8 March 2026: midnight is 04:00 instead of 05:00.
    ['America/New_York', '2026-03-09T03:59:59.999Z', '2026-03-09T04:00:00.000Z'],
  ])('a day turns at midnight in %s', (zone, before, midnight) => {
    const at = before.replace('59.999', '00.000')
    const spent = playOn(
      bankWith([{ window: 'day', amount: '5000' }], zone),
      transfer(ADA, BOB, '5000', { at }),
    )
    given(spent)
      .when(...transfer(ADA, BOB, '1', { at: before }))
      .rejects('VELOCITY_LIMIT')
    given(spent)
      .when(...transfer(ADA, BOB, '5000', { at: midnight }))
      .happens('EntryPosted')
  })

  test('of a month turns with the month', () => {
    const spent = playOn(
      bankWith([{ window: 'month', amount: '5000' }]),
      transfer(ADA, BOB, '5000', { at: '2026-03-01T00:00:00.000Z' }),
    )
    given(spent)
      .when(...transfer(ADA, BOB, '1', { at: '2026-03-31T23:59:59.999Z' }))
      .rejects('VELOCITY_LIMIT', { window: 'month' })
    given(spent)
      .when(...transfer(ADA, BOB, '5000', { at: '2026-04-01T00:00:00.000Z' }))
      .happens('EntryPosted')
  })

  test('counts captures too', () => {
    const held = playOn(bankWith([{ window: 'day', amount: '5000' }]), hold('h1', ADA, '6000'))
    const capture = (amount: string) => ({
      hold: 'h1',
      to: BOB,
      amount,
      closes: false,
      id: newId(),
      at: '2026-03-10T12:00:00.000Z',
      poster: staff,
    })
    given(held).when('captureHold', capture('5000')).happens('EntryPosted')
    given(held).when('captureHold', capture('5001')).rejects('VELOCITY_LIMIT')
  })

  test('among several, the tightest refuses', () => {
    const history = bankWith([
      { window: 'month', amount: '9000' },
      { window: 'day', amount: '5000' },
    ])
    given(history)
      .when(...transfer(ADA, BOB, '5000'))
      .happens('EntryPosted')
    given(history)
      .when(...transfer(ADA, BOB, '5001'))
      .rejects('VELOCITY_LIMIT', { window: 'day' })
  })

  test('goes on counting when the terms are written down again unchanged', () => {
    const limits: VelocityLimit[] = [{ window: 'day', amount: '5000' }]
    const history = playOn(bankWith(limits), transfer(ADA, BOB, '5000'), [
      'changeTerms',
      { account: ADA, terms: { overdraft_limit: '0', velocity_limits: limits } },
    ])
    given(history)
      .when(...transfer(ADA, BOB, '1'))
      .rejects('VELOCITY_LIMIT')
  })
})
