import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

const Claim = z.string().max(128)
const ByUser = { user: Identifier }

const oneTimeCodeEvents = {
  OneTimeCodeSent: z.object({
    ...ByUser,
    /** What an HMAC makes of the phone number, and of user, number and code together. */
    phone_claim: Claim,
    code_claim: Claim,
    sent_at: Instant,
    expires_at: Instant,
  }),
  OneTimeCodeFailed: z.object({ ...ByUser, failed_at: Instant }),
  OneTimeCodeUsed: z.object({ ...ByUser, used_at: Instant }),
} as const

type OneTimeCodeEvent = EventOf<typeof oneTimeCodeEvents>
type Sent = z.infer<typeof oneTimeCodeEvents.OneTimeCodeSent>

export type OneTimeCodeState = {
  /** The newest. */
  readonly sent: Sent | undefined
  readonly failures: number
  readonly used: boolean
}

export const CODE_SECONDS = 300
const PAUSE_SECONDS = 60
const MAX_FAILURES = 5

const send = ({ sent }: OneTimeCodeState, data: Sent): Decision<OneTimeCodeEvent> => {
  const since_ms = sent ? Date.parse(data.sent_at) - Date.parse(sent.sent_at) : undefined
  if (since_ms !== undefined && since_ms < PAUSE_SECONDS * 1000) {
    const left_s = Math.ceil(PAUSE_SECONDS - since_ms / 1000)
    return refuse(
      'CODE_TOO_SOON',
      `Please wait ${left_s} seconds before asking for another code.`,
      {
        retry_after_s: left_s,
      },
    )
  }
  return [{ type: 'OneTimeCodeSent', data }]
}

type Use = Pick<Sent, 'user' | 'phone_claim' | 'code_claim'> & { readonly at: string }

/** A wrong code is an event too: many guesses at once are no more than as many in a row. */
const use = (
  { sent, failures, used }: OneTimeCodeState,
  { user, phone_claim, code_claim, at }: Use,
): Decision<OneTimeCodeEvent> => {
  if (!sent || used || sent.phone_claim !== phone_claim) {
    return refuse('CODE_NOT_SENT', 'No code was sent to this number, or it has been used.')
  }
  if (failures >= MAX_FAILURES) {
    return refuse('CODE_LOCKED', 'Too many failed attempts: ask for another code.')
  }
  if (sent.expires_at <= at) return refuse('CODE_EXPIRED', 'The code has expired.')
  return sent.code_claim === code_claim
    ? [{ type: 'OneTimeCodeUsed', data: { user, used_at: at } }]
    : [{ type: 'OneTimeCodeFailed', data: { user, failed_at: at } }]
}

/** Six digits that went to a user's phone, to be told once: proof that he holds it. */
export const OneTimeCode = decider({
  category: 'one_time_code',
  schemas: oneTimeCodeEvents,
  initial: (): OneTimeCodeState => ({ sent: undefined, failures: 0, used: false }),
  evolve: {
    OneTimeCodeSent: (_state, sent): OneTimeCodeState => ({ sent, failures: 0, used: false }),
    OneTimeCodeFailed: (state): OneTimeCodeState => ({ ...state, failures: state.failures + 1 }),
    OneTimeCodeUsed: (state): OneTimeCodeState => ({ ...state, used: true }),
  },
  decide: { send, use },
})
