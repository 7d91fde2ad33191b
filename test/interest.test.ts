import { describe, expect, test } from 'vitest'
import { createEngine } from '../commands/engine.ts'
import { capitaliseInterest, setInterestTerms, settleInterest } from '../commands/interest.ts'
import { freezeAccount } from '../commands/ledger/index.ts'
import {
  type DayBalances,
  earnedBy,
  INTEREST_UNITS,
  Interest,
  payableOf,
} from '../domain/interest.ts'
import { entriesOf } from '../domain/ledger/events.ts'
import { answerOf, codeOf, NOON, openBranch, SAVINGS } from './machine-support.ts'
import { noSnapshots } from './support/memory.ts'
import { spec } from './support/spec.ts'

const book = 'main'
const account = 'customers:1'
const balances = (more: Partial<DayBalances> = {}): DayBalances => ({
  ...{ accrues_from: '2026-03-01', revision: 7, since: '2026-03-01' },
  ...{ opening: '100000', moved: [], ...more },
})
const moved = (day: string, net: string, late = false) => ({ day, net, late })
/** Minor units a day at 1 bp. */
const flat = [{ from: '2026-01-01', rate_bp: 1 }]

describe('what days have borne', () => {
  test('is the balance of each, by value date, at its rate', () => {
    expect(earnedBy(flat, balances(), '2026-03-31')).toBe(31n * 100_000n)
    const both = [moved('2026-03-11', '5000'), moved('2026-03-31', '-1000')]
    expect(earnedBy(flat, balances({ moved: both }), '2026-03-31')).toBe(
      10n * 100_000n + 20n * 105_000n + 104_000n,
    )
    // What moves behind the last day bears nothing in them.
    expect(earnedBy(flat, balances({ moved: [moved('2026-04-01', '9')] }), '2026-03-31')).toBe(
      31n * 100_000n,
    )
  })

  test('is for a year of 365 days the rate itself, and more for one of 366', () => {
    const rates = [{ from: '2020-01-01', rate_bp: 850 }]
    const of = (year: string) => {
      const since = `${year}-01-01`
      return earnedBy(rates, balances({ accrues_from: since, since }), `${year}-12-31`)
    }
    expect(of('2027')).toBe(8500n * INTEREST_UNITS)
    expect(of('2028') * 365n).toBe(8500n * INTEREST_UNITS * 366n)
  })

  test('changes with the rate on the day that it begins, and begins with the first', () => {
    const rates = [
      { from: '2026-03-03', rate_bp: 10 },
      { from: '2026-03-21', rate_bp: 0 },
      { from: '2026-03-31', rate_bp: 2 },
    ]
    expect(earnedBy(rates, balances(), '2026-03-31')).toBe(100_000n * (18n * 10n + 2n))
  })

  test('is nothing for a day that the account was overdrawn', () => {
    const overdrawn = [moved('2026-03-02', '-100001'), moved('2026-03-30', '100002')]
    expect(earnedBy(flat, balances({ moved: overdrawn }), '2026-03-31')).toBe(
      100_000n + 2n * 100_001n,
    )
  })

  test('makes up for what was learnt late, at the rate of its days, and only for that', () => {
    const rates = [
      { from: '2026-02-01', rate_bp: 1 },
      { from: '2026-02-26', rate_bp: 3 },
    ]
    const since = '2026-01-01'
    // The balance was 0 before the 10th of February, which bore interest then.
    const seen = [moved('2026-02-10', '100000')]
    const plain = balances({ since, opening: '0', moved: seen })
    expect(earnedBy(rates, plain, '2026-03-31')).toBe(31n * 3n * 100_000n)
    const late = [...seen, moved('2026-02-25', '500', true), moved('2026-01-30', '-70', true)]
    expect(earnedBy(rates, { ...plain, moved: late }, '2026-03-31')).toBe(
      31n * 3n * 100_430n + (500n + 3n * 3n * 500n) - (1n * 16n + 3n * 3n) * 70n,
    )
  })
})

test.each([
  [0n, 0n],
  [-5n * INTEREST_UNITS, 0n],
  [INTEREST_UNITS / 2n - 1n, 0n],
  [INTEREST_UNITS / 2n, 0n],
  [INTEREST_UNITS / 2n + 1n, 1n],
  [(3n * INTEREST_UNITS) / 2n, 2n],
  [(5n * INTEREST_UNITS) / 2n, 2n],
  [(5n * INTEREST_UNITS) / 2n + 1n, 3n],
])('%d units come to %d, half to even', (owed, paid) => {
  expect(payableOf(owed)).toBe(paid)
})

const terms = { book, account, rate_bp: 1, set_by: 'mia', set_at: NOON }
const set = (from: string, rate_bp = 1, accrues_from = from) =>
  ({ type: 'InterestTermsSet', data: { ...terms, from, rate_bp, accrues_from } }) as const
