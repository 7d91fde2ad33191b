import { z } from 'zod'
import { isRefusal, refuse } from '../domain/kernel.ts'
import { Identifier } from '../domain/ledger/events.ts'
import type { Role } from '../domain/permissions.ts'
import { type AudienceName, audiences, Session, type SessionState } from '../domain/sessions.ts'
import { User, type UserState } from '../domain/users.ts'
import { newUlid } from './ids.ts'
import { command, publicCommand, receiptOf, submitStep } from './kernel.ts'
import type { Ports } from './ports.ts'
import { claimOf, provePassword } from './usernames.ts'
import { GivenPassword } from './users.ts'

const AudienceInput = z.enum(Object.keys(audiences) as [AudienceName]).default('daybook')

/** Of a product that is no longer there, the terms of our own. */
const termsOf = (audience: string) =>
  audience in audiences ? audiences[audience as AudienceName] : audiences.daybook

/** OAuth 2.0 names for what a client gets; at a session's end a token is worth less than usual. */
export type Tokens = {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly refresh_token: string
  readonly refresh_expires_at: string
  readonly session: string
  readonly user: string
  readonly roles: readonly Role[]
}

type Opened = {
  readonly session: string
  readonly user: string
  readonly userRevision: number
  readonly roles: readonly Role[]
  readonly audience: string
  readonly expiresAt: Date
  readonly secret: string
}

const tokensOf = async (ports: Ports, opened: Opened, at: Date): Promise<Tokens> => {
  const { session, user, userRevision, roles, audience } = opened
  const expiresAt = new Date(
    Math.min(at.getTime() + termsOf(audience).access_ms, opened.expiresAt.getTime()),
  )
  return {
    access_token: await ports.secrets.signAccess({
      user,
      userRevision,
      session,
      roles,
      audience,
      issuedAt: at,
      expiresAt,
    }),
    token_type: 'Bearer',
    expires_in: Math.floor((expiresAt.getTime() - at.getTime()) / 1000),
    refresh_token: `${session}.${opened.secret}`,
    refresh_expires_at: opened.expiresAt.toISOString(),
    session,
    user,
    roles,
  }
}

const LogIn = z.strictObject({
  username: z.string().trim().min(1).max(128),
  password: GivenPassword,
  audience: AudienceInput,
})

/** Opens a session for who knows the password. The user's revision is the one that was compared. */
export const logIn = publicCommand({
  name: 'sessions.open',
  permission: 'public',
  input: LogIn,
  run: async (ports, { username, password, audience }, context) => {
    const terms = audiences[audience]
    const claim = claimOf(ports, username)
    const proven = await provePassword(ports, claim, password, context, terms.lock)
    if (isRefusal(proven)) return proven
    const { id: user, revision: userRevision, state } = proven
    // Said only to who knew the password.
    if (state.status === 'disabled') return refuse('USER_DISABLED', 'The user is disabled.')
    const { roles } = state
    const session = newUlid(context.at.getTime())
    const secret = ports.secrets.randomToken()
    const expiresAt = new Date(context.at.getTime() + terms.session_ms)
    const data = {
      session,
      user,
      user_revision: userRevision,
      roles: [...roles],
      audience,
      refresh_digest: ports.secrets.digest(secret),
      opened_at: context.at.toISOString(),
      expires_at: expiresAt.toISOString(),
    }
    const outcome = await submitStep(
      ports,
      {
        name: 'sessions.open',
        decider: Session,
        stream: session,
        on: 'new',
        otherwise: 'SESSION_ENDED',
        decide: (now: SessionState) => Session.decide.open(now, data),
      },
      { ...context, actor: { id: user, roles } },
    )
    if (isRefusal(outcome)) return outcome
    const opened = { session, user, userRevision, roles, audience, expiresAt, secret }
    return receiptOf(outcome, await tokensOf(ports, opened, context.at))
  },
})

const RefreshToken = z.string().max(256)
const TokenParts = z.tuple([Identifier, z.string().min(1)])

