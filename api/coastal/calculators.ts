import { z } from '@hono/zod-openapi'
import { commissionRateOf } from '../../domain/commissions.ts'
import { forecastInterest, ONE } from '../../domain/forecasts.ts'
import { halfEven } from '../../domain/money.ts'
import { route } from '../contract.ts'
import { instant } from '../formats.ts'
import type { Route } from '../route.ts'
import { STAFF } from './accounts.ts'
import { Cedis, cedis } from './amounts.ts'
import { REQUIRED } from './errors.ts'

const tag = 'Calculators'
const PLACES = 8
const MOST_MONTHS = 1200

const orRequired =
  (otherwise: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    input === undefined ? REQUIRED : otherwise

/** A number or a text, as it was given and in hundred-millionths. */
const Decimal = z
  .union([z.number(), z.string().max(64)], { error: orRequired('A valid number is required.') })
  .transform((value, context) => {
    const text = String(value).trim()
    const [whole = '', decimals = ''] = text.split('.')
    if (/^\d{1,15}(?:\.\d{1,8})?$/.test(text)) {
      return { text, units: BigInt(whole + decimals.padEnd(PLACES, '0')) }
    }
    const message = 'A number from 0 on with at most 15 digits and 8 decimals is required.'
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  .openapi({ example: '1000' })

const Months = z
  .union([z.int(), z.string().regex(/^\d{1,4}$/)], {
    error: orRequired('A valid integer is required.'),
  })
  .transform(Number)
  .pipe(z.int().min(0).max(MOST_MONTHS))

const Agent = z.union([z.int(), z.string().trim().min(1).max(64)], {
  error: orRequired('Not a valid id.'),
})

const texts: Readonly<Record<string, string>> = { 10: '1.00%', 15: '1.500%', 20: '2.00%' }

export const calculatorRoutes: readonly Route[] = [
  route('post', '/api/operations/calculate-interest/', 'calculators:use', {
    tag,
    summary: 'Forecast what simple interest comes to',
    description: 'The rate is of a year, in per cent. Rounded half to even.',
    input: z.object({ principal: Decimal, rate: Decimal, months: Months }),
    response: z.object({
      principal: z.string(),
      rate_percentage: z.string(),
      duration_months: z.int(),
      interest_amount: Cedis,
      total_amount: Cedis,
      monthly_repayment: z
        .union([Cedis, z.literal(0)])
        .openapi({ description: 'the number 0 for no months' }),
    }),
    example: { ...STAFF, body: { principal: '5000', rate: '15.5', months: 18 } },
    run: async ({ input: { principal, rate, months } }) => {
      const { interest, total, monthly } = forecastInterest(principal.units, rate.units, months)
      return {
        body: {
          principal: principal.text,
          rate_percentage: rate.text,
          duration_months: months,
          interest_amount: cedis(interest.toString()),
          total_amount: cedis(total.toString()),
          monthly_repayment: monthly === null ? 0 : cedis(monthly.toString()),
        },
      }
    },
  }),
  route('post', '/api/operations/calculate-commission/', 'calculators:use', {
    tag,
    summary: "Compute an agent's commission",
    description: '1 % below 1,000, 1.5 % below 10,000, 2 % from there on, of the whole amount.',
    input: z.object({ agent_id: Agent, amount: Decimal }),
    response: z.object({
      agent_id: z.union([z.int(), z.string()]),
      transaction_amount: z.string(),
      commission_rate: z.string().openapi({ example: '1.500%' }),
      commission_amount: Cedis,
      calculated_at: z.string(),
    }),
    example: { ...STAFF, body: { agent_id: 7, amount: '1000.00' } },
    run: async ({ at, input: { agent_id, amount } }) => {
      const permille = commissionRateOf(amount.units, ONE)
      const commission = halfEven(amount.units * permille, 10n * ONE)
      return {
        body: {
          agent_id,
          transaction_amount: amount.text,
          commission_rate: texts[permille.toString()] ?? '',
          commission_amount: cedis(commission.toString()),
          calculated_at: instant(at),
        },
      }
    },
  }),
]
