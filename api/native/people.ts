import { z } from '@hono/zod-openapi'
import { issueApiKey, revokeApiKey } from '../../commands/api_keys.ts'
import { logIn, logOut, refreshSession, revokeSession } from '../../commands/sessions.ts'
import {
  changePassword,
  changeRoles,
  disableUser,
  enableUser,
  registerUser,
  resetPassword,
} from '../../commands/users.ts'
import { Role } from '../../domain/permissions.ts'
import { getApiKey, listApiKeys } from '../../projections/api_keys.ts'
import { listOwnSessions, listSessions } from '../../projections/sessions.ts'
import { getSelf, getUser, listUsers } from '../../projections/users.ts'
import { type Route, read, write, writePublic } from '../route.ts'
import { pageOf } from './views.ts'

const Timestamp = z.iso.datetime({ precision: 3 })
const Roles = z.array(Role)

const Tokens = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().openapi({ description: 'seconds' }),
    refresh_token: z.string(),
    refresh_expires_at: Timestamp,
    session: z.string(),
    user: z.string(),
    roles: Roles,
  })
  .openapi('Tokens')

const User = z
  .object({
    user: z.string(),
    number: z.int().nullable().openapi({ description: 'what contracts with integer ids call him' }),
    username: z.string().nullable(),
    name: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    roles: Roles,
    status: z.enum(['active', 'disabled']),
    status_reason: z.string().nullable(),
    registered_at: Timestamp,
    changed_at: Timestamp,
    revision: z.int(),
  })
  .openapi('User')

const Registered = User.omit({
  phone: true,
  status: true,
  status_reason: true,
  changed_at: true,
  revision: true,
})

const Session = z
  .object({
    session: z.string(),
    user: z.string(),
    audience: z.string(),
    active: z.boolean(),
    opened_at: Timestamp,
    refreshed_at: Timestamp.nullable(),
    expires_at: Timestamp,
    ended_at: Timestamp.nullable(),
    end_reason: z.string().nullable(),
  })
  .openapi('Session')

const ApiKey = z
  .object({
    key: z.string(),
    name: z.string(),
    roles: Roles,
    status: z.enum(['active', 'expired', 'revoked']),
    issued_by: z.string(),
    issued_at: Timestamp,
    expires_at: Timestamp.nullable(),
    revoked_at: Timestamp.nullable(),
    revoked_reason: z.string().nullable(),
  })
  .openapi('ApiKey')

const IssuedKey = ApiKey.omit({ status: true, revoked_at: true, revoked_reason: true }).extend({
  token: z.string().nullable().openapi({ description: 'shown this once' }),
})

const users = 'Users'
const tokens = 'Tokens'
const keys = 'API keys'
const credentials = { username: 'ada', password: 'a long enough password' }
const changing = ['USER_NOT_FOUND', 'REVISION_MISMATCH'] as const

export const tokenRoutes: readonly Route[] = [
  writePublic('/v1/tokens', logIn, {
    tag: tokens,
    summary: 'Log in',
    response: Tokens,
    problems: ['CREDENTIALS_INVALID', 'LOGIN_LOCKED', 'USER_DISABLED'],
    example: { body: credentials, capture: { refresh: 'refresh_token', session: 'session' } },
    furtherExamples: [{ body: credentials, capture: { other_session: 'session' } }],
  }),
  writePublic('/v1/tokens/refresh', refreshSession, {
    tag: tokens,
    summary: 'Change a refresh token for new tokens',
    description: 'Each is good for one use; using one twice ends the session.',
    response: Tokens,
    problems: ['REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED', 'SESSION_ENDED'],
    example: { body: { refresh_token: '{refresh}' } },
  }),
  read('/v1/sessions', listSessions, {
    tag: tokens,
    summary: 'List sessions',
    response: pageOf(Session, 'Session'),
    problems: ['BAD_CURSOR'],
    example: { query: { active: 'true' } },
  }),
  read('/v1/me/sessions', listOwnSessions, {
    tag: tokens,
    summary: 'List my sessions',
    response: pageOf(Session, 'Session'),
    problems: ['BAD_CURSOR'],
    example: {},
  }),
  write('post', '/v1/me/sessions/{session}/end', logOut, {
    tag: tokens,
    summary: 'Log out',
    status: 200,
    response: z.object({ session: z.string(), status: z.literal('ended') }),
    problems: ['SESSION_NOT_FOUND'],
    example: { params: { session: '{own_session}' } },
  }),
  write('post', '/v1/sessions/{session}/end', revokeSession, {
    tag: tokens,
    summary: "End somebody's session",
    status: 200,
    response: z.object({ session: z.string(), status: z.literal('ended') }),
    problems: ['SESSION_NOT_FOUND'],
    example: { params: { session: '{other_session}' } },
  }),
]