/** Changes a refresh token for new tokens, with the roles that the user has now. */
export const refreshSession = publicCommand({
  name: 'sessions.refresh',
  permission: 'public',
  input: z.strictObject({ refresh_token: RefreshToken, audience: AudienceInput }),
  run: async (ports, { refresh_token, audience: wanted }, context) => {
    const parts = TokenParts.safeParse(refresh_token.split('.'))
    if (!parts.success) return refuse('REFRESH_TOKEN_INVALID', 'There is no such refresh token.')
    const [session, given] = parts.data
    const before = await ports.engine.look(Session, `${Session.category}-${session}`)
    const { user, audience, expiresAt } = before.state as SessionState
    if (before.revision < 0 || audience !== wanted) {
      return refuse('REFRESH_TOKEN_INVALID', 'There is no such refresh token.')
    }
    const found = await ports.engine.look(User, `${User.category}-${user}`)
    const { roles, sessionsFrom } = found.state as UserState
    const secret = ports.secrets.randomToken()
    const outcome = await submitStep(
      ports,
      {
        name: 'sessions.refresh',
        decider: Session,
        stream: session,
        on: 'existing',
        otherwise: 'REFRESH_TOKEN_INVALID',
        decide: (now: SessionState) =>
          Session.decide.refresh(now, {
            session,
            given_digest: ports.secrets.digest(given),
            next_digest: ports.secrets.digest(secret),
            sessions_from: sessionsFrom,
            at: context.at.toISOString(),
          }),
      },
      { ...context, actor: { id: user, roles } },
    )
    if (isRefusal(outcome)) return outcome
    if (outcome.events.some(({ type }) => type === 'SessionRevoked')) {
      return refuse('REFRESH_TOKEN_REUSED', 'It was used before, so the session has been ended.')
    }
    const opened = {
      session,
      user,
      userRevision: found.revision,
      roles,
      audience,
      expiresAt: new Date(expiresAt),
      secret,
    }
    return receiptOf(outcome, await tokensOf(ports, opened, context.at))
  },
})

/** Ends the session of a refresh token, whether it was used or not. What is none ends nothing. */
export const endSession = publicCommand({
  name: 'sessions.end',
  permission: 'public',
  input: z.strictObject({ refresh_token: RefreshToken }),
  run: async (ports, { refresh_token }, context) => {
    const [session = '', given = ''] = refresh_token.split('.')
    const digest = ports.secrets.digest(given)
    const ended = await submitStep(
      ports,
      {
        name: 'sessions.end',
        decider: Session,
        stream: Identifier.safeParse(session).success ? session : 'none',
        on: 'any',
        otherwise: 'SESSION_NOT_FOUND',
        decide: (now: SessionState) =>
          now.refreshDigest === digest || now.usedDigests.includes(digest)
            ? Session.decide.revoke(now, {
                session,
                reason: 'logout',
                revoked_at: context.at.toISOString(),
                owner: now.user,
              })
            : [],
      },
      context,
    )
    return isRefusal(ended) ? ended : receiptOf(ended, {})
  },
})

const revocation = (name: string, permission: 'self:read' | 'users:manage', anybody: boolean) =>
  command({
    name,
    permission,
    input: z.strictObject({ session: Identifier }),
    decider: Session,
    stream: ({ session }) => session,
    on: 'existing',
    otherwise: 'SESSION_NOT_FOUND',
    ifMatch: 'stream',
    enrich: ({ session }, { at, context }) => ({
      session,
      reason: anybody ? ('revoked' as const) : ('logout' as const),
      revoked_at: at,
      owner: anybody ? null : context.actor.id,
    }),
    decide: Session.decide.revoke,
    answer: (_events, { session }) => ({ session, status: 'ended' as const }),
  })

/** Ends a session of one's own. Its access token is void at once. */
export const logOut = revocation('sessions.log_out', 'self:read', false)

/** Ends anybody's session. */
export const revokeSession = revocation('sessions.revoke', 'users:manage', true)
