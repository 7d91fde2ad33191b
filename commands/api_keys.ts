import { z } from 'zod'
import { ApiKey, type ApiKeyState, type apiKeyEvents, exceeds } from '../domain/api_keys.ts'
import { refuse } from '../domain/kernel.ts'
import { Identifier, Instant } from '../domain/ledger/events.ts'
import { Role } from '../domain/permissions.ts'
import { command, onExisting } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import type { Ports } from './ports.ts'

const PREFIX = 'daybook_'

/** `daybook_<key>_<secret>`; keys have no underscore. */
export const parseApiKey = (
  token: string,
): { readonly key: string; readonly secret: string } | undefined => {
  const [, key, secret] = /^daybook_([0-9A-Za-z]{26})_([\w-]{20,64})$/.exec(token) ?? []
  return key !== undefined && secret !== undefined ? { key, secret } : undefined
}

export const isApiKey = (token: string): boolean => token.startsWith(PREFIX)

const IssueApiKey = z.strictObject({
  name: z.string().trim().min(1).max(128),
  roles: z
    .array(Role)
    .min(1)
    .max(9)
    .refine((roles) => new Set(roles).size === roles.length, 'a role is named twice'),
  /** Absent: until it is revoked. */
  expires_at: Instant.nullable().default(null),
})

/**
 * The token is in the first answer and nowhere else: a repetition of the request says null. The key
 * belongs to a service, so it outlives the account of who issued it.
 */
export const issueApiKey = command({
  name: 'api_keys.issue',
  permission: 'users:manage',
  input: IssueApiKey,
  decider: ApiKey,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'API_KEY_EXISTS',
  ifMatch: 'stream',
  enrich: ({ name, roles, expires_at }, { ports, context, at, newId }) => {
    if (exceeds(roles, context.actor.roles)) {
      return refuse('NOT_PERMITTED', 'A key may do no more than who issues it.', { field: 'roles' })
    }
    if (expires_at !== null && expires_at <= at) {
      return refuse('API_KEY_EXPIRY_PAST', `It would end at ${expires_at}, which is past.`, {
        field: 'expires_at',
      })
    }
    const key = newId()
    const secret = ports.secrets.randomToken()
    const secret_digest = ports.secrets.digest(secret)
    const issued = { key, name, roles, secret_digest, issued_by: context.actor.id, issued_at: at }
    return { data: { ...issued, expires_at }, token: `${PREFIX}${key}_${secret}` }
  },
  decide: (state: ApiKeyState, { data }) => ApiKey.decide.issue(state, data),
  answer: (events, _input, { data, token }) => {
    const { secret_digest, ...issued } = dataOf<z.infer<typeof apiKeyEvents.ApiKeyIssued>>(
      events,
      'ApiKeyIssued',
    )
    return { ...issued, token: secret_digest === data.secret_digest ? token : null }
  },
})

export const revokeApiKey = onExisting({
  decider: ApiKey,
  field: 'key',
  otherwise: 'API_KEY_NOT_FOUND',
})({
  name: 'api_keys.revoke',
  permission: 'users:manage',
  input: z.strictObject({ key: Identifier, reason: z.string().trim().min(1).max(256) }),
  enrich: ({ key, reason }, { at }) => ({ key, reason, revoked_at: at }),
  decide: ApiKey.decide.revoke,
  answer: (_events, { key }) => ({ key, status: 'revoked' as const }),
})

/** The key as it stands in the log this moment; undefined when there is none. */
export const lookAtApiKey = async (
  { engine }: Pick<Ports, 'engine'>,
  key: string,
): Promise<ApiKeyState | undefined> => {
  const { state, revision } = await engine.look(ApiKey, `${ApiKey.category}-${key}`)
  return revision < 0 ? undefined : (state as ApiKeyState)
}
