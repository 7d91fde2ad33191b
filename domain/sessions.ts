import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'
import { Role } from './permissions.ts'
import { LOCK } from './usernames.ts'

/** The product a token is for. */
const Audience = z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, 'an audience is a short name')

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/**
 * The products that people sign in to, and on which terms: how long an access token is good for,
 * how long a session lives however often it is refreshed, and when wrong passwords lock a name.
 */
export const audiences = {
  daybook: { access_ms: 15 * MINUTE_MS, session_ms: 30 * DAY_MS, lock: LOCK },
  churn: { access_ms: 60 * MINUTE_MS, session_ms: DAY_MS, lock: { ...LOCK, failures: 10 } },
  coastal: {
    access_ms: 5 * MINUTE_MS,
    session_ms: DAY_MS,
    lock: { failures: 5, lock_ms: 30 * MINUTE_MS, isToldAtOnce: true },
  },
} as const
export type AudienceName = keyof typeof audiences

const Digest = z.string().max(128)
const EndReason = z.enum(['logout', 'reuse', 'revoked'])

export const sessionEvents = {
  SessionOpened: z.object({
    session: Identifier,
    user: Identifier,
    /** Of the user's stream, as it stood when the password was compared. */
    user_revision: z.int(),
    roles: z.array(Role).max(16),
    audience: Audience,
    refresh_digest: Digest,
    opened_at: Instant,
    expires_at: Instant,
  }),
  SessionRefreshed: z.object({
    session: Identifier,
    refresh_digest: Digest,
    previous_digest: Digest,
    refreshed_at: Instant,
  }),
  SessionRevoked: z.object({ session: Identifier, reason: EndReason, revoked_at: Instant }),
} as const

type SessionEvent = EventOf<typeof sessionEvents>
type Data<Type extends keyof typeof sessionEvents> = z.infer<(typeof sessionEvents)[Type]>

export type SessionState = {
  readonly user: string
  readonly userRevision: number
  readonly audience: string
  readonly refreshDigest: string
  /** Of the refresh tokens used before, oldest first. */
  readonly usedDigests: readonly string[]
  readonly expiresAt: string
  readonly ended: boolean
}

/** Older tokens are no longer told from invented ones: they are refused and nothing more. */
const MAX_USED_DIGESTS = 32

const open = (_state: SessionState, data: Data<'SessionOpened'>): Decision<SessionEvent> => [
  { type: 'SessionOpened', data },
]

type Refresh = {
  readonly session: string
  readonly given_digest: string
  readonly next_digest: string
  /** The user's sessions before this revision of him have ended. */
  readonly sessions_from: number
  readonly at: string
}

const invalid = () => refuse('REFRESH_TOKEN_INVALID', 'There is no such refresh token.')

/**
 * Changes the refresh token for the next one. A token that was used before is in two hands: the
 * session ends. That includes one token sent twice at once, of which the second counts as reuse.
 */
const refresh = (state: SessionState, command: Refresh): Decision<SessionEvent> => {
  const { session, given_digest, next_digest, at } = command
  const used = state.usedDigests.includes(given_digest)
  if (!used && given_digest !== state.refreshDigest) return invalid()
  if (state.ended) return refuse('SESSION_ENDED', 'The session has ended: log in again.')
  if (used) return [{ type: 'SessionRevoked', data: { session, reason: 'reuse', revoked_at: at } }]
  if (state.expiresAt <= at || state.userRevision < command.sessions_from) {
    return refuse('SESSION_ENDED', 'The session has ended: log in again.')
  }
  return [
    {
      type: 'SessionRefreshed',
      data: {
        session,
        refresh_digest: next_digest,
        previous_digest: given_digest,
        refreshed_at: at,
      },
    },
  ]
}

/** `owner`: whose session it must be; null for somebody who may end anybody's. */
const revoke = (
  state: SessionState,
  { owner, ...data }: Data<'SessionRevoked'> & { readonly owner: string | null },
): Decision<SessionEvent> => {
  if (owner !== null && owner !== state.user) {
    return refuse('SESSION_NOT_FOUND', `There is no session ${data.session}.`)
  }
  return state.ended ? [] : [{ type: 'SessionRevoked', data }]
}

/** One log-in, from the password to the log-out. */
export const Session = decider({
  category: 'session',
  schemas: sessionEvents,
  initial: (): SessionState => ({
    user: '',
    userRevision: -1,
    audience: '',
    refreshDigest: '',
    usedDigests: [],
    expiresAt: '',
    ended: false,
  }),
  evolve: {
    SessionOpened: (state, data) => ({
      ...state,
      user: data.user,
      userRevision: data.user_revision,
      audience: data.audience,
      refreshDigest: data.refresh_digest,
      expiresAt: data.expires_at,
    }),
    SessionRefreshed: (state, { refresh_digest, previous_digest }) => ({
      ...state,
      refreshDigest: refresh_digest,
      usedDigests: [...state.usedDigests, previous_digest].slice(-MAX_USED_DIGESTS),
    }),
    SessionRevoked: (state) => ({ ...state, ended: true }),
  },
  decide: { open, refresh, revoke },
})
