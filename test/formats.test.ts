import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayAfter, daysBetween, dayText, periodText } from '../domain/calendar.ts'
import { formatDollars, formatMoney } from '../domain/money.ts'
import { describeMovement, totalOf } from '../domain/movements.ts'

describe('money', () => {
  test.each([
    ['0', 'USD/2', '$0.00'],
    ['1', 'USD/2', '$0.01'],
    ['-1', 'USD/2', '-$0.01'],
    ['99', 'USD/2', '$0.99'],
    ['100', 'USD/2', '$1.00'],
    ['99999', 'USD/2', '$999.99'],
    ['100000', 'USD/2', '$1,000.00'],
    ['525000', 'USD/2', '$5,250.00'],
    ['-525000', 'USD/2', '-$5,250.00'],
    ['99999999999', 'USD/2', '$999,999,999.99'],
    ['123456789012345678901234', 'USD/2', '$1,234,567,890,123,456,789,012.34'],
    ['1234567', 'KES/2', 'KES 12,345.67'],
    ['-50', 'KES/2', '-KES 0.50'],
    ['1234567', 'JPY/0', 'JPY 1,234,567'],
    ['1', 'BTC/8', 'BTC 0.00000001'],
    ['123400000000', 'BTC/8', 'BTC 1,234.00000000'],
    ['1234', 'USD/0', '$1,234'],
  ])('%s of %s is written %s', (minor, asset, text) => {
    expect(formatMoney(minor, asset)).toBe(text)
    expect(formatMoney(BigInt(minor), asset)).toBe(text)
  })

  test('says exactly what it is, whatever it is', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (cents) => {
        const text = formatDollars(cents)
        expect(text).toMatch(/^-?\$\d{1,3}(,\d{3})*\.\d\d$/)
        expect(BigInt(text.replace(/[$,.]/g, ''))).toBe(cents)
      }),
    )
  })
})

describe('a day', () => {
  test.each([
    ['2026-02-01', 'Feb 1, 2026'],
    ['2026-12-31', 'Dec 31, 2026'],
    ['2024-02-29', 'Feb 29, 2024'],
    ['2000-01-10', 'Jan 10, 2000'],
  ])('%s is written %s', (day, text) => {
    expect(dayText(day)).toBe(text)
  })

  test('is the same wherever the server stands', () => {
    const zone = process.env.TZ
    for (const place of ['Asia/Tokyo', 'America/Caracas', 'Pacific/Kiritimati']) {
      process.env.TZ = place
      expect(periodText({ from: '2026-01-01', to: '2026-01-31' })).toBe(
        'Jan 1, 2026 - Jan 31, 2026',
      )
    }
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })

  test.each([
    ['2026-02-28', 1, '2026-03-01'],
    ['2024-02-28', 1, '2024-02-29'],
    ['2026-01-01', -1, '2025-12-31'],
    ['2026-03-10', 0, '2026-03-10'],
    ['2026-03-10', -29, '2026-02-09'],
  ])('%s and %d days are %s', (day, days, expected) => {
    expect(dayAfter(day, days)).toBe(expected)
    expect(daysBetween(day, expected)).toBe(days)
  })
})

describe('a movement', () => {
  const metadata = { from: 'customers:1000-0001-0001', to: 'customers:1000-0002-0001' }
  const of = (kind: string, direction: 'debit' | 'credit', more: object = {}) => ({
    ...{ kind, direction, description: 'As posted', metadata: {}, ...more },
  })
  test.each([
    [of('transfer', 'debit', { metadata }), 'Transfer to XXXX-XXXX-0001', 'transfers out'],
    [of('transfer', 'credit', { metadata }), 'Transfer from XXXX-XXXX-0001', 'transfers in'],
    // By a teller, who says nothing of numbers.
    [of('transfer', 'debit'), 'Transfer to another account', 'transfers out'],
    [of('withdrawal', 'debit'), 'As posted', 'withdrawals'],
    [of('withdrawal', 'credit'), 'Overdraft protection transfer', 'transfers in'],
    [of('deposit_cash', 'credit'), 'As posted', 'deposits'],
    [of('deposit_check', 'credit'), 'As posted', 'deposits'],
    [of('reversal', 'credit'), 'As posted', 'other credits'],
    [of('fee', 'debit'), 'As posted', 'other debits'],
  ])('%j is called %s and counts to %s', (movement, name, total) => {
    expect(describeMovement(movement)).toBe(name)
    expect(totalOf(movement)).toBe(total)
  })
})
