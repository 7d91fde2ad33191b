import { isApiKey, parseApiKey } from '../commands/api_keys.ts'
import type { AccessClaims, Actor } from '../commands/ports.ts'
import type { ApiKeyState } from '../domain/api_keys.ts'
import { type Credential, type Revocations, subjectOf } from './revocations.ts'

/** An actor who has proven himself; `session` is missing for a service with an API key. */
export type Authenticated = Actor & {
  readonly session?: string
  readonly expiresAt?: Date
}

/** Why nobody was recognised, in a sentence for the client. */
export type Unauthenticated = { readonly unauthenticated: string }

export const isUnauthenticated = (
  outcome: Authenticated | Unauthenticated,
): outcome is Unauthenticated => 'unauthenticated' in outcome

export type Authenticate = (
  header: string | undefined,
  audience: string,
) => Promise<Authenticated | Unauthenticated>

/** API keys are Daybook's own; the other products know none. */
const API_KEY_AUDIENCE = 'daybook'
const API_KEY_BELIEVED_MS = 15 * 60_000
const MAX_HEADER = 4096
const MAX_VERIFIED = 10_000

type Verified = {
  readonly actor: Authenticated
  readonly audience: string
  readonly credential: Credential
  /** Milliseconds; when it has to be verified anew. */
  readonly until: number
}

const ofClaims = (claims: AccessClaims): Verified => ({
  actor: {
    id: claims.user,
    roles: claims.roles,
    session: claims.session,
    expiresAt: claims.expiresAt,
  },
  audience: claims.audience,
  credential: {
    subjects: [
      [subjectOf.user(claims.user), claims.userRevision],
      [subjectOf.session(claims.session), 0],
    ],
    believedSince: claims.issuedAt,
  },
  until: claims.expiresAt.getTime(),
})

const ofApiKey = (key: string, { roles, expiresAt }: ApiKeyState, now: Date): Verified => {
  const believed = now.getTime() + API_KEY_BELIEVED_MS
  return {
    actor: { id: key, roles, ...(expiresAt !== null && { expiresAt: new Date(expiresAt) }) },
    audience: API_KEY_AUDIENCE,
    credential: { subjects: [[subjectOf.apiKey(key), 0]], believedSince: now },
    until: expiresAt === null ? believed : Math.min(believed, Date.parse(expiresAt)),
  }
}

/** What was verified, by token; the one that was not used for longest makes room. */
const createCache = () => {
  const entries = new Map<string, Verified>()
  return {
    get: (token: string): Verified | undefined => {
      const entry = entries.get(token)
      if (entry) {
        entries.delete(token)
        entries.set(token, entry)
      }
      return entry
    },
    set: (token: string, entry: Verified): void => {
      entries.set(token, entry)
      if (entries.size <= MAX_VERIFIED) return
      const [oldest] = entries.keys()
      if (oldest !== undefined) entries.delete(oldest)
    },
    delete: (token: string): void => void entries.delete(token),
  }
}

const bearerOf = (header: string): string | undefined =>
  header.length > MAX_HEADER ? undefined : /^Bearer +([\w.~+/-]+=*) *$/i.exec(header)?.[1]

const unauthenticated = (reason: string): Unauthenticated => ({ unauthenticated: reason })

const NOT_VALID = 'The token is not valid here, has expired or was revoked.'

/**
 * Turns an Authorization header into an actor. A signature is checked once for each token, because
 * to do it on every request would halve what a server can serve; that it still holds is asked each
 * time, in memory.
 */
export const createAuthenticator = (options: {
  readonly verify: (token: string) => Promise<AccessClaims | undefined>
  /** The key as it stands now; undefined when there is none. */
  readonly apiKeys: (key: string) => Promise<ApiKeyState | undefined>
  readonly digest: (secret: string) => string
  readonly revoked: Pick<Revocations, 'voids'>
  readonly clock: () => Date
}): Authenticate => {
  const { verify, apiKeys, digest, revoked, clock } = options
  const cache = createCache()

  const holds = ({ until, credential }: Verified, now: Date): boolean =>
    now.getTime() < until && !revoked.voids(credential)

  const verifyApiKey = async (token: string, now: Date): Promise<Verified | undefined> => {
    const parts = parseApiKey(token)
    const state = parts && (await apiKeys(parts.key))
    // Digests of random secrets: how long a comparison takes says nothing about the secret.
    if (!state || state.revoked || digest(parts.secret) !== state.secretDigest) return undefined
    return ofApiKey(parts.key, state, now)
  }

  const verifyToken = async (token: string, now: Date): Promise<Verified | undefined> => {
    if (isApiKey(token)) return verifyApiKey(token, now)
    const claims = await verify(token)
    return claims && ofClaims(claims)
  }

  return async (header, audience) => {
    if (header === undefined) return unauthenticated('There is no Authorization header.')
    const token = bearerOf(header)
    if (token === undefined) return unauthenticated('The header must be: Bearer <token>.')
    const now = clock()
    let verified = cache.get(token)
    if (!verified || !holds(verified, now)) {
      cache.delete(token)
      verified = await verifyToken(token, now)
      if (!verified || !holds(verified, now)) return unauthenticated(NOT_VALID)
      cache.set(token, verified)
    }
    return verified.audience === audience ? verified.actor : unauthenticated(NOT_VALID)
  }
}
