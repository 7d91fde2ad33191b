import { describe, expect, test } from 'vitest'
import type { AnyEvent } from '../domain/kernel.ts'
import { type Entry, entriesOf } from '../domain/ledger/events.ts'
import { accountAfter, bank, given, NOON, playOn, staff, transfer } from './support/ledger.ts'

const ADA = 'customers:ada'
const BOB = 'customers:bob'

const lastEntry = (events: readonly AnyEvent[]): Entry => {
  const entry = events.flatMap(entriesOf).at(-1)
  if (!entry) throw new Error('no entry was posted')
  return entry
}

const reversal = (original: Entry, id = 'r1', more: object = {}) => ({
  original,
  id,
  at: NOON,
  poster: staff,
  ...more,
})

describe('a reversal', () => {
  const paid = playOn(bank(), transfer(ADA, BOB, '2500', { reference: 'INV-7' }))
  const original = lastEntry(paid)

  test('mirrors the lines of the entry it names', () => {
    const [event] = given(paid).when('reverse', reversal(original)).events()
    expect(event?.data).toMatchObject({
      entry: {
        id: 'r1',
        kind: 'reversal',
        reverses: original.id,
        reference: 'INV-7',
        description: `Reversal of ${original.id}`,
        lines: [
          { account: ADA, direction: 'credit', amount: '2500', balance: '10000' },
          { account: BOB, direction: 'debit', amount: '2500', balance: '0' },
        ],
      },
    })
  })

  test('happens at most once', () => {
    const reversed = playOn(paid, ['reverse', reversal(original)])
    given(reversed)
      .when('reverse', reversal(original, 'r2'))
      .rejects('ENTRY_REVERSED', { reversal: 'r1' })
  })

  test('that another module posts, as of a refund, counts as one', () => {
    const [, command] = transfer(BOB, ADA, '2500')
    const { posting } = command
    const refund = { posting: { ...posting, id: 'r2', reverses: original.id }, poster: staff }
    const refunded = playOn(paid, ['post', refund])
    given(refunded).when('reverse', reversal(original)).rejects('ENTRY_REVERSED')
    const again = { ...refund, posting: { ...refund.posting, id: 'r3' } }
    given(refunded).when('post', again).rejects('ENTRY_REVERSED', { reversal: 'r2' })
    const reversed = playOn(paid, ['reverse', reversal(original)])
    given(reversed).when('post', refund).rejects('ENTRY_REVERSED', { reversal: 'r1' })
  })

  test('cannot be reversed itself', () => {
    const reversed = playOn(paid, ['reverse', reversal(original)])
    given(reversed)
      .when('reverse', reversal(lastEntry(reversed), 'r2'))
      .rejects('REVERSAL_OF_REVERSAL')
  })

  test('needs the money to be there still, to the unit', () => {
    given(playOn(paid, transfer(BOB, ADA, '1')))
      .when('reverse', reversal(original))
      .rejects('INSUFFICIENT_FUNDS', { account: BOB, available: '2499' })
  })

  test('passes no frozen account', () => {
    given(playOn(paid, ['freezeAccount', { account: BOB, reason: 'lost' }]))
      .when('reverse', reversal(original))
      .rejects('ACCOUNT_FROZEN', { account: BOB })
  })

  test('of an entry in a closed period is booked in the open one', () => {
    const closed = playOn(bank(), transfer(ADA, BOB, '2500', { value_date: '2026-02-28' }))
    const history = playOn(closed, ['closePeriod', { through: '2026-02-28', at: NOON }])
    const [event] = given(history)
      .when('reverse', reversal(lastEntry(closed)))
      .events()
    expect(event?.data).toMatchObject({ entry: { value_date: '2026-03-10' } })
  })

  test('is not held up by a velocity limit, nor counted by it', () => {
    const limits = [{ window: 'day' as const, amount: '2500' }]
    const history = playOn(
      bank({ limits }),
      ['changeTerms', { account: BOB, terms: { overdraft_limit: '0', velocity_limits: limits } }],
      transfer('cash', BOB, '9000'),
    )
    const reversed = playOn(history, ['reverse', reversal(lastEntry(history))])
    expect(accountAfter(reversed, BOB).balance).toBe(0n)
    const funded = playOn(reversed, transfer('cash', BOB, '9000'))
    given(funded)
      .when(...transfer(BOB, ADA, '2500'))
      .happens('EntryPosted')
  })
})
