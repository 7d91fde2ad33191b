import { describe, expect, test } from 'vitest'
import { type Entry, entriesOf } from '../domain/ledger/events.ts'
import {
  accountAfter,
  bank,
  given,
  hold,
  NOON,
  newId,
  playOn,
  posting,
  staff,
  transfer,
} from './support/ledger.ts'

const ADA = 'customers:ada'
const BOB = 'customers:bob'
const EVENING = '2026-03-10T18:00:00.000Z'
const BEFORE_EVENING = '2026-03-10T17:59:59.999Z'

const capture = (amount: string | undefined, more: object = {}) => ({
  hold: 'h1',
  to: BOB,
  amount,
  closes: false,
  id: newId(),
  at: NOON,
  poster: staff,
  ...more,
})

describe('a hold', () => {
  const held = playOn(bank(), hold('h1', ADA, '6000', EVENING))

  test('keeps money on the account but not available', () => {
    expect(accountAfter(held, ADA)).toMatchObject({ balance: 10000n, held: 6000n })
    given(held)
      .when(...transfer(ADA, BOB, '4000'))
      .happens('EntryPosted')
    given(held)
      .when(...transfer(ADA, BOB, '4001'))
      .rejects('INSUFFICIENT_FUNDS', { available: '4000' })
  })

  test.each([
    ['0', '4000', '4001'],
    ['500', '4500', '4501'],
  ])('with an overdraft of %s may be as large as %s is, not %s', (overdraft, most, tooMuch) => {
    const history = playOn(bank({ overdraft }), hold('h1', ADA, '6000'))
    given(history)
      .when(...hold('h2', ADA, most))
      .happens('HoldPlaced')
    given(history)
      .when(...hold('h2', ADA, tooMuch))
      .rejects('INSUFFICIENT_FUNDS')
  })

  test('has an id of its own', () => {
    given(held)
      .when(...hold('h1', ADA, '1'))
      .rejects('HOLD_EXISTS')
  })

  test('ends in the future', () => {
    given(bank())
      .when(...hold('h1', ADA, '1', NOON))
      .rejects('HOLD_EXPIRY_PAST')
    given(bank())
      .when(...hold('h1', ADA, '1', '2026-03-10T12:00:00.001Z'))
      .happens('HoldPlaced')
  })

  test('needs an account that is there, active and open', () => {
    given(bank())
      .when(...hold('h1', 'customers:nobody', '1'))
      .rejects('ACCOUNT_NOT_FOUND')
    const frozen = playOn(bank(), ['freezeAccount', { account: ADA, reason: 'lost' }])
    given(frozen)
      .when(...hold('h1', ADA, '1'))
      .rejects('ACCOUNT_FROZEN')
    const closed = playOn(bank(), ['closeAccount', { account: BOB, reason: 'moved' }])
    given(closed)
      .when(...hold('h1', BOB, '1'))
      .rejects('ACCOUNT_CLOSED')
  })

  test('gives back what it has left when it is released, once', () => {
    given(held)
      .when('releaseHold', { hold: 'h1', at: NOON })
      .gives({
        type: 'HoldReleased',
        data: { hold: 'h1', account: ADA, amount: '6000', released_at: NOON },
      })
    const released = playOn(held, ['releaseHold', { hold: 'h1', at: NOON }])
    expect(accountAfter(released, ADA)).toMatchObject({ held: 0n, openHolds: [] })
    given(released).when('releaseHold', { hold: 'h1', at: NOON }).rejects('HOLD_NOT_OPEN')
  })

  test('that never was cannot be released or captured', () => {
    given(bank()).when('releaseHold', { hold: 'h1', at: NOON }).rejects('HOLD_NOT_OPEN')
    given(bank()).when('captureHold', capture('1')).rejects('HOLD_NOT_OPEN')
  })

  test('is over from the moment it expires, whether or not the clock was there', () => {
    given(held)
      .when('captureHold', capture('1', { at: BEFORE_EVENING }))
      .happens('EntryPosted')
    given(held)
      .when('captureHold', capture('1', { at: EVENING }))
      .rejects('HOLD_NOT_OPEN')
    given(held).when('releaseHold', { hold: 'h1', at: EVENING }).rejects('HOLD_NOT_OPEN')
    given(held)
      .when(...transfer(ADA, BOB, '10000', { at: EVENING }))
      .happens('HoldExpired', 'EntryPosted')
    given(held)
      .when(...transfer(ADA, BOB, '10000', { at: BEFORE_EVENING }))
      .rejects('INSUFFICIENT_FUNDS')
  })

  test('that is due makes room for another', () => {
    given(held)
      .when('placeHold', {
        hold: {
          id: 'h2',
          account: ADA,
          amount: '10000',
          kind: 'authorisation',
          description: '',
          expires_at: null,
        },
        at: EVENING,
      })
      .happens('HoldExpired', 'HoldPlaced')
  })
})