export const userRoutes: readonly Route[] = [
  write('post', '/v1/users', registerUser, {
    tag: users,
    summary: 'Register a user',
    response: Registered,
    problems: ['USERNAME_TAKEN', 'USER_EXISTS'],
    example: {
      body: { ...credentials, name: 'Ada Lovelace', roles: ['manager'] },
      capture: { user: 'user', ada_number: 'number' },
    },
    furtherExamples: [
      { body: { ...credentials, username: 'nora', name: 'Nora Lund', roles: ['retention_lead'] } },
      { body: { ...credentials, username: 'grace', name: 'Grace Hopper', roles: ['admin'] } },
      {
        body: { ...credentials, username: 'esi', name: 'Esi Owusu', roles: ['customer'] },
        capture: { client: 'user', client_number: 'number' },
      },
      {
        body: { ...credentials, username: 'yaw', name: 'Yaw Addo', roles: ['mobile_banker'] },
        capture: { mobile_banker: 'user', mobile_banker_number: 'number' },
      },
    ],
    location: ({ user }) => `/v1/users/${user}`,
  }),
  read('/v1/users', listUsers, {
    tag: users,
    summary: 'List users',
    response: pageOf(User, 'User'),
    problems: ['BAD_CURSOR'],
    example: { query: { role: 'manager' } },
  }),
  read('/v1/users/{user}', getUser, {
    tag: users,
    summary: 'Show a user',
    response: User,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { user: '{user}' } },
    etag: ({ revision }) => revision,
  }),
  read('/v1/me', getSelf, {
    tag: users,
    summary: 'Show who I am',
    response: User,
    problems: ['RESOURCE_NOT_FOUND'],
    example: {},
  }),
  write('put', '/v1/me/password', changePassword, {
    tag: users,
    summary: 'Change my password; all my sessions end',
    response: z.object({ user: z.string() }),
    problems: ['CREDENTIALS_INVALID', 'LOGIN_LOCKED'],
    example: {
      body: { current_password: '{own_password}', new_password: 'another long password' },
    },
  }),
  write('put', '/v1/users/{user}/password', resetPassword, {
    tag: users,
    summary: "Reset somebody's password",
    response: z.object({ user: z.string() }),
    problems: changing,
    example: { params: { user: '{user}' }, body: { new_password: credentials.password } },
  }),
  write('put', '/v1/users/{user}/roles', changeRoles, {
    tag: users,
    summary: "Change somebody's roles",
    response: z.object({ user: z.string(), roles: Roles }),
    problems: changing,
    example: { params: { user: '{user}' }, body: { roles: ['manager', 'analyst'] } },
  }),
  write('post', '/v1/users/{user}/disable', disableUser, {
    tag: users,
    summary: 'Disable a user; all his sessions end',
    status: 200,
    response: z.object({ user: z.string(), status: z.literal('disabled') }),
    problems: [...changing, 'USER_DISABLED'],
    example: { params: { user: '{user}' }, body: { reason: 'On leave' } },
  }),
  write('post', '/v1/users/{user}/enable', enableUser, {
    tag: users,
    summary: 'Enable a user again',
    status: 200,
    response: z.object({ user: z.string(), status: z.literal('active') }),
    problems: changing,
    example: { params: { user: '{user}' }, body: { reason: 'Back from leave' } },
  }),
]

export const apiKeyRoutes: readonly Route[] = [
  write('post', '/v1/api-keys', issueApiKey, {
    tag: keys,
    summary: 'Issue an API key for a service',
    description: 'Its roles reach no further than those of its issuer. The token is shown once.',
    response: IssuedKey,
    problems: ['NOT_PERMITTED'],
    example: { body: { name: 'Payroll', roles: ['staff'] }, capture: { key: 'key' } },
  }),
  read('/v1/api-keys', listApiKeys, {
    tag: keys,
    summary: 'List API keys',
    response: pageOf(ApiKey, 'ApiKey'),
    problems: ['BAD_CURSOR'],
    example: { query: { status: 'active' } },
  }),
  read('/v1/api-keys/{key}', getApiKey, {
    tag: keys,
    summary: 'Show an API key',
    response: ApiKey,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { key: '{key}' } },
  }),
  write('post', '/v1/api-keys/{key}/revoke', revokeApiKey, {
    tag: keys,
    summary: 'Revoke an API key',
    status: 200,
    response: z.object({ key: z.string(), status: z.literal('revoked') }),
    problems: ['API_KEY_NOT_FOUND'],
    example: { params: { key: '{key}' }, body: { reason: 'No longer needed' } },
  }),
]
