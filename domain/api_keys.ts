import { z } from 'zod'
import { type Decision, decider, type EventOf } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'
import { permissions, Role, reachOf } from './permissions.ts'

export const apiKeyEvents = {
  ApiKeyIssued: z.object({
    key: Identifier,
    name: z.string().max(128),
    roles: z.array(Role).min(1).max(16),
    secret_digest: z.string().max(128),
    issued_by: Identifier,
    issued_at: Instant,
    /** Null: until it is revoked. */
    expires_at: Instant.nullable(),
  }),
  ApiKeyRevoked: z.object({ key: Identifier, reason: z.string().max(256), revoked_at: Instant }),
} as const

type ApiKeyEvent = EventOf<typeof apiKeyEvents>
type Data<Type extends keyof typeof apiKeyEvents> = z.infer<(typeof apiKeyEvents)[Type]>

export type ApiKeyState = {
  readonly roles: readonly Role[]
  readonly secretDigest: string
  readonly expiresAt: string | null
  readonly revoked: boolean
}

/** Whether the roles reach anywhere that the issuer's do not: nobody gives what he has not got. */
export const exceeds = (roles: readonly Role[], issuer: readonly Role[]): boolean =>
  permissions.some((permission) => {
    const wanted = reachOf(roles, permission)
    const held = reachOf(issuer, permission)
    return wanted !== undefined && held !== 'all' && held !== wanted
  })

const issue = (_state: ApiKeyState, data: Data<'ApiKeyIssued'>): Decision<ApiKeyEvent> => [
  { type: 'ApiKeyIssued', data },
]

const revoke = (state: ApiKeyState, data: Data<'ApiKeyRevoked'>): Decision<ApiKeyEvent> =>
  state.revoked ? [] : [{ type: 'ApiKeyRevoked', data }]

/** What a service signs in with, for as long as nobody revokes it. */
export const ApiKey = decider({
  category: 'api_key',
  schemas: apiKeyEvents,
  initial: (): ApiKeyState => ({ roles: [], secretDigest: '', expiresAt: null, revoked: false }),
  evolve: {
    ApiKeyIssued: (state, { roles, secret_digest, expires_at }) => ({
      ...state,
      roles,
      secretDigest: secret_digest,
      expiresAt: expires_at,
    }),
    ApiKeyRevoked: (state) => ({ ...state, revoked: true }),
  },
  decide: { issue, revoke },
})
