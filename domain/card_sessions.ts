import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { AccountCode, BookId, Identifier, Instant } from './ledger/events.ts'
import { Amount } from './money.ts'

/** How long a session lives without being used; each use counts anew. */
export const CARD_SESSION_SECONDS = 120

const BySession = { session: Identifier }

const cardSessionEvents = {
  CardSessionOpened: z.object({
    ...BySession,
    card: Identifier,
    customer: Identifier,
    book: BookId,
    account: AccountCode,
    opened_at: Instant,
  }),
  CardSessionEnded: z.object({
    ...BySession,
    reason: z.enum(['logout', 'expired', 'blocked']),
    ended_at: Instant,
  }),
  /** Money that was asked for and refused: what a fraud analyst wants to know. */
  CardTransactionDeclined: z.object({
    ...BySession,
    kind: z.string().max(32),
    amount: Amount,
    code: z.string().max(64),
    declined_at: Instant,
  }),
} as const

type CardSessionEvent = EventOf<typeof cardSessionEvents>
type Data<Type extends keyof typeof cardSessionEvents> = z.infer<(typeof cardSessionEvents)[Type]>

export type CardSessionState = { readonly status: 'unknown' | 'open' | 'ended' }

const open = (
  { status }: CardSessionState,
  data: Data<'CardSessionOpened'>,
): Decision<CardSessionEvent> => (status === 'unknown' ? [{ type: 'CardSessionOpened', data }] : [])

const end = (
  { status }: CardSessionState,
  data: Data<'CardSessionEnded'>,
): Decision<CardSessionEvent> => (status === 'open' ? [{ type: 'CardSessionEnded', data }] : [])

/** By the holder himself: of two log-outs at once, one ends the session. */
const logOut = (
  state: CardSessionState,
  data: Data<'CardSessionEnded'>,
): Decision<CardSessionEvent> =>
  state.status === 'open'
    ? end(state, data)
    : refuse('CARD_SESSION_ENDED', `Session ${data.session} has ended.`)

const decline = (
  _state: CardSessionState,
  data: Data<'CardTransactionDeclined'>,
): Decision<CardSessionEvent> => [{ type: 'CardTransactionDeclined', data }]

/** One visit to a machine, from the PIN to the log-out. */
export const CardSession = decider({
  category: 'card_session',
  schemas: cardSessionEvents,
  initial: (): CardSessionState => ({ status: 'unknown' }),
  evolve: {
    CardSessionOpened: (): CardSessionState => ({ status: 'open' }),
    CardSessionEnded: (): CardSessionState => ({ status: 'ended' }),
    CardTransactionDeclined: (state) => state,
  },
  decide: { open, end, logOut, decline },
})
