import { describe, expect, test } from 'vitest'
import { isRefusal } from '../domain/kernel.ts'
import { Ledger } from '../domain/ledger/index.ts'
import {
  account,
  accountAfter,
  ada,
  bank,
  book,
  given,
  NOON,
  play,
  playOn,
  posting,
  staff,
  transfer,
} from './support/ledger.ts'

const ADA = 'customers:ada'
const BOB = 'customers:bob'

describe('a transfer', () => {
  test('says on each line what the account stood at afterwards', () => {
    const [, command] = transfer(ADA, BOB, '2500', { id: 'e1', description: 'Rent' })
    given(bank())
      .when('post', command)
      .gives({
        type: 'EntryPosted',
        data: {
          entry: {
            id: 'e1',
            kind: 'transfer',
            booked_at: NOON,
            value_date: '2026-03-10',
            description: 'Rent',
            lines: [
              {
                account: ADA,
                direction: 'debit',
                amount: '2500',
                asset: 'USD/2',
                balance: '7500',
              },
              {
                account: BOB,
                direction: 'credit',
                amount: '2500',
                asset: 'USD/2',
                balance: '2500',
              },
            ],
          },
        },
      })
  })

  test.each([
    ['0', '10000', '10001'],
    ['1', '10001', '10002'],
    ['5000', '15000', '15001'],
  ])('with an overdraft of %s lets %s go and not %s', (overdraft, most, tooMuch) => {
    const history = bank({ overdraft })
    given(history)
      .when(...transfer(ADA, BOB, most))
      .happens('EntryPosted')
    given(history)
      .when(...transfer(ADA, BOB, tooMuch))
      .rejects('INSUFFICIENT_FUNDS', { account: ADA, available: '10000', requested: tooMuch })
  })

  test('from an account with an unlimited overdraft may be of 24 digits', () => {
    const digits = '9'.repeat(24)
    const history = bank({ overdraft: 'unlimited' })
    const [event] = given(history)
      .when(...transfer(ADA, BOB, digits))
      .events()
    expect(event?.data).toMatchObject({
      entry: { lines: [{ balance: (10000n - BigInt(digits)).toString() }, { balance: digits }] },
    })
  })

  test('adds amounts of 24 digits exactly', () => {
    const digits = '9'.repeat(24)
    const rich = playOn(
      bank(),
      account('equity', { type: 'equity', overdraft: 'unlimited' }),
      transfer('equity', ADA, digits),
      transfer('equity', ADA, digits),
    )
    expect(accountAfter(rich, ADA).balance).toBe(2n * BigInt(digits) + 10000n)
  })

  test('that would make a balance too wide to be read back is never decided', () => {
    const { state } = given(bank())
    const cash = accountAfter(bank(), 'cash')
    // The widest balance that an event can hold has 30 digits.
    state.accounts.set('cash', { ...cash, balance: 10n ** 30n - 1n })
    const decision = Ledger.decide.post(state, transfer('cash', BOB, '1')[1])
    expect(isRefusal(decision)).toBe(true)
  })

  test.each([
    ['customers:nobody', BOB],
    [ADA, 'customers:nobody'],
  ])('between %s and %s, of which one is not there, is refused', (from, to) => {
    given(bank())
      .when(...transfer(from, to, '1'))
      .rejects('ACCOUNT_NOT_FOUND', { account: 'customers:nobody' })
  })
})

