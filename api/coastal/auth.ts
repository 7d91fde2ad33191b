import { z } from '@hono/zod-openapi'
import { endSession, logIn, logOut, refreshSession } from '../../commands/sessions.ts'
import { getSelf } from '../../projections/users.ts'
import { ask, route, tell, tellPublic } from '../contract.ts'
import { ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import type { Identity } from '../services.ts'
import { authorizationOf, clearedCookies, refreshTokenOf, tokenCookies } from './cookies.ts'
import { User, userShownTo } from './views.ts'

const tag = 'Authentication'
const credentials = { email: 'ada', password: 'a long enough password' }

const Said = z.object({ status: z.literal('success'), message: z.string() })
const GivenRefresh = z.object({ refresh: z.string().min(1).max(256).optional() })

/** Tokens pass through no cache. */
const unkept = { 'Cache-Control': 'no-store' }

/** Who asks on a public address, if anybody is known there. */
const knownBy = async ({ services, request }: Call): Promise<Identity | undefined> => {
  try {
    return await services.authenticate(authorizationOf(request.headers), 'coastal')
  } catch (error) {
    if (error instanceof ProblemError) return undefined
    throw error
  }
}

/** About himself, after all that was written until now. */
const userOf = async (call: Call, identity: Identity) => {
  const consistency = call.services.newestWrite()
  const user = await ask({ ...call, identity, consistency }, getSelf, {})
  return userShownTo(identity)(user)
}

export const authRoutes: readonly Route[] = [
  route('post', '/api/users/auth/login/', 'public', {
    tag,
    summary: 'Log in',
    description:
      'The tokens come in cookies, which no script can read: `access` for five minutes, `refresh` ' +
      'for a day. Five wrong passwords lock the address for half an hour.',
    input: z.object({
      email: z.string().trim().min(1).max(128),
      password: z.string().min(1).max(1024),
    }),
    response: Said.extend({ user: User }),
    problems: ['CREDENTIALS_INVALID', 'LOGIN_LOCKED', 'USER_DISABLED', 'RATE_LIMITED'],
    throttles: [
      { scope: 'login', requests: 5, seconds: 60, key: (_input, { address }) => address },
      { scope: 'login_address', requests: 10, seconds: 300, key: (_input, { address }) => address },
    ],
    example: { body: credentials, cookies: { coastal_access: 'access' } },
    furtherExamples: [
      { body: credentials, cookies: { coastal_refresh: 'refresh' } },
      { body: { ...credentials, email: 'grace' }, cookies: { coastal_admin: 'access' } },
    ],
    run: async (call) => {
      const { email: username, password } = call.input
      const { answer } = await tellPublic(call, logIn, { username, password, audience: 'coastal' })
      const user = await userOf(call, { id: answer.user, roles: answer.roles })
      return {
        body: { status: 'success', message: 'Login successful', user },
        headers: unkept,
        cookies: tokenCookies(call, answer),
      }
    },
  }),
  route('post', '/api/users/auth/refresh/', 'public', {
    tag,
    summary: 'Change the refresh token for new tokens',
    description:
      'From the cookie, or from the body; the new ones come in cookies. Each is good for one use; ' +
      'using one twice ends the session.',
    input: GivenRefresh,
    response: Said,
    problems: ['REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED', 'SESSION_ENDED'],
    example: { body: { refresh: '{coastal_refresh}' }, cookies: { coastal_refresh: 'refresh' } },
    run: async (call) => {
      const refresh_token = refreshTokenOf(call, call.input.refresh)
      if (refresh_token === undefined || refresh_token.length > 256) {
        throw new ProblemError(problem('REFRESH_TOKEN_INVALID', 'There is no refresh token.'))
      }
      const given = { refresh_token, audience: 'coastal' } as const
      const { answer } = await tellPublic(call, refreshSession, given)
      return {
        body: { status: 'success', message: 'Token refreshed' },
        headers: unkept,
        cookies: tokenCookies(call, answer),
      }
    },
  }),
  route('get', '/api/users/auth/check/', 'public', {
    tag,
    summary: 'Say who is logged in, if anybody',
    input: z.object({}),
    response: z.object({
      status: z.literal('success'),
      authenticated: z.boolean(),
      user: User.optional(),
      message: z.string().optional(),
    }),
    example: { headers: { Authorization: 'Bearer {coastal_access}' } },
    run: async (call) => {
      const identity = await knownBy(call)
      if (identity) {
        const user = await userOf(call, identity)
        return { body: { status: 'success', authenticated: true, user } }
      }
      const message = 'User is not authenticated'
      return { body: { status: 'success', authenticated: false, message } }
    },
  }),
]

/** Behind the routes that need the session. */
export const logOutRoutes: readonly Route[] = [
  route('post', '/api/users/auth/logout/', 'public', {
    tag,
    summary: 'Log out',
    description: 'Whatever is sent: the sessions of both tokens end, and the cookies go.',
    input: GivenRefresh,
    response: Said,
    example: { body: { refresh: '{coastal_refresh}' } },
    run: async (call) => {
      const identity = await knownBy(call)
      if (identity?.session !== undefined) {
        await tell({ ...call, identity }, logOut, { session: identity.session })
      }
      const refresh_token = refreshTokenOf(call, call.input.refresh)?.slice(0, 256)
      if (refresh_token !== undefined) await tellPublic(call, endSession, { refresh_token })
      return {
        body: { status: 'success', message: 'Successfully logged out.' },
        headers: unkept,
        cookies: clearedCookies(call),
      }
    },
  }),
]
