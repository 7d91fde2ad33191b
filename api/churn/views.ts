import { z } from '@hono/zod-openapi'
import { reachOf } from '../../domain/permissions.ts'
import type { ChurnCustomerView } from '../../projections/churn/index.ts'
import { instant } from '../formats.ts'
import type { Call } from '../route.ts'

const PLACES = 10_000

/** A probability with four places: nobody reads more. */
export const risk = (probability: number | null): number =>
  Math.round((probability ?? 0) * PLACES) / PLACES

export const Customer = z
  .object({
    id: z.int(),
    name: z.string(),
    email: z.string(),
    phone: z.string(),
    risk_score: z.number(),
    last_updated: z.string(),
  })
  .openapi('ChurnCustomer')

export const CustomerWithHistory = Customer.extend({
  risk_history: z.array(z.object({ score: z.number(), timestamp: z.string() })),
})

const SHOWN_DIGITS = 4

/** `john.doe@example.com` as `j***@example.com`. */
const maskEmail = (email: string): string => email.replace(/^(.).*@/, '$1***@')

/** `+254700123456` as `*********3456`. */
const maskPhone = (phone: string): string =>
  '*'.repeat(Math.max(0, phone.length - SHOWN_DIGITS)) + phone.slice(-SHOWN_DIGITS)

/** E-mail and phone in full are for those who may see personal data. */
export const shownTo = ({ identity }: Call) => {
  const isTrusted = reachOf(identity.roles, 'churn:personal') !== undefined
  return (customer: ChurnCustomerView) => {
    const email = customer.email ?? ''
    const phone = customer.phone ?? ''
    return {
      id: customer.number,
      name: customer.name ?? '',
      email: isTrusted ? email : maskEmail(email),
      phone: isTrusted ? phone : maskPhone(phone),
      risk_score: risk(customer.probability),
      last_updated: instant(customer.scored_at ?? customer.changed_at),
    }
  }
}
