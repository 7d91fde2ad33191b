import { z } from 'zod'
import { Customer, type customerEvents } from '../domain/customers.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { command, takeNumber } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import { lookAt } from './look.ts'
import type { Ports } from './ports.ts'

export const registerCustomer = command({
  name: 'customers.register',
  permission: 'customers:manage',
  input: z.strictObject({
    /** Absent: a ULID. */
    customer: Identifier.optional(),
    name: z.string().trim().min(1).max(256),
  }),
  decider: Customer,
  stream: ({ customer }, { newId }) => customer ?? newId(),
  on: 'new',
  otherwise: 'CUSTOMER_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ customer: given, name }, enrichment) => {
    const { ports, context, at, newId } = enrichment
    const customer = given ?? newId()
    return {
      customer,
      number: await takeNumber(enrichment, 'customers'),
      // A dry run leaves nothing behind, so it makes no key either.
      profile: context.dryRun ? '' : await ports.vault.seal(customer, { name }),
      registered_at: at,
    }
  },
  decide: Customer.decide.register,
  answer: (events, { name }) => {
    const data = dataOf<z.infer<typeof customerEvents.CustomerRegistered>>(
      events,
      'CustomerRegistered',
    )
    const { customer, number, registered_at } = data
    return { customer, number, name, registered_at }
  },
})

/** Undefined when there is no such customer; the name is null when he was forgotten. */
export const lookAtCustomer = async (
  ports: Pick<Ports, 'engine' | 'vault'>,
  customer: string,
): Promise<{ readonly number: number; readonly name: string | null } | undefined> => {
  const { profile, number, forgotten } = await lookAt(ports, Customer, customer)
  if (profile === null || forgotten) return undefined
  return { number, name: (await ports.vault.open(customer, profile))?.name ?? null }
}
