import { describe, expect, test } from 'vitest'
import {
  account,
  accountAfter,
  bank,
  book,
  given,
  hold,
  NOON,
  play,
  playOn,
  transfer,
} from './support/ledger.ts'

const ADA = 'customers:ada'
const BOB = 'customers:bob'
const reason = 'because'

describe('a book', () => {
  test('is opened once', () => {
    given()
      .when(...book())
      .happens('BookOpened')
    given(play(book()))
      .when(...book())
      .rejects('BOOK_EXISTS')
  })
  test.each(['Mars/Olympus', 'utc+3', ''])('keeps no time of %j', (time_zone) => {
    given()
      .when(...book({ time_zone }))
      .rejects('TIME_ZONE_UNKNOWN', { field: 'time_zone' })
  })
  test('keeps one asset more, and each once', () => {
    given(bank()).when('addAsset', { asset: 'EUR/2' }).happens('AssetAdded')
    given(bank()).when('addAsset', { asset: 'USD/2' }).happens()
  })
})

describe('an account', () => {
  test('has a code of its own and an asset of the book', () => {
    given(bank())
      .when(...account('customers:carl'))
      .happens('AccountOpened')
    given(bank())
      .when(...account(ADA))
      .rejects('ACCOUNT_EXISTS', { account: ADA })
    given(bank())
      .when(...account('customers:carl', { asset: 'EUR/2' }))
      .rejects('ASSET_UNKNOWN', { field: 'asset' })
    given(playOn(bank(), ['addAsset', { asset: 'EUR/2' }]))
      .when(...account('customers:carl', { asset: 'EUR/2' }))
      .happens('AccountOpened')
  })

  test('that is frozen books nothing, either way, until it is unfrozen', () => {
    given(bank()).when('unfreezeAccount', { account: ADA, reason }).rejects('ACCOUNT_NOT_FROZEN')
    const frozen = playOn(bank(), ['freezeAccount', { account: ADA, reason }])
    given(frozen).when('freezeAccount', { account: ADA, reason }).rejects('ACCOUNT_FROZEN')
    given(frozen)
      .when(...transfer(ADA, BOB, '1'))
      .rejects('ACCOUNT_FROZEN', { account: ADA })
    given(frozen)
      .when(...transfer('cash', ADA, '1'))
      .rejects('ACCOUNT_FROZEN', { account: ADA })
    const thawed = playOn(frozen, ['unfreezeAccount', { account: ADA, reason }])
    given(thawed)
      .when(...transfer(ADA, BOB, '1'))
      .happens('EntryPosted')
  })

  test('is closed when it is empty and nothing is held on it', () => {
    given(bank())
      .when('closeAccount', { account: ADA, reason })
      .rejects('ACCOUNT_NOT_EMPTY', { balance: '10000', open_holds: 0 })
    const overdrawn = playOn(bank({ overdraft: '1' }), transfer(ADA, BOB, '10001'))
    given(overdrawn)
      .when('closeAccount', { account: ADA, reason })
      .rejects('ACCOUNT_NOT_EMPTY', { balance: '-1' })
    const held = playOn(bank({ overdraft: '1' }), transfer(ADA, BOB, '10000'), hold('h1', ADA, '1'))
    given(held)
      .when('closeAccount', { account: ADA, reason })
      .rejects('ACCOUNT_NOT_EMPTY', { balance: '0', open_holds: 1 })
    const empty = playOn(bank(), transfer(ADA, BOB, '10000'))
    given(empty).when('closeAccount', { account: ADA, reason }).happens('AccountClosed')
  })

  test('that is closed stays closed', () => {
    const closed = playOn(bank(), ['closeAccount', { account: BOB, reason }])
    given(closed)
      .when(...transfer(ADA, BOB, '1'))
      .rejects('ACCOUNT_CLOSED', { account: BOB })
    for (const name of ['freezeAccount', 'unfreezeAccount', 'closeAccount'] as const) {
      given(closed).when(name, { account: BOB, reason }).rejects('ACCOUNT_CLOSED')
    }
    given(closed)
      .when(...account(BOB))
      .rejects('ACCOUNT_EXISTS')
  })

  test.each(['freezeAccount', 'unfreezeAccount', 'closeAccount'] as const)(
    'that is not there: %s',
    (name) => {
      given(bank()).when(name, { account: 'nobody', reason }).rejects('ACCOUNT_NOT_FOUND')
    },
  )

  test('changes only as it was seen: its revision moves with it, not with its balance', () => {
    const history = playOn(bank(), transfer(ADA, BOB, '1'))
    const { revision } = accountAfter(history, ADA)
    const change = (seen: number) => ({
      account: ADA,
      revision: seen,
      terms: { overdraft_limit: '500', velocity_limits: [] },
    })
    given(history).when('changeTerms', change(revision)).happens('AccountTermsChanged')
    given(history)
      .when('changeTerms', change(revision - 1))
      .rejects('REVISION_MISMATCH', { revision })
    const changed = playOn(history, ['changeTerms', change(revision)])
    expect(accountAfter(changed, ADA)).toMatchObject({ overdraft: 500n, revision: history.length })
    given(changed).when('changeTerms', change(revision)).rejects('REVISION_MISMATCH')
  })

  test('keeps its balance and holds when its terms change', () => {
    const history = playOn(bank(), hold('h1', ADA, '600'), [
      'changeTerms',
      { account: ADA, terms: { overdraft_limit: '0', velocity_limits: [] } },
    ])
    expect(accountAfter(history, ADA)).toMatchObject({ balance: 10000n, held: 600n })
  })
})