const accrued = (through: string, owed = '0') =>
  ({
    type: 'InterestAccrued',
    data: {
      ...{ book, account, from: '2026-03-01', through, earned: '0', owed },
      ...{ revision: 3, accrued_at: NOON },
    },
  }) as const

describe('the terms of an account', () => {
  const given = spec(Interest).given
  const from = (day: string) => ({ ...terms, from: day, today: '2026-03-10' })

  test('begin on the first of this month at the earliest, and within a year', () => {
    given().when('setTerms', from('2026-03-01')).gives(set('2026-03-01'))
    given().when('setTerms', from('2027-03-11')).gives(set('2027-03-11'))
    given()
      .when('setTerms', from('2026-02-28'))
      .rejects('INTEREST_START_INVALID', { earliest: '2026-03-01' })
    given().when('setTerms', from('2027-03-12')).rejects('INTEREST_START_INVALID')
  })

  test('never change what was accrued before', () => {
    const before = [set('2026-03-01'), accrued('2026-03-05')]
    given(before).when('setTerms', from('2026-03-05')).rejects('INTEREST_START_INVALID')
    given(before).when('setTerms', from('2026-03-06')).happens('InterestTermsSet')
    expect(given(before, set('2026-03-09', 4, '2026-03-06')).state).toMatchObject({
      accruesFrom: '2026-03-06',
      rates: [
        { from: '2026-03-01', rate_bp: 1 },
        { from: '2026-03-09', rate_bp: 4 },
      ],
    })
  })

  test('may begin earlier than was said first, and are replaced on the same day', () => {
    given(set('2026-05-01')).when('setTerms', from('2026-03-12')).gives(set('2026-03-12'))
    expect(given(set('2026-05-01'), set('2026-05-01', 9)).state.rates).toEqual([
      { from: '2026-05-01', rate_bp: 9 },
    ])
  })
})

describe('accruing', () => {
  const given = spec(Interest).given
  const bp = 10_000
  const asked = { book, account, balances: balances(), through: '2026-03-31', at: NOON }
  const paid = { amount: '8493', entry: 'e1', value_date: '2026-04-01' }

  test('pays what is owed and carries the rest', () => {
    // 100,000 x 10,000 bp x 31 days are 8,493.15 minor units.
    const [first, second, ...more] = given(set('2026-03-01', bp))
      .when('accrue', { ...asked, booked: paid })
      .events()
    expect(more).toEqual([])
    expect(first).toMatchObject({
      type: 'InterestAccrued',
      data: { from: '2026-03-01', through: '2026-03-31', owed: '31000000000', revision: 7 },
    })
    const owed = (31_000_000_000n - 8493n * INTEREST_UNITS).toString()
    expect(second).toMatchObject({ type: 'InterestCapitalised', data: { ...paid, owed } })
  })

  test('is done once for the same days', () => {
    const done = [set('2026-03-01', bp), accrued('2026-03-31')]
    given(done)
      .when('accrue', { ...asked, booked: null })
      .happens()
  })

  test('records what the book paid, also when somebody else accrued at the same time', () => {
    const done = [set('2026-03-01', bp), accrued('2026-03-31', '31000000000')]
    const { state } = given(
      done,
      given(done)
        .when('accrue', { ...asked, booked: paid })
        .events(),
    )
    expect(state.owed).toBe(31_000_000_000n - 8493n * INTEREST_UNITS)
    expect(state.capitalisedThrough).toBe('2026-03-31')
  })
})

