import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ageingOf,
  costOf,
  LoanProduct,
  scheduleOf,
  spread,
  type Terms,
} from '../domain/loans/schedules.ts'
import { interestWithin } from '../domain/loans/state.ts'

const terms = (more: Partial<Terms> = {}): Terms => ({
  ...{ product: 'simple', amount: '100000', rate_basis_points: 1000, term_months: 12 },
  ...more,
})

const sum = (amounts: readonly string[]): bigint =>
  amounts.reduce((total, amount) => total + BigInt(amount), 0n)

describe('a schedule', () => {
  test('of simple interest is P*r*n/1200, in equal instalments, of which the last rounds', () => {
    expect(costOf(terms())).toEqual({ instalment: '9167', interest: '10000', total: '110000' })
    const schedule = scheduleOf(terms(), '2026-03-10')
    expect(schedule[0]).toEqual({ due: '2026-04-10', principal: '8333', interest: '834' })
    expect(schedule.at(-1)).toEqual({ due: '2027-03-10', principal: '8337', interest: '826' })
  })

  test('of a declining balance is the annuity of the textbook', () => {
    // 1,000.00 at 1 % a month: 88.85 for twelve months, 10.00 of interest in the first.
    const annuity = terms({ product: 'declining_balance', rate_basis_points: 1200 })
    expect(costOf(annuity)).toEqual({ instalment: '8885', interest: '6619', total: '106619' })
    const schedule = scheduleOf(annuity, '2026-03-10')
    expect(schedule[0]).toMatchObject({ principal: '7885', interest: '1000' })
    expect(schedule[1]).toMatchObject({ principal: '7964', interest: '921' })
  })

  test.each(LoanProduct.options)('%s without interest is the amount, in parts', (product) => {
    const free = terms({ product, rate_basis_points: 0, amount: '1000', term_months: 3 })
    const schedule = scheduleOf(free, '2026-01-01')
    expect(schedule.map(({ principal }) => principal)).toEqual(['333', '333', '334'])
    expect(schedule.map(({ interest }) => interest)).toEqual(['0', '0', '0'])
  })

  test('rounds a half to the even one', () => {
    const half = (amount: string) => costOf(terms({ amount, rate_basis_points: 0, term_months: 2 }))
    expect([half('5').instalment, half('7').instalment]).toEqual(['2', '4'])
  })

  test('is due on the same day of each month, in a shorter one on its last', () => {
    const dues = scheduleOf(terms({ term_months: 4 }), '2027-12-31').map(({ due }) => due)
    expect(dues).toEqual(['2028-01-31', '2028-02-29', '2028-03-31', '2028-04-30'])
  })

  const anyTerms = (most: { amount: bigint; months: number }) =>
    fc.record({
      product: fc.constantFrom(...LoanProduct.options),
      amount: fc.bigInt({ min: 1n, max: most.amount }).map(String),
      rate_basis_points: fc.integer({ min: 0, max: 10_000 }),
      term_months: fc.integer({ min: 1, max: most.months }),
    })
  const runs = [
    ['ordinary', { amount: 100_000_000n, months: 60 }, 3000],
    ['tiny', { amount: 500n, months: 360 }, 300],
    ['huge', { amount: 10n ** 23n, months: 360 }, 100],
  ] as const

  test.each(runs)(
    'of %s loans adds up, is never negative, and ends on a rounding',
    (_, most, numRuns) => {
      fc.assert(
        fc.property(anyTerms(most), (drawn) => {
          const schedule = scheduleOf(drawn, '2026-03-10')
          const { total, interest, instalment } = costOf(drawn)
          expect(schedule).toHaveLength(drawn.term_months)
          expect(sum(schedule.map(({ principal }) => principal))).toBe(BigInt(drawn.amount))
          expect(sum(schedule.map((one) => one.interest)).toString()).toBe(interest)
          const sizes = schedule.map((one) => sum([one.principal, one.interest]))
          expect(sum(sizes.map(String)).toString()).toBe(total)
          for (const { principal, interest: part } of schedule) {
            expect(BigInt(principal) >= 0n && BigInt(part) >= 0n).toBe(true)
          }
          // Each of the others may be off by half of the smallest unit.
          const off = (sizes.at(-1) ?? 0n) - BigInt(instalment)
          const most = BigInt(Math.ceil(drawn.term_months / 2)) + 1n
          expect(off <= most && -off <= most).toBe(true)
          expect(new Set(sizes.slice(0, -1)).size).toBeLessThanOrEqual(
            BigInt(total) < 130_000n ? 3 : 1,
          )
        }),
        { numRuns },
      )
    },
  )

  test('takes what is paid for the oldest instalment first, interest before principal', () => {
    const instalments = [
      { due: '2026-04-10', principal: '100', interest: '10' },
      { due: '2026-05-10', principal: '100', interest: '10' },
    ]
    const paid = (amount: bigint) => spread(instalments, amount).map((one) => one.paid)
    expect(paid(5n)).toEqual([
      { interest: 5n, principal: 0n },
      { interest: 0n, principal: 0n },
    ])
    expect(paid(115n)).toEqual([
      { interest: 10n, principal: 100n },
      { interest: 5n, principal: 0n },
    ])
    expect(
      [0n, 10n, 110n, 120n, 220n].map((amount) => interestWithin(instalments, amount)),
    ).toEqual([0n, 10n, 10n, 20n, 20n])
  })
})

test.each([
  [0, 'current'],
  [1, '1-30'],
  [30, '1-30'],
  [31, '31-60'],
  [60, '31-60'],
  [61, '61-90'],
  [90, '61-90'],
  [91, '90+'],
])('%i days overdue are %s', (days, bucket) => {
  expect(ageingOf(days)).toBe(bucket)
})