describe('the clock', () => {
  const three = playOn(
    bank(),
    hold('h1', ADA, '1', EVENING),
    hold('h2', ADA, '2', EVENING),
    hold('h3', ADA, '3'),
  )
  test('ends the holds whose time has come, and not a moment before', () => {
    given(three).when('expireHolds', { at: BEFORE_EVENING, limit: 10 }).happens()
    given(three)
      .when('expireHolds', { at: EVENING, limit: 10 })
      .happens('HoldExpired', 'HoldExpired')
  })
  test('ends so many at a time', () => {
    given(three).when('expireHolds', { at: EVENING, limit: 1 }).happens('HoldExpired')
  })
})

describe('a capture', () => {
  const held = playOn(bank(), hold('h1', ADA, '6000'))

  test('takes all that is left when no amount is given', () => {
    const [event] = given(held).when('captureHold', capture(undefined)).events()
    expect(event?.data).toMatchObject({
      entry: { kind: 'capture', captures: { hold: 'h1', amount: '6000', left: '0' } },
    })
  })

  test('takes parts until nothing is left', () => {
    const first = playOn(held, ['captureHold', capture('2500')])
    expect(accountAfter(first, ADA)).toMatchObject({ balance: 7500n, held: 3500n })
    given(first)
      .when('captureHold', capture('3501'))
      .rejects('HOLD_EXCEEDED', { left: '3500', requested: '3501' })
    const second = playOn(first, ['captureHold', capture('3500')])
    expect(accountAfter(second, ADA)).toMatchObject({ balance: 4000n, held: 0n, openHolds: [] })
    given(second).when('captureHold', capture('1')).rejects('HOLD_NOT_OPEN')
  })

  test('that is final gives back the rest', () => {
    const last = playOn(held, ['captureHold', capture('2500', { closes: true })])
    expect(accountAfter(last, ADA)).toMatchObject({ balance: 7500n, held: 0n, openHolds: [] })
    given(last).when('captureHold', capture('1')).rejects('HOLD_NOT_OPEN')
  })

  test('spends what was set aside and not what others have set aside', () => {
    const two = playOn(held, hold('h2', ADA, '4000'))
    given(two).when('captureHold', capture('6000')).happens('EntryPosted')
    given(two).when('captureHold', capture('6001')).rejects('HOLD_EXCEEDED')
  })

  test('into a frozen account is refused, and the hold stays', () => {
    const frozen = playOn(held, ['freezeAccount', { account: BOB, reason: 'lost' }])
    given(frozen).when('captureHold', capture('1')).rejects('ACCOUNT_FROZEN')
    expect(accountAfter(frozen, ADA).held).toBe(6000n)
  })
})

describe('a deposit held until a date', () => {
  const deposit = (amount: string, held: string, until = EVENING) => ({
    posting: posting('cash', ADA, amount, {
      id: 'd1',
      kind: 'deposit',
      holds: [{ id: 'd1-0', account: ADA, amount: held, until }],
    }),
    poster: staff,
  })

  test('is on the account at once and free from then on', () => {
    const history = playOn(bank(), ['post', deposit('5000', '5000')])
    expect(accountAfter(history, ADA)).toMatchObject({ balance: 15000n, held: 5000n })
    given(history)
      .when(...transfer(ADA, BOB, '10001', { at: BEFORE_EVENING }))
      .rejects('INSUFFICIENT_FUNDS', { available: '10000' })
    given(history)
      .when(...transfer(ADA, BOB, '15000', { at: EVENING }))
      .happens('HoldExpired', 'EntryPosted')
  })

  test('keeps back no more than is there', () => {
    given(bank()).when('post', deposit('5000', '15000')).happens('EntryPosted')
    given(bank()).when('post', deposit('5000', '15001')).rejects('HOLD_EXCEEDED')
  })

  test('is held into the future', () => {
    given(bank())
      .when('post', deposit('1', '1', NOON))
      .rejects('HOLD_EXPIRY_PAST')
    given(bank())
      .when('post', deposit('1', '1', '2026-03-10T12:00:00.001Z'))
      .happens('EntryPosted')
  })

  test('can be taken back while it is held: the hold ends with it', () => {
    const history = playOn(bank(), ['post', deposit('5000', '5000')])
    const [original] = history.slice(-1).flatMap(entriesOf) as [Entry]
    const command = { original, id: 'r1', at: NOON, poster: staff }
    const outcome = given(history).when('reverse', command)
    outcome.happens('HoldReleased', 'EntryPosted')
    const after = [...history, ...outcome.events()]
    expect(accountAfter(after, ADA)).toMatchObject({ balance: 10000n, held: 0n, openHolds: [] })
  })
})
