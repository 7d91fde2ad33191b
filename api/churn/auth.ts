import { z } from '@hono/zod-openapi'
import { logIn, refreshSession } from '../../commands/sessions.ts'
import { route, tellPublic } from '../contract.ts'
import type { Route } from '../route.ts'

const tag = 'Authentication'
const Tokens = z.object({ access: z.string(), refresh: z.string() })
const credentials = { username: 'nora', password: 'a long enough password' }

export const authRoutes: readonly Route[] = [
  route('post', '/api/auth/login/', 'public', {
    tag,
    summary: 'Log in',
    description: 'An access token is good for an hour, a session for a day.',
    input: z.object({
      username: z.string().min(1).max(128),
      password: z.string().min(1).max(1024),
    }),
    response: Tokens,
    problems: ['CREDENTIALS_INVALID', 'LOGIN_LOCKED'],
    example: { body: credentials, capture: { churn_access: 'access', churn_refresh: 'refresh' } },
    run: async (call) => {
      const { answer } = await tellPublic(call, logIn, { ...call.input, audience: 'churn' })
      return { body: { access: answer.access_token, refresh: answer.refresh_token } }
    },
  }),
  route('post', '/api/auth/refresh/', 'public', {
    tag,
    summary: 'Change a refresh token for new tokens',
    description: 'Each is good for one use; using one twice ends the session.',
    input: z.object({ refresh: z.string().min(1).max(256) }),
    response: Tokens,
    problems: ['REFRESH_TOKEN_INVALID'],
    example: { body: { refresh: '{churn_refresh}' }, capture: { churn_access: 'access' } },
    run: async (call) => {
      const { answer } = await tellPublic(call, refreshSession, {
        refresh_token: call.input.refresh,
        audience: 'churn',
      })
      return { body: { access: answer.access_token, refresh: answer.refresh_token } }
    },
  }),
]