describe('an entry', () => {
  test('whose sides differ is refused, by one unit on either side', () => {
    const lines = (credit: string) => [
      { account: ADA, direction: 'debit' as const, amount: '1000' },
      { account: BOB, direction: 'credit' as const, amount: '900' },
      { account: 'income:fees', direction: 'credit' as const, amount: credit },
    ]
    const of = (credit: string) => ({
      posting: posting(ADA, BOB, '1', { lines: lines(credit) }),
      poster: staff,
    })
    given(bank()).when('post', of('100')).happens('EntryPosted')
    given(bank())
      .when('post', of('99'))
      .rejects('ENTRY_UNBALANCED', { asset: 'USD/2', difference: '1' })
    given(bank())
      .when('post', of('101'))
      .rejects('ENTRY_UNBALANCED', { asset: 'USD/2', difference: '-1' })
  })

  describe('in two assets', () => {
    const history = playOn(
      bank(),
      account('fx:kes', { type: 'equity', asset: 'KES/2', overdraft: 'unlimited' }),
      account('fx:usd', { type: 'equity', overdraft: 'unlimited' }),
      account('customers:ada:kes', { asset: 'KES/2', owner: 'ada' }),
    )
    const exchange = (shillings: string) => ({
      posting: posting(ADA, 'fx:usd', '1000', {
        kind: 'exchange',
        lines: [
          { account: ADA, direction: 'debit', amount: '1000' },
          { account: 'fx:usd', direction: 'credit', amount: '1000' },
          { account: 'fx:kes', direction: 'debit', amount: '129000' },
          { account: 'customers:ada:kes', direction: 'credit', amount: shillings },
        ],
      }),
      poster: staff,
    })
    test('balances in each', () => {
      given(history).when('post', exchange('129000')).happens('EntryPosted')
    })
    test('is refused when one of them does not', () => {
      given(history)
        .when('post', exchange('128999'))
        .rejects('ENTRY_UNBALANCED', { asset: 'KES/2', difference: '1' })
    })
    test('is refused when they would balance only together', () => {
      given(history)
        .when(...transfer(ADA, 'customers:ada:kes', '500'))
        .rejects('ENTRY_UNBALANCED')
    })
  })

  test('may name the same account twice: what counts is the sum', () => {
    const twice = (second: string) => ({
      posting: posting(ADA, BOB, '1', {
        lines: [
          { account: ADA, direction: 'debit' as const, amount: '6000' },
          { account: ADA, direction: 'debit' as const, amount: second },
          {
            account: BOB,
            direction: 'credit' as const,
            amount: (6000n + BigInt(second)).toString(),
          },
        ],
      }),
      poster: staff,
    })
    const [event] = given(bank()).when('post', twice('4000')).events()
    expect(event?.data).toMatchObject({
      entry: { lines: [{ balance: '4000' }, { balance: '0' }, { balance: '10000' }] },
    })
    given(bank()).when('post', twice('4001')).rejects('INSUFFICIENT_FUNDS', { requested: '10001' })
  })

  test('may take more out of an account than is there, if it puts back as much', () => {
    const lines = [
      { account: ADA, direction: 'debit' as const, amount: '50000' },
      { account: ADA, direction: 'credit' as const, amount: '45000' },
      { account: BOB, direction: 'credit' as const, amount: '5000' },
    ]
    given(bank())
      .when('post', { posting: posting(ADA, BOB, '1', { lines }), poster: staff })
      .happens('EntryPosted')
  })
})

describe('a condition', () => {
  const when = (condition: object) =>
    given(
      playOn(bank(), [
        'placeHold',
        {
          hold: {
            id: 'h',
            account: ADA,
            amount: '1000',
            kind: 'authorisation',
            description: '',
            expires_at: null,
          },
          at: NOON,
        },
      ]),
    ).when(
      ...transfer(ADA, BOB, '1', {
        conditions: [{ account: ADA, field: 'balance', ...condition }],
      }),
    )
  test.each([
    [{ at_least: '10000' }, { at_least: '10001' }],
    [{ at_most: '10000' }, { at_most: '9999' }],
    [
      { field: 'available', at_least: '9000' },
      { field: 'available', at_least: '9001' },
    ],
    [
      { field: 'available', at_most: '9000' },
      { field: 'available', at_most: '8999' },
    ],
    [
      { at_least: '10000', at_most: '10000' },
      { at_least: '10001', at_most: '10000' },
    ],
  ])('%j holds and %j does not', (holds, fails) => {
    when(holds).happens('EntryPosted')
    when(fails).rejects('CONDITION_FAILED', { account: ADA })
  })
  test('on an account that is not there is refused', () => {
    when({ account: 'customers:nobody', at_least: '0' }).rejects('ACCOUNT_NOT_FOUND')
  })
})

