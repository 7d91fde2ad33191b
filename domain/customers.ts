import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

export const customerEvents = {
  CustomerRegistered: z.object({
    customer: Identifier,
    /** What contracts with integer ids call him. */
    number: z.int().min(1),
    /** Sealed: his name. */
    profile: z.string().max(8192),
    registered_at: Instant,
  }),
} as const

type CustomerEvent = EventOf<typeof customerEvents>

export type CustomerState = { readonly profile: string | null; readonly number: number }

const register = (
  state: CustomerState,
  data: z.infer<typeof customerEvents.CustomerRegistered>,
): Decision<CustomerEvent> =>
  state.profile === null
    ? [{ type: 'CustomerRegistered', data }]
    : refuse('CUSTOMER_EXISTS', `${data.customer} exists already.`)

/** A person who holds accounts. What he is called is sealed and plays no part here. */
export const Customer = decider({
  category: 'customer',
  schemas: customerEvents,
  initial: (): CustomerState => ({ profile: null, number: 0 }),
  evolve: {
    CustomerRegistered: (_state, { profile, number }): CustomerState => ({ profile, number }),
  },
  decide: { register },
})
