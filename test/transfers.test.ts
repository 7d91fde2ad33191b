import { describe, expect, test } from 'vitest'
import { ledgerEvents } from '../domain/ledger/events.ts'
import type { AskedTransfer } from '../domain/ledger/transfers.ts'
import type { Screening } from '../domain/screening.ts'
import {
  account,
  accountAfter,
  bank,
  given,
  NOON,
  playOn,
  posting,
  staff,
} from './support/ledger.ts'

const ADA = 'customers:ada'
const BOB = 'customers:bob'
const LATER = '2026-03-11T12:00:00.000Z'
const THREE_DAYS_ON = '2026-03-13T12:00:00.000Z'

const said = (outcome: Screening['outcome']): Screening => ({
  outcome,
  score: {
    ...{ model: 'fraud-2', probability: 0.5, decision: 'review', by: 'model' },
    ...{ features: { amount: 12 }, reasons: [] },
  },
  policy: 3,
})

const asked = (
  outcome: Screening['outcome'] | undefined,
  amount = '4000',
  more: Partial<AskedTransfer['posting']> = {},
): ['transfer', AskedTransfer] => [
  'transfer',
  {
    posting: posting(ADA, BOB, amount, { id: 't1', description: 'Rent', ...more }),
    poster: staff,
    screening: outcome && said(outcome),
    asked_by: 'ada',
  },
]

const approval = (by = 'bob', at = LATER) =>
  ['approveTransfer', { transfer: 't1', by, at }] as const
const refusal = (by = 'bob', at = LATER) =>
  ['declineTransfer', { transfer: 't1', by, at, reason: 'She did not ask for it' }] as const

/** All that these decisions write must be what the schemas of the events say. */
const parsed = (history: ReturnType<typeof bank>) => {
  for (const { type, data } of history) {
    expect(ledgerEvents[type as keyof typeof ledgerEvents].parse(data)).toEqual(data)
  }
}

describe('a screened transfer', () => {
  test('that the gate lets pass is posted, with what the gate said', () => {
    const history = playOn(bank(), asked('post'))
    expect(history.at(-1)).toMatchObject({
      type: 'EntryPosted',
      data: { entry: { id: 't1', screening: said('post') } },
    })
    parsed(history)
  })

  test('that the gate was not asked about says nothing of it', () => {
    const { data } = playOn(bank(), asked(undefined)).at(-1) as { data: { entry: object } }
    expect(data.entry).not.toHaveProperty('screening')
  })

  test('that the gate refuses moves nothing, and is written down', () => {
    const history = playOn(bank(), asked('refuse', '4000', { reference: 'R1' }))
    expect(history.at(-1)).toMatchObject({
      type: 'TransferDeclined',
      data: {
        transfer: { id: 't1', from: ADA, to: BOB, amount: '4000', asset: 'USD/2', reference: 'R1' },
        declined_by: null,
        declined_at: NOON,
      },
    })
    expect(accountAfter(history, ADA)).toMatchObject({ balance: 10000n, held: 0n })
    parsed(history)
  })

  test.each(['post', 'hold', 'refuse'] as const)(
    'that could not be posted anyway is refused for that, also when the gate says %s',
    (outcome) => {
      given(bank())
        .when(...asked(outcome, '10001'))
        .rejects('INSUFFICIENT_FUNDS')
    },
  )
})

