import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

const Profile = z.string().max(8192)

export const customerEvents = {
  CustomerRegistered: z.object({
    customer: Identifier,
    /** What contracts with integer ids call him. */
    number: z.int().min(1),
    /** Sealed: his name, and what else is known of how to reach him. */
    profile: Profile,
    registered_at: Instant,
  }),
  CustomerChanged: z.object({ customer: Identifier, profile: Profile, changed_at: Instant }),
  /** The key of his sealed data is destroyed; what is numbered goes on to add up. */
  CustomerForgotten: z.object({ customer: Identifier, forgotten_at: Instant }),
} as const

type CustomerEvent = EventOf<typeof customerEvents>

type Data<Type extends keyof typeof customerEvents> = z.infer<(typeof customerEvents)[Type]>

export type CustomerState = {
  readonly profile: string | null
  readonly number: number
  readonly forgotten: boolean
}

const register = (
  state: CustomerState,
  data: Data<'CustomerRegistered'>,
): Decision<CustomerEvent> =>
  state.profile === null
    ? [{ type: 'CustomerRegistered', data }]
    : refuse('CUSTOMER_EXISTS', `${data.customer} exists already.`)

const isThere = ({ profile, forgotten }: CustomerState): boolean => profile !== null && !forgotten

const missing = (customer: string) =>
  refuse('CUSTOMER_NOT_FOUND', `There is no customer ${customer}.`, { customer })

const change = (state: CustomerState, data: Data<'CustomerChanged'>): Decision<CustomerEvent> =>
  isThere(state) ? [{ type: 'CustomerChanged', data }] : missing(data.customer)

const forget = (state: CustomerState, data: Data<'CustomerForgotten'>): Decision<CustomerEvent> =>
  isThere(state) ? [{ type: 'CustomerForgotten', data }] : []

/** A person who holds accounts. What he is called is sealed and plays no part here. */
export const Customer = decider({
  category: 'customer',
  schemas: customerEvents,
  initial: (): CustomerState => ({ profile: null, number: 0, forgotten: false }),
  evolve: {
    CustomerRegistered: (_state, { profile, number }): CustomerState => ({
      profile,
      number,
      forgotten: false,
    }),
    CustomerChanged: (state, { profile }): CustomerState => ({ ...state, profile }),
    CustomerForgotten: (state): CustomerState => ({ ...state, forgotten: true }),
  },
  decide: { register, change, forget },
})
