import { z } from '@hono/zod-openapi'
import { formatAmount } from '../../domain/money.ts'
import { REQUIRED } from './errors.ts'

export const ASSET = 'GHS/2'
const PLACES = 2

/** What is not there at all has a complaint of its own. */
export const orRequired =
  (otherwise: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    input === undefined ? REQUIRED : otherwise

/** As they are written: at most two decimals, and at most 24 digits in all. */
const WRITTEN = /^\d{1,22}(?:\.\d{1,2})?$/

const isExact = (value: number): boolean => Number.isSafeInteger(Math.round(value * 100))

/** A number or a text as minor units; undefined when it is none. */
const minorOf = (value: number | string): string | undefined => {
  const text = String(value).trim()
  if (!WRITTEN.test(text) || (typeof value === 'number' && !isExact(value))) return undefined
  const [whole = '', decimals = ''] = text.split('.')
  return BigInt(whole + decimals.padEnd(PLACES, '0')).toString()
}

const complaintAbout = (value: number | string): string => {
  if (!Number.isFinite(Number(value)) || String(value).trim() === '') {
    return 'A valid number is required.'
  }
  return Number(value) <= 0
    ? 'Ensure this value is greater than 0.'
    : 'Ensure that there are no more than 2 decimal places and 24 digits; send large ones as text.'
}

/** An amount in requests: minor units, above zero. */
export const GivenAmount = z
  .union([z.number(), z.string().max(64)], { error: orRequired('A valid number is required.') })
  .transform((value, context) => {
    const minor = minorOf(value)
    if (minor !== undefined && minor !== '0') return minor
    context.addIssue({ code: 'custom', message: complaintAbout(value) })
    return z.NEVER
  })
  .openapi({ example: '150.00' })

/** `15000` minor units as `150.00`. */
export const cedis = (minor: string): string => formatAmount(minor, ASSET)

export const Cedis = z.string().openapi({ example: '150.00' })

/** The id of something, as a number or as its digits. */
export const GivenId = z
  .union([z.int().min(1), z.string().regex(/^[1-9]\d{0,14}$/)], {
    error: orRequired('Incorrect type. Expected an id.'),
  })
  .transform(Number)
