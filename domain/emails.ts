import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

/** The stream `email-<claim>` is named by what an HMAC makes of the address. */
const emailEvents = {
  EmailClaimed: z.object({ holder: Identifier, claimed_at: Instant }),
  EmailReleased: z.object({ holder: Identifier, released_at: Instant }),
} as const

type EmailEvent = EventOf<typeof emailEvents>

export type EmailState = { readonly holder: string | null; readonly claimedAt: string }

/** Longer than the appends of a registration can take together. */
const TAKE_OVER_AFTER_MS = 60_000

type Claim = {
  readonly holder: string
  /** A holder who has been seen not to exist: his registration ended half-way. */
  readonly abandoned: string | null
  readonly at: string
}

const claim = (state: EmailState, { holder, abandoned, at }: Claim): Decision<EmailEvent> => {
  if (state.holder === holder) return []
  const age = Date.parse(at) - Date.parse(state.claimedAt)
  const isFree = state.holder === null
  if (isFree || (state.holder === abandoned && age >= TAKE_OVER_AFTER_MS)) {
    return [{ type: 'EmailClaimed', data: { holder, claimed_at: at } }]
  }
  return refuse('EMAIL_TAKEN', 'Email already exists', { field: 'email' })
}

const release = (
  state: EmailState,
  { holder, at }: { readonly holder: string; readonly at: string },
): Decision<EmailEvent> =>
  state.holder === holder ? [{ type: 'EmailReleased', data: { holder, released_at: at } }] : []

/** An address that one customer at a time may have. */
export const Email = decider({
  category: 'email',
  schemas: emailEvents,
  initial: (): EmailState => ({ holder: null, claimedAt: '' }),
  evolve: {
    EmailClaimed: (_state, { holder, claimed_at }): EmailState => ({
      holder,
      claimedAt: claimed_at,
    }),
    EmailReleased: (): EmailState => ({ holder: null, claimedAt: '' }),
  },
  decide: { claim, release },
})