describe('an account that bears interest', () => {
  const open = async () => {
    const branch = await openBranch()
    branch.go('2026-03-01T12:00:00.000Z')
    const rate = (rate_bp: number, more: object = {}, context: object = {}) =>
      branch.ask(setInterestTerms, { book, account: SAVINGS, rate_bp, ...more }, context)
    answerOf(await rate(850))
    const of = { book, account: SAVINGS }
    const seen = balances({ opening: '50000' })
    const capitalise = (more: object = {}) =>
      branch.ask(capitaliseInterest, { ...of, balances: seen }, more)
    const settle = (more: object = {}) =>
      branch.ask(settleInterest, { ...of, balances: seen }, more)
    const interest = () =>
      branch.ports.store.log
        .flatMap((event) => entriesOf(event as { type: string; data: object }))
        .filter(({ kind }) => kind === 'interest')
    return { ...branch, rate, capitalise, settle, interest }
  }

  test('is paid when the month is over, once, on the first of the next', async () => {
    const { capitalise, go, interest, stands } = await open()
    go('2026-03-31T23:59:59.999Z')
    expect(codeOf(await capitalise())).toBe('INTEREST_NOT_DUE')
    go('2026-04-03T12:00:00.000Z')
    const all = await Promise.all(Array.from({ length: 8 }, () => capitalise()))
    // 500.00 x 8.5 % x 31 / 365 = 3.6095...
    expect(all.map(codeOf).filter((code) => code !== undefined)).toEqual([])
    expect(interest()).toMatchObject([
      {
        ...{ booked_at: '2026-04-03T12:00:00.000Z', value_date: '2026-04-01' },
        lines: [
          { account: 'expenses:interest:usd', direction: 'debit', amount: '361' },
          { account: SAVINGS, direction: 'credit', amount: '361' },
        ],
      },
    ])
    expect((await stands(SAVINGS)).balance).toBe(50_361n)
    expect(codeOf(await capitalise())).toBe('INTEREST_NOT_DUE')
  })

  test('is paid once when another process pays it too', async () => {
    const { capitalise, go, interest, ports, types } = await open()
    go('2026-04-03T12:00:00.000Z')
    const other = { ...ports, engine: createEngine(ports.store, noSnapshots) }
    await Promise.all([capitalise(), capitalise({ ports: other })])
    expect(interest()).toHaveLength(1)
    expect(types(`interest-main:${SAVINGS}`)).toEqual([
      ...['InterestTermsSet', 'InterestAccrued', 'InterestCapitalised'],
    ])
  })

  test('is recorded as the book has paid it, where a process ended in between', async () => {
    const { ask, capitalise, go, interest, ports } = await open()
    go('2026-04-03T12:00:00.000Z')
    const submit = ports.engine.submit
    const engine = {
      ...ports.engine,
      submit: ((decider, stream, attempt) =>
        attempt.metadata.causation === 'interest.capitalise' && decider === Interest
          ? Promise.reject(new Error('ended'))
          : submit(decider, stream, attempt)) as typeof submit,
    }
    await expect(capitalise({ ports: { ...ports, engine } })).rejects.toThrow('ended')
    expect(interest()).toHaveLength(1)
    // Meanwhile something has become known that the month would have borne more with.
    const more = balances({ opening: '90000' })
    answerOf(await ask(capitaliseInterest, { book, account: SAVINGS, balances: more }))
    expect(interest()).toHaveLength(1)
    const { state } = await ports.engine.look(Interest, `interest-main:${SAVINGS}`)
    expect(state).toMatchObject({
      capitalisedThrough: '2026-03-31',
      owed: 90_000n * 31n * 850n - 361n * INTEREST_UNITS,
    })
  })

  test('is settled through yesterday by a manager, and goes on from there', async () => {
    const { go, settle, interest } = await open()
    go('2026-03-16T12:00:00.000Z')
    const teller = { actor: { id: 'tess', roles: ['teller'] } }
    expect(codeOf(await settle(teller))).toBe('NOT_PERMITTED')
    expect(answerOf(await settle({ dryRun: true }))).toMatchObject({ amount: '175' })
    expect(interest()).toHaveLength(0)
    expect(answerOf(await settle())).toMatchObject({ through: '2026-03-15', amount: '175' })
    expect(interest()).toMatchObject([{ value_date: '2026-03-16' }])
    expect(codeOf(await settle())).toBe('INTEREST_NOT_DUE')
  })

  test('is paid nothing while it is frozen, and what is too little is only carried', async () => {
    const { ask, go, capitalise, interest, ports } = await open()
    go('2026-04-01T00:00:00.000Z')
    const little = balances({ opening: '1' })
    answerOf(await ask(capitaliseInterest, { book, account: SAVINGS, balances: little }))
    expect(interest()).toHaveLength(0)
    const { state } = await ports.engine.look(Interest, `interest-main:${SAVINGS}`)
    expect(state).toMatchObject({ owed: 31n * 850n, accruesFrom: '2026-04-01' })
    answerOf(await ask(freezeAccount, { book, account: SAVINGS, reason: 'Why not' }))
    go('2026-05-01T00:00:00.000Z')
    const april = balances({ accrues_from: '2026-04-01', since: '2026-04-01' })
    const asked = { book, account: SAVINGS, balances: april }
    expect(codeOf(await ask(capitaliseInterest, asked))).toBe('ACCOUNT_FROZEN')
    expect(codeOf(await capitalise())).toBe('INTEREST_NOT_DUE')
  })

  test("is a customer's, and its terms a manager's", async () => {
    const { rate } = await open()
    expect(codeOf(await rate(1, { account: 'cash:vault' }))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await rate(1, { account: 'customers:none' }))).toBe('ACCOUNT_NOT_FOUND')
    expect(codeOf(await rate(1, { book: 'none' }))).toBe('BOOK_NOT_FOUND')
    const teller = { actor: { id: 'tess', roles: ['teller'] } }
    expect(codeOf(await rate(1, {}, teller))).toBe('NOT_PERMITTED')
  })
})
