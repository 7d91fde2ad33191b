import { z } from 'zod'
import { AccountCode } from './ledger/events.ts'

/** Customers' accounts: their code is their number, so that the book itself keeps it unique. */
const CONTROL = 'customers:'

export const AccountNumber = z
  .string()
  .regex(/^[0-9A-Z][0-9A-Z-]{0,19}$/, 'an account number is 1 to 20 of 0-9, A-Z and dashes')

export const Product = z.enum(['checking', 'savings'])
export type Product = z.infer<typeof Product>

export const accountCodeOf = (number: string): string => `${CONTROL}${number.toLowerCase()}`
export const accountNumberOf = (code: string): string => code.slice(CONTROL.length).toUpperCase()

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
export const OPENING_EQUITY = 'equity:opening-balances'

/** What may leave an account in a day by card, where nothing else was agreed: minor units. */
export const CARD_LIMITS = [
  { window: 'day', kind: 'withdrawal', amount: '50000' },
  { window: 'day', kind: 'transfer', amount: '250000' },
] as const
