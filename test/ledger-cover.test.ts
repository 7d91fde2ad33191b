import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnyEvent } from '../domain/kernel.ts'
import { type Entry, entriesOf, type VelocityLimit } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import {
  account,
  accountAfter,
  book,
  given,
  hold,
  NOON,
  newId,
  play,
  playOn,
  staff,
  transfer,
} from './support/ledger.ts'
import { spec } from './support/spec.ts'

const [PAYER, COVER, BOB] = ['customers:payer', 'customers:cover', 'customers:bob']
const cover = (covered_by: string | null = COVER, of = PAYER) =>
  ['coverAccount', { account: of, covered_by }] as const

/** Ada's two accounts, 100.00 and 50.00, and what she may spend of the first in a day. */
const bank = (limits: VelocityLimit[] = [], coversLimits: VelocityLimit[] = []) =>
  play(
    book(),
    account('cash', { type: 'asset' }),
    account('loans', { type: 'asset', owner: 'ada' }),
    account('cash-kes', { type: 'asset', asset: 'KES/2' }),
    account('customers:kes', { asset: 'KES/2', owner: 'ada' }),
    account('customers:nobodys'),
    account('customers:nobodys-too'),
    account(BOB, { owner: 'bob' }),
    account(PAYER, { owner: 'ada', limits }),
    account(COVER, { owner: 'ada', limits: coversLimits }),
    transfer('cash', PAYER, '10000'),
    transfer('cash', COVER, '5000'),
  )
const covered = playOn(bank(), [...cover()])
const pay = (amount: string, more: object = {}) => transfer(PAYER, BOB, amount, more)
const entryIn = (events: readonly AnyEvent[]): Entry => {
  const [entry] = events.flatMap(entriesOf)
  if (!entry) throw new Error('no entry')
  return entry
}
const balances = (events: readonly AnyEvent[]) =>
  [PAYER, COVER, BOB].map((code) => Number(accountAfter(events, code).balance))

describe('an account is covered', () => {
  test.each([
    ['itself', PAYER],
    ["somebody else's", BOB],
    ["nobody's", 'customers:nobodys'],
    ['a loan', 'loans'],
    ['one in another asset', 'customers:kes'],
  ])('not by %s', (_which, by) => {
    given(bank())
      .when(...cover(by))
      .rejects('COVER_UNSUITABLE', { account: by })
  })

  test('by another deposit of its owner, until another or none is chosen', () => {
    const event = { type: 'AccountCoverChanged', data: { account: PAYER, covered_by: COVER } }
    given(bank())
      .when(...cover())
      .gives(event)
    given(covered)
      .when(...cover())
      .happens()
    given(covered)
      .when(...cover(null))
      .happens('AccountCoverChanged')
    given(bank())
      .when(...cover(null))
      .happens()
    given(bank())
      .when(...cover('customers:nowhere'))
      .rejects('ACCOUNT_NOT_FOUND')
    given(bank())
      .when(...cover(COVER, 'customers:nowhere'))
      .rejects('ACCOUNT_NOT_FOUND')
    // To be nobody's is to have no owner in common.
    given(bank())
      .when(...cover('customers:nobodys', 'customers:nobodys-too'))
      .rejects('COVER_UNSUITABLE')
    // A loan of the same owner is not made up for either.
    given(bank())
      .when(...cover(COVER, 'loans'))
      .rejects('COVER_UNSUITABLE')
  })
})