describe('a period', () => {
  const close = (through: string, at = NOON) => ({ through, at })

  test('can be closed when its last day is over, in the time of the book', () => {
    given(bank()).when('closePeriod', close('2026-03-09')).happens('PeriodClosed')
    given(bank())
      .when('closePeriod', close('2026-03-10'))
      .rejects('PERIOD_NOT_OVER', { field: 'through' })
    const nairobi = play(book({ time_zone: 'Africa/Nairobi' }))
    given(nairobi)
      .when('closePeriod', close('2026-03-10', '2026-03-10T20:59:59.999Z'))
      .rejects('PERIOD_NOT_OVER')
    given(nairobi)
      .when('closePeriod', close('2026-03-10', '2026-03-10T21:00:00.000Z'))
      .happens('PeriodClosed')
  })

  test('is closed once, and those before it with it', () => {
    const closed = playOn(bank(), ['closePeriod', close('2026-02-28')])
    given(closed).when('closePeriod', close('2026-02-28')).rejects('PERIOD_CLOSED')
    given(closed).when('closePeriod', close('2026-02-27')).rejects('PERIOD_CLOSED')
    given(closed).when('closePeriod', close('2026-03-01')).happens('PeriodClosed')
  })

  test('counts its entries and sums what was booked by its last day, since the beginning', () => {
    const history = playOn(
      bank(),
      transfer(ADA, BOB, '100', { value_date: '2026-01-31' }),
      transfer(ADA, BOB, '10', { value_date: '2026-02-28' }),
      transfer(ADA, BOB, '1', { value_date: '2026-03-01' }),
    )
    const row = (total: string) => ({
      control: 'customers',
      asset: 'USD/2',
      debit: total,
      credit: total,
    })
    const january = given(history).when('closePeriod', close('2026-01-31'))
    january.gives({
      type: 'PeriodClosed',
      data: { through: '2026-01-31', closed_at: NOON, entries: 1, trial_balance: [row('100')] },
    })
    given(history, january.events())
      .when('closePeriod', close('2026-02-28'))
      .gives({
        type: 'PeriodClosed',
        data: { through: '2026-02-28', closed_at: NOON, entries: 1, trial_balance: [row('110')] },
      })
  })

  test('with totals wider than any one amount can be read back', () => {
    const most = '9'.repeat(24)
    const history = playOn(
      play(book(), account('cash', { type: 'asset' }), account(ADA)),
      transfer('cash', ADA, most),
      transfer('cash', ADA, most),
    )
    given(history)
      .when('closePeriod', close('2026-03-10', '2026-03-11T00:00:00.000Z'))
      .happens('PeriodClosed')
  })
})