describe('a held transfer', () => {
  const held = playOn(bank(), asked('hold'))

  test('keeps the money back for three days', () => {
    expect(held.at(-1)).toMatchObject({
      type: 'HoldPlaced',
      data: { hold: { id: 't1', expires_at: THREE_DAYS_ON }, transfer: { asked_by: 'ada' } },
    })
    expect(accountAfter(held, ADA)).toMatchObject({ balance: 10000n, held: 4000n })
    expect(accountAfter(held, BOB)).toMatchObject({ balance: 0n })
    parsed(held)
  })

  test('is posted as it was asked for when somebody else approves', () => {
    const history = playOn(held, [...approval()])
    expect(history.at(-1)).toMatchObject({
      type: 'EntryPosted',
      data: {
        entry: {
          ...{ id: 't1', kind: 'transfer', description: 'Rent', booked_at: LATER },
          ...{ screening: said('hold'), approved_by: 'bob' },
          captures: { hold: 't1', amount: '4000', left: '0' },
        },
      },
    })
    expect(accountAfter(history, ADA)).toMatchObject({ balance: 6000n, held: 0n })
    expect(accountAfter(history, BOB)).toMatchObject({ balance: 4000n })
    parsed(history)
  })

  test('gives the money back when somebody else declines', () => {
    const history = playOn(held, [...refusal()])
    expect(history.slice(-2)).toMatchObject([
      { type: 'HoldReleased', data: { hold: 't1', amount: '4000' } },
      { type: 'TransferDeclined', data: { declined_by: 'bob', reason: 'She did not ask for it' } },
    ])
    expect(accountAfter(history, ADA)).toMatchObject({ balance: 10000n, held: 0n })
    parsed(history)
  })

  test('is decided by somebody else than who asked, once, and in time', () => {
    given(held)
      .when(...approval('ada'))
      .rejects('MAKER_IS_CHECKER')
    given(held)
      .when(...refusal('ada'))
      .rejects('MAKER_IS_CHECKER')
    for (const decided of [playOn(held, [...approval()]), playOn(held, [...refusal()])]) {
      given(decided)
        .when(...approval())
        .rejects('HOLD_NOT_OPEN')
      given(decided)
        .when(...refusal())
        .rejects('HOLD_NOT_OPEN')
    }
    given(held)
      .when(...approval('bob', THREE_DAYS_ON))
      .rejects('HOLD_NOT_OPEN')
  })

  test('keeps its hold from being spent or given back by other ways', () => {
    const capture = { hold: 't1', to: BOB, closes: true, id: 'c1', at: LATER, poster: staff }
    given(held).when('captureHold', capture).rejects('HOLD_AWAITS_REVIEW')
    given(held).when('releaseHold', { hold: 't1', at: LATER }).rejects('HOLD_AWAITS_REVIEW')
  })

  test('is not approved when its target takes nothing any more', () => {
    const frozen = playOn(held, ['freezeAccount', { account: BOB, reason: 'lost' }])
    given(frozen)
      .when(...approval())
      .rejects('ACCOUNT_FROZEN')
  })

  test('brings its own deposit hold, as far as that is still to come', () => {
    const until = '2026-03-12T00:00:00.000Z'
    const holds = [{ id: 't1-0', account: BOB, amount: '4000', until }]
    const waiting = playOn(bank(), asked('hold', '4000', { holds }))
    parsed(waiting)
    const soon = playOn(waiting, [...approval()])
    expect(accountAfter(soon, BOB)).toMatchObject({ balance: 4000n, held: 4000n })
    const late = playOn(waiting, [...approval('bob', '2026-03-12T00:00:00.001Z')])
    expect(accountAfter(late, BOB)).toMatchObject({ balance: 4000n, held: 0n })
  })

  test('an ordinary hold is no transfer', () => {
    const hold = { id: 't1', account: ADA, amount: '10', kind: 'authorisation' as const }
    const placed = { hold: { ...hold, description: '', expires_at: null }, at: NOON }
    given(playOn(bank(), ['placeHold', placed]))
      .when(...approval())
      .rejects('HOLD_NOT_OPEN')
  })
})

describe('an account', () => {
  test('passes the gate when it was opened so, or was told so since', () => {
    const [, opening] = account('customers:eve')
    const opened = playOn(bank(), ['openAccount', { ...opening, risk: 'gate' }])
    expect(accountAfter(opened, 'customers:eve').risk).toBe('gate')
    expect(accountAfter(opened, ADA).risk).toBe('none')
    const told = playOn(opened, ['changeGating', { account: ADA, risk: 'gate' }])
    expect(accountAfter(told, ADA).risk).toBe('gate')
    given(told).when('changeGating', { account: ADA, risk: 'gate' }).gives()
    given(told)
      .when('changeGating', { account: 'customers:x', risk: 'gate' })
      .rejects('ACCOUNT_NOT_FOUND')
  })
})
