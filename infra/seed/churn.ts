/** Analysts, customers who may leave, and alerts: for tests of the churn contract. */
import { z } from 'zod'
import { addChurnCustomer } from '../../commands/churn.ts'
import {
  alertNotSent,
  alertSent,
  configureChurnAlerts,
  raiseChurnAlert,
} from '../../commands/churn_alerts.ts'
import { importUser } from '../../commands/users.ts'
import { AlertType, ChurnProfile } from '../../domain/churn.ts'
import type { Role } from '../../domain/permissions.ts'
import { type Ask as AskAt, SeedRefused } from './ask.ts'
import type { Refs } from './machine.ts'

const Ref = z.string().min(1)

const User = z.strictObject({
  ref: Ref,
  username: z.string().min(1).max(128),
  email: z.email().optional(),
  password: z.string().min(1).max(1024),
  is_staff: z.boolean().default(false),
  is_superuser: z.boolean().default(false),
})

const Customer = z.strictObject({
  ref: Ref,
  name: z.string(),
  email: z.string(),
  phone: z.string(),
  ...ChurnProfile.shape,
})

const Alert = z.strictObject({
  ref: Ref.optional(),
  /** The ref of a customer. */
  customer: Ref,
  alert_type: AlertType,
  message: z.string(),
  was_sent: z.boolean().default(false),
})

export const ChurnSeed = z.strictObject({
  users: z.array(User).max(1000).default([]),
  customers: z.array(Customer).max(10_000).default([]),
  alerts: z.array(Alert).max(1000).default([]),
  alert_config: z
    .strictObject({
      webhook_url: z.string().nullable().optional(),
      is_enabled: z.boolean().optional(),
      high_risk_threshold: z.number().optional(),
      risk_increase_threshold: z.number().optional(),
    })
    .optional(),
})
export type ChurnSeed = z.infer<typeof ChurnSeed>

const roleOf = ({ is_staff, is_superuser }: z.infer<typeof User>): Exclude<Role, 'system'> => {
  if (is_superuser) return 'admin'
  return is_staff ? 'retention_lead' : 'retention'
}

type Known = Readonly<Record<string, { readonly id: number; readonly customer: string }>>

/** Brings it all about through commands. Throws SeedRefused. */
export const seedChurn = async (
  { ask, at }: { readonly ask: AskAt; readonly at: Date },
  seed: ChurnSeed,
): Promise<Refs> => {
  const refs: Record<string, Record<string, string | number>> = {}
  await Promise.all(
    seed.users.map(async (given) => {
      const { ref, username, password, email } = given
      const person = { username, password, name: username, ...(email !== undefined && { email }) }
      const user = await ask(undefined, importUser, { ...person, roles: [roleOf(given)] }, at)
      refs[ref] = { id: user.user, username }
    }),
  )
  if (seed.alert_config) await ask(undefined, configureChurnAlerts, seed.alert_config, at)
  const known: Record<string, Known[string]> = {}
  // One after another, so that their ids follow the order in which they are given.
  for (const { ref, name, email, phone, ...profile } of seed.customers) {
    const person = { name, email, phone }
    const added = await ask(undefined, addChurnCustomer, { person, profile }, at)
    known[ref] = { id: added.number, customer: added.customer }
    refs[ref] = known[ref]
  }
  for (const { ref, customer: of, alert_type, message, was_sent } of seed.alerts) {
    const found = known[of]
    if (!found) {
      const detail = `There is no customer ${of}.`
      throw new SeedRefused('alerts', { refused: 'CUSTOMER_NOT_FOUND', detail })
    }
    const { customer } = found
    const { alert } = await ask(undefined, raiseChurnAlert, { customer, alert_type, message }, at)
    if (was_sent) await ask(undefined, alertSent, { customer, alert }, at)
    else await ask(undefined, alertNotSent, { customer, alert, error: 'Given as not sent.' }, at)
    if (ref !== undefined) refs[ref] = { id: alert }
  }
  return refs
}