describe('a payment from a covered account', () => {
  test('takes exactly what is missing from the other, in the same balanced entry', () => {
    const events = given(covered)
      .when(...pay('10001'))
      .events()
    const { lines, covers } = entryIn(events)
    expect(events).toHaveLength(1)
    expect(covers).toEqual([{ account: PAYER, by: COVER, amount: '1' }])
    expect(lines.map((line) => [line.account, line.direction, line.amount, line.balance])).toEqual([
      [COVER, 'debit', '1', '4999'],
      [PAYER, 'credit', '1', '10001'],
      [PAYER, 'debit', '10001', '0'],
      [BOB, 'credit', '10001', '10001'],
    ])
  })

  test('takes nothing when nothing is missing', () => {
    expect(
      entryIn(
        given(covered)
          .when(...pay('10000'))
          .events(),
      ),
    ).not.toHaveProperty('covers')
  })

  test('may empty both, and is refused beyond, with what the payer has himself', () => {
    expect(balances(playOn(covered, pay('15000')))).toEqual([0, 0, 15000])
    given(covered)
      .when(...pay('15001'))
      .rejects('INSUFFICIENT_FUNDS', { account: PAYER })
    given(covered)
      .when(...pay('15001'))
      .rejects('INSUFFICIENT_FUNDS', { available: '10000', requested: '15001' })
  })

  test('uses no held money of either, unless its hold is over', () => {
    const until = '2026-03-10T18:00:00.000Z'
    const held = playOn(covered, hold('h1', PAYER, '4000'), hold('h2', COVER, '2000', until))
    given(held)
      .when(...pay('9000'))
      .happens('EntryPosted')
    given(held)
      .when(...pay('9001'))
      .rejects('INSUFFICIENT_FUNDS', { account: PAYER, available: '6000', requested: '9001' })
    given(held)
      .when(...pay('11000', { at: until }))
      .happens('HoldExpired', 'EntryPosted')
  })

  test.each(['freezeAccount', 'closeAccount'] as const)('gets no help after %s', (change) => {
    const empty = transfer(COVER, BOB, '5000')
    const history = change === 'closeAccount' ? playOn(covered, empty) : covered
    const changed = playOn(history, [change, { account: COVER, reason: 'x' }])
    given(changed)
      .when(...pay('10001'))
      .rejects('INSUFFICIENT_FUNDS', { account: PAYER })
    given(changed)
      .when(...pay('10000'))
      .happens('EntryPosted')
  })

  test('counts whole on the limit of the payer, and not at all on that of the other', () => {
    const day = (amount: string): VelocityLimit[] => [{ window: 'day', amount }]
    const limited = playOn(bank(day('12000'), day('1')), [...cover()])
    given(limited)
      .when(...pay('12001'))
      .rejects('VELOCITY_LIMIT', { account: PAYER })
    const spent = playOn(limited, pay('12000'))
    given(spent)
      .when(...pay('1'))
      .rejects('VELOCITY_LIMIT', { account: PAYER })
    given(spent)
      .when(...transfer(COVER, BOB, '1'))
      .happens('EntryPosted')
    given(spent)
      .when(...transfer(COVER, BOB, '2'))
      .rejects('VELOCITY_LIMIT', { account: COVER })
  })

  test('into the covering account itself goes around and leaves nothing missing', () => {
    const after = playOn(covered, transfer(PAYER, COVER, '12000'))
    expect(balances(after)).toEqual([0, 15000, 0])
  })

  test('is made up for within an overdraft first', () => {
    const history = play(
      ...[book(), account('cash', { type: 'asset' }), account(BOB, { owner: 'bob' })],
      ...[account(PAYER, { owner: 'ada', overdraft: '300' }), account(COVER, { owner: 'ada' })],
      ...[transfer('cash', COVER, '5000'), [...cover()] as never],
    )
    expect(balances(playOn(history, pay('300')))).toEqual([-300, 5000, 300])
    expect(balances(playOn(history, pay('301')))).toEqual([-300, 4999, 301])
  })

  test('that spends a hold is not made up for', () => {
    // More than is free, and less than the other has.
    const held = playOn(covered, hold('h1', PAYER, '8000'))
    const capture = { hold: 'h1', to: BOB, closes: false, id: newId(), at: NOON, poster: staff }
    const events = given(held)
      .when('captureHold', { ...capture, amount: '4000' })
      .events()
    expect(entryIn(events)).not.toHaveProperty('covers')
    given(held)
      .when('captureHold', { ...capture, amount: '8001' })
      .rejects('HOLD_EXCEEDED')
  })

  test('is taken back on both accounts, and its reversal is not made up for', () => {
    const paid = playOn(covered, pay('12000'))
    const command = { original: entryIn(paid.slice(-1)), id: 'r1', at: NOON, poster: staff }
    const reversal = given(paid).when('reverse', command).events()
    expect(balances([...paid, ...reversal])).toEqual([10000, 5000, 0])
    const spent = playOn(paid, transfer(BOB, 'cash', '1', { kind: 'withdrawal' }))
    const bobsCover = playOn(spent, account('customers:bob2', { owner: 'bob' }), [
      ...cover('customers:bob2', BOB),
    ])
    const funded = playOn(bobsCover, transfer('cash', 'customers:bob2', '100'))
    given(funded).when('reverse', command).rejects('INSUFFICIENT_FUNDS', { account: BOB })
  })

  test('moves what both have and never more, and folds to the same from the log', () => {
    const amounts = fc.array(fc.integer({ min: 1, max: 9000 }), { maxLength: 12 })
    fc.assert(
      fc.property(amounts, (asked) => {
        let history: readonly AnyEvent[] = covered
        for (const amount of asked) {
          const [payer = 0, other = 0] = balances(history)
          const { outcome } = given(history).when(...pay(`${amount}`))
          expect('refused' in outcome).toBe(amount > payer + other)
          if ('refused' in outcome) continue
          history = [...history, ...outcome]
          const paid = Math.min(amount, payer)
          expect(balances(history).slice(0, 2)).toEqual([payer - paid, other - (amount - paid)])
        }
        const { state } = spec(Ledger).given(history)
        const { save, load } = Ledger.snapshot ?? { save: String, load: () => state }
        const kept = JSON.parse(JSON.stringify(save(state)))
        expect(save(load(kept) as never)).toEqual(save(state))
        expect(load(kept)).toMatchObject({ id: 'main' })
      }),
      { numRuns: 50 },
    )
  })
})
