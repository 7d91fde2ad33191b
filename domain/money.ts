import { z } from 'zod'

/**
 * Money is a whole number of minor units with its asset. `bigint` in code; a decimal string of
 * minor units in events, tables and HTTP, because JSON numbers lose digits above 2^53.
 */

/** `USD/2`: an asset's code and the number of decimal places of its minor unit. */
export const Asset = z
  .string()
  .regex(/^[A-Z][A-Z0-9]{1,15}\/(?:\d|1[0-8])$/, 'an asset looks like USD/2: code, slash, places')

const MAX_DIGITS = 24

/** A positive amount in minor units, at most 24 digits. */
export const Amount = z
  .string()
  .regex(
    new RegExp(`^[1-9]\\d{0,${MAX_DIGITS - 1}}$`),
    `an amount is a string of minor units: digits only, above zero, at most ${MAX_DIGITS}`,
  )

/** Zero or a positive amount. */
export const AmountOrZero = z
  .string()
  .regex(
    new RegExp(`^(?:0|[1-9]\\d{0,${MAX_DIGITS - 1}})$`),
    `minor units: digits only, zero or more, at most ${MAX_DIGITS}`,
  )

const BALANCE_DIGITS = 30

/** A balance: may be negative, and is wider than an amount because it is a sum. */
export const Balance = z
  .string()
  .regex(new RegExp(`^(?:0|-?[1-9]\\d{0,${BALANCE_DIGITS - 1}})$`), 'a balance in minor units')

/** The first number that a balance cannot show. */
export const BALANCE_LIMIT = 10n ** BigInt(BALANCE_DIGITS)

/** Number of decimal places of the asset's minor unit. */
export const placesOf = (asset: string): number => Number(asset.slice(asset.indexOf('/') + 1))

/** `ghs` of `GHS/2`, as account codes write it. */
export const currencyOf = (asset: string): string =>
  asset.slice(0, asset.indexOf('/')).toLowerCase()

/** A quotient of whole numbers, neither below zero, rounded half to even. */
export const halfEven = (numerator: bigint, denominator: bigint): bigint => {
  const whole = numerator / denominator
  const twice = 2n * (numerator % denominator)
  return twice > denominator || (twice === denominator && whole % 2n === 1n) ? whole + 1n : whole
}

/** `formatAmount('-1234567', 'USD/2')` is `-12345.67`: exact, no grouping. */
export const formatAmount = (minor: string, asset: string): string => {
  const places = placesOf(asset)
  if (places === 0) return minor
  const negative = minor.startsWith('-')
  const digits = (negative ? minor.slice(1) : minor).padStart(places + 1, '0')
  const whole = digits.slice(0, -places)
  return `${negative ? '-' : ''}${whole}.${digits.slice(-places)}`
}

const SYMBOLS: Readonly<Record<string, string>> = { USD: '$' }

/** `formatMoney('525000', 'USD/2')` is `$5,250.00`; other assets are written with their code. */
export const formatMoney = (minor: string | bigint, asset: string): string => {
  const text = formatAmount(minor.toString(), asset)
  const [whole = '', places] = text.replace('-', '').split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const code = asset.slice(0, asset.indexOf('/'))
  const sign = text.startsWith('-') ? '-' : ''
  return `${sign}${SYMBOLS[code] ?? `${code} `}${grouped}${places === undefined ? '' : `.${places}`}`
}

/** Of a machine, which knows dollars only: `$5,250.00`. */
export const formatDollars = (cents: string | bigint): string => formatMoney(cents, 'USD/2')
