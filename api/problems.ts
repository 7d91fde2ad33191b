import { z } from '@hono/zod-openapi'
import type { Refusal } from '../domain/kernel.ts'
import { type RefusalCode, type RefusalKind, refusals } from '../domain/refusals.ts'

/** What goes wrong before a command or query is reached. */
export const transportProblems = {
  INVALID_REQUEST: { status: 400, title: 'The request does not fit its schema' },
  MALFORMED_JSON: { status: 400, title: 'The body is not JSON' },
  MALFORMED_FORM: { status: 400, title: 'The body is not a form' },
  DUPLICATE_FIELD: { status: 400, title: 'The body names a field twice' },
  BAD_CURSOR: { status: 400, title: 'The cursor is not one of this list' },
  UNAUTHENTICATED: { status: 401, title: 'Who are you?' },
  CROSS_SITE: { status: 403, title: 'Another site asked for this' },
  RESOURCE_NOT_FOUND: { status: 404, title: 'There is no such thing' },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is no such address' },
  PERSON_FORGOTTEN: { status: 410, title: 'The person has been forgotten' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The address does not know this method' },
  ACCOUNT_NOT_OWNED: { status: 403, title: 'The account is somebody else’s' },
  PAYMENT_NOT_COMPLETED: { status: 409, title: 'The payment has moved no money' },
  SCORE_NOT_READY: { status: 409, title: 'The score is still being made' },
  REQUEST_UNDER_WAY: { status: 409, title: 'The same request is still under way' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body is of the wrong type' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  INTERNAL: { status: 500, title: 'Something is broken here' },
  OVERLOADED: { status: 503, title: 'More is asked than can be done right now' },
  UNAVAILABLE: { status: 503, title: 'A part that this needs is out of reach' },
  NOT_CAUGHT_UP: { status: 503, title: 'The read models have not seen your write yet' },
} as const
type TransportCode = keyof typeof transportProblems
export type ProblemCode = RefusalCode | TransportCode

const statusOfKind: Readonly<Record<RefusalKind, number>> = {
  invalid: 422,
  rule: 422,
  missing: 404,
  forbidden: 403,
  conflict: 409,
}

/** Where HTTP has a more exact word than the kind of refusal. */
const statusOfCode: Partial<Record<RefusalCode, number>> = {
  CREDENTIALS_INVALID: 401,
  SESSION_ENDED: 401,
  REFRESH_TOKEN_INVALID: 401,
  REFRESH_TOKEN_REUSED: 401,
  REVISION_MISMATCH: 412,
  BATCH_TOO_LARGE: 413,
  LOGIN_LOCKED: 429,
  CODE_TOO_SOON: 429,
  CODE_LOCKED: 429,
}

export type FieldFault = { readonly field: string; readonly message: string }

export const Problem = z
  .object({
    type: z.string().openapi({ example: '/problems/INSUFFICIENT_FUNDS' }),
    title: z.string(),
    status: z.int(),
    code: z.string().openapi({ description: 'Stable: clients may rely on it.' }),
    detail: z.string(),
    instance: z.string().optional(),
    request_id: z.string().optional(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    facts: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('Problem', { description: 'RFC 9457 problem details' })
export type Problem = z.infer<typeof Problem>

const isTransport = (code: ProblemCode): code is TransportCode => code in transportProblems

export const statusOf = (code: ProblemCode): number => {
  if (isTransport(code)) return transportProblems[code].status
  return statusOfCode[code] ?? statusOfKind[refusals[code].kind]
}

export const titleOf = (code: ProblemCode): string =>
  isTransport(code) ? transportProblems[code].title : refusals[code].title

export const problem = (
  code: ProblemCode,
  detail: string,
  more: Pick<Problem, 'errors' | 'facts'> = {},
): Problem => ({
  type: `/problems/${code}`,
  title: titleOf(code),
  status: statusOf(code),
  code,
  detail,
  ...more,
})

export const problemOf = ({ refused, detail, facts }: Refusal): Problem =>
  problem(refused, detail, facts && { facts })

/** A schema's complaints, by field. */
export const invalidRequest = (error: z.ZodError): Problem => {
  const errors = error.issues.flatMap((issue): FieldFault[] => {
    const field = issue.path.join('.') || '(body)'
    if (issue.code === 'unrecognized_keys') {
      const where = issue.path.length > 0 ? `${issue.path.join('.')}.` : ''
      return issue.keys.map((key) => ({ field: `${where}${key}`, message: 'unknown field' }))
    }
    return [{ field, message: issue.message }]
  })
  const named = errors.map(({ field, message }) => `${field}: ${message}`).slice(0, 5)
  return problem('INVALID_REQUEST', named.join('; '), { errors: errors.slice(0, 50) })
}

/** One field that does not fit. */
export const invalidField = (field: string, message: string): Problem =>
  problem('INVALID_REQUEST', `${field}: ${message}`, { errors: [{ field, message }] })

/** Thrown to answer a problem from anywhere below the HTTP kernel. */
export class ProblemError extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}
