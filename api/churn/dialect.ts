import { z } from '@hono/zod-openapi'
import type { Dialect, Fault } from '../dialect.ts'
import type { Problem, ProblemCode } from '../problems.ts'

const ChurnError = z
  .object({
    error: z.string(),
    detail: z.string().optional(),
    retry_after: z.int().optional(),
    request_id: z.string().optional(),
  })
  .openapi('ChurnError')

const DAY_S = 86_400
const UNKNOWN = 'Authentication credentials were not provided'
const FORBIDDEN = 'You do not have permission to perform this action'
const MISSING = 'Resource not found'
const UNFIT = 'Invalid request'

/** What has a status or words of its own; the rest follows from the problem's status. */
const table: Partial<Record<ProblemCode, { readonly status: number; readonly error: string }>> = {
  CREDENTIALS_INVALID: { status: 401, error: 'Invalid username or password' },
  USER_DISABLED: { status: 401, error: 'Invalid username or password' },
  REFRESH_TOKEN_INVALID: { status: 401, error: 'The refresh token is not valid' },
  REFRESH_TOKEN_REUSED: { status: 401, error: 'The refresh token is not valid' },
  SESSION_ENDED: { status: 401, error: 'The refresh token is not valid' },
  LOGIN_LOCKED: { status: 403, error: FORBIDDEN },
  EMAIL_TAKEN: { status: 400, error: 'Email already exists' },
  RATE_LIMITED: { status: 429, error: 'Request limit exceeded' },
  INTERNAL: { status: 500, error: 'Internal server error' },
}

const byStatus: Readonly<Record<number, string>> = {
  400: UNFIT,
  401: UNKNOWN,
  403: FORBIDDEN,
  404: MISSING,
}

const wordsFor = (problem: Problem): { readonly status: number; readonly error: string } => {
  const known = table[problem.code as ProblemCode]
  if (known) return known
  const status = problem.status === 422 ? 400 : problem.status
  return { status, error: byStatus[status] ?? problem.title }
}

const churnFault: Dialect['fault'] = (problem, { requestId }): Fault => {
  const { status, error } = wordsFor(problem)
  const wait = problem.facts?.retry_after_s
  return {
    status,
    code: error,
    body: {
      error,
      ...(status === 400 && { detail: problem.detail }),
      ...(status === 429 && { retry_after: typeof wait === 'number' ? wait : 60 }),
      ...(status === 500 && { request_id: requestId }),
    },
  }
}

/** Who may leave, and why: for retention analysts. */
export const churnDialect: Dialect = {
  name: 'churn',
  title: 'Customer churn',
  version: '1.0.0',
  description:
    'Customers, the risk that each of them leaves, alerts, and the model that says so. Amounts and ' +
    'risks are numbers.',
  prefixes: ['/api/auth', '/api/customers', '/api/predict', '/api/monitoring', '/api/model'],
  errorType: 'application/json',
  error: ChurnError,
  fault: churnFault,
  identify: (headers, services) =>
    services.authenticate(headers.get('authorization') ?? undefined, 'churn'),
  limits: {
    unknown: { scope: 'anon', requests: 100, seconds: DAY_S },
    known: { scope: 'user', requests: 1000, seconds: DAY_S },
  },
  security: {
    name: 'churn_bearer',
    scheme: {
      type: 'http',
      scheme: 'bearer',
      description: 'The access token of POST /api/auth/login/.',
    },
  },
  unknownFields: 'ignored',
  freshness: 'all written here',
}
