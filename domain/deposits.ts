import { z } from 'zod'
import { AccountCode } from './ledger/events.ts'
import { currencyOf } from './money.ts'

/** Customers' accounts: their code is their number, so that the book itself keeps it unique. */
const CONTROL = 'customers:'

export const AccountNumber = z
  .string()
  .regex(/^[0-9A-Z][0-9A-Z-]{0,19}$/, 'an account number is 1 to 20 of 0-9, A-Z and dashes')

/** What a savings and susu bank offers. */
export const SusuProduct = z.enum(['daily_susu', 'member_savings', 'youth_savings', 'shares'])
export type SusuProduct = z.infer<typeof SusuProduct>

export const Product = z.enum(['checking', 'savings', ...SusuProduct.options])
export type Product = z.infer<typeof Product>

export const accountCodeOf = (number: string): string => `${CONTROL}${number.toLowerCase()}`
/** Of another account, its code. */
export const accountNumberOf = (code: string): string =>
  (code.startsWith(CONTROL) ? code.slice(CONTROL.length) : code).toUpperCase()

/** The code behind a number that somebody typed; undefined when no account can have it. */
export const findableCode = (number: string): string | undefined => {
  const code = accountCodeOf(number)
  return AccountNumber.safeParse(number).success && AccountCode.safeParse(code).success
    ? code
    : undefined
}

/** `1000-0001-0001` is shown as `XXXX-XXXX-0001`: the last four stay. */
export const maskAccountNumber = (number: string): string =>
  number.slice(0, -4).replace(/[0-9A-Z]/g, 'X') + number.slice(-4)

/** What an account stood at before Daybook kept it: no transaction of its owner. */
export const OPENING_BALANCE = 'opening_balance'
const OPENING_EQUITY = 'equity:opening-balances'

/** An account holds one asset; dollars, which came first, have the code without a suffix. */
export const openingEquityOf = (asset: string): string =>
  asset === 'USD/2' ? OPENING_EQUITY : `${OPENING_EQUITY}:${currencyOf(asset)}`

const BANK = '2231'
const PLACES = 8
const SPACE = 10n ** BigInt(PLACES)
// Without a divisor in common with SPACE: no two of the first 10^8 numbers meet.
const STRIDE = 61_803_399n
const OFFSET = 27_182_818n

/** The check digit of ISO/IEC 7812 (Luhn): it finds a wrong digit and most that changed places. */
const luhnDigitOf = (digits: string): number => {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 2 : 1)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return (10 - (sum % 10)) % 10
}

/** `2231`, eight digits that tell nobody how many accounts there are, and a check digit. */
export const bankNumberOf = (id: number): string => {
  const mixed = (BigInt(id) * STRIDE + OFFSET) % SPACE
  const digits = `${BANK}${mixed.toString().padStart(PLACES, '0')}`
  return `${digits}${luhnDigitOf(digits)}`
}

/** What may leave an account in a day by card, where nothing else was agreed: minor units. */
export const CARD_LIMITS = [
  { window: 'day', kind: 'withdrawal', amount: '50000' },
  { window: 'day', kind: 'transfer', amount: '250000' },
] as const