describe('a customer', () => {
  const when = (from: string, to: string) => given(bank()).when(...transfer(from, to, '1', {}, ada))

  test('gives from his own account to another customer', () => {
    when(ADA, BOB).happens('EntryPosted')
  })
  test.each([
    ['takes nothing from another customer', BOB, ADA],
    ['takes nothing from the bank', 'cash', ADA],
    ['pays nothing into the accounts of the bank', ADA, 'income:fees'],
    ['pays nothing into the cash', ADA, 'cash'],
  ])('%s, as if it did not exist', (_what, from, to) => {
    when(from, to).rejects('ACCOUNT_NOT_FOUND')
  })
  test('learns nothing of others by a condition', () => {
    const conditions = [{ account: BOB, field: 'balance' as const, at_least: '0' }]
    given(bank())
      .when(...transfer(ADA, BOB, '1', { conditions }, ada))
      .rejects('ACCOUNT_NOT_FOUND')
  })
  test('learns nothing of the status of an account that is not his', () => {
    const closed = playOn(bank(), ['freezeAccount', { account: 'cash', reason: 'count' }])
    given(closed)
      .when(...transfer('cash', ADA, '1', {}, ada))
      .rejects('ACCOUNT_NOT_FOUND')
  })
})

describe('a value date', () => {
  const when = (value_date: string, closed?: string) => {
    const history = closed ? playOn(bank(), ['closePeriod', { through: closed, at: NOON }]) : bank()
    return given(history).when(...transfer(ADA, BOB, '1', { value_date }))
  }
  test('may be 366 days away, either way, and not 367', () => {
    when('2025-03-09').happens('EntryPosted')
    when('2025-03-08').rejects('VALUE_DATE_TOO_FAR')
    when('2027-03-11').happens('EntryPosted')
    when('2027-03-12').rejects('VALUE_DATE_TOO_FAR')
  })
  test('may not lie in a closed period, whose last day is closed too', () => {
    when('2026-02-28', '2026-02-28').rejects('PERIOD_CLOSED', { closed_through: '2026-02-28' })
    when('2026-03-01', '2026-02-28').happens('EntryPosted')
  })
  test('is the day of the book when none is given', () => {
    const history = play(
      book({ time_zone: 'Africa/Nairobi' }),
      account('cash', { type: 'asset' }),
      account(ADA, { owner: 'ada' }),
    )
    // 21:00 in Greenwich is midnight in Nairobi.
    for (const [at, value_date] of [
      ['2026-03-10T20:59:59.999Z', '2026-03-10'],
      ['2026-03-10T21:00:00.000Z', '2026-03-11'],
    ]) {
      const [event] = given(history)
        .when(...transfer('cash', ADA, '1', { at: `${at}` }))
        .events()
      expect(event?.data).toMatchObject({ entry: { value_date } })
    }
  })
})

describe('a batch', () => {
  const entries = [
    posting(ADA, BOB, '4000', { id: 'b1' }),
    posting(BOB, ADA, '1000', { id: 'b2' }),
    posting(ADA, BOB, '7000', { id: 'b3' }),
  ]
  test('is one event, in which each entry sees those before it', () => {
    const [event, ...more] = given(bank())
      .when('postBatch', { postings: entries, poster: staff })
      .events()
    expect(more).toEqual([])
    expect(event).toMatchObject({
      type: 'EntriesPosted',
      data: {
        entries: [
          { lines: [{ balance: '6000' }, { balance: '4000' }] },
          { lines: [{ balance: '3000' }, { balance: '7000' }] },
          { lines: [{ balance: '0' }, { balance: '10000' }] },
        ],
      },
    })
  })
  test('whose third entry is refused leaves nothing', () => {
    const postings = [...entries.slice(0, 2), posting(ADA, BOB, '7001')]
    const history = bank()
    given(history)
      .when('postBatch', { postings, poster: staff })
      .rejects('BATCH_REFUSED', { index: 2, code: 'INSUFFICIENT_FUNDS' })
    expect(accountAfter(history, ADA).balance).toBe(10000n)
  })
  test('whose entries could only be paid by later ones is refused', () => {
    const postings = [posting(BOB, ADA, '1'), posting(ADA, BOB, '1')]
    given(bank())
      .when('postBatch', { postings, poster: staff })
      .rejects('BATCH_REFUSED', { index: 0, code: 'INSUFFICIENT_FUNDS' })
  })
})
