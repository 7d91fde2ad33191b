import { z } from '@hono/zod-openapi'
import type { Dialect, Fault } from '../dialect.ts'
import type { Problem, ProblemCode } from '../problems.ts'

/** A sentence in `detail`, or sentences by field; and for programs `status`, `message`, `code`. */
export const CoastalError = z
  .looseObject({
    detail: z.string().optional(),
    status: z.literal('error'),
    message: z.string(),
    code: z.string(),
  })
  .openapi('CoastalError')

type Wording = {
  readonly status: number
  /** Where the product has another word than Daybook. */
  readonly code?: string
  /** Where its users know a sentence. */
  readonly message?: string
  /** Where they look for it, besides `message`. */
  readonly under?: 'non_field_errors' | 'error'
}

const badToken: Wording = { status: 401, message: 'Token is invalid or expired' }

const inactiveAccount: Wording = {
  ...{ status: 400, code: 'INVALID_TRANSACTION' },
  message: 'The account is not active.',
}

/** What has words of its own; the rest follows from the problem's status. */
const table: Partial<Record<ProblemCode, Wording>> = {
  UNAUTHENTICATED: { status: 401, message: 'Authentication credentials were not provided.' },
  NOT_PERMITTED: {
    status: 403,
    code: 'PERMISSION_DENIED',
    message: 'You do not have permission to perform this action.',
  },
  CREDENTIALS_INVALID: {
    status: 400,
    code: 'INVALID_CREDENTIALS',
    message: 'Invalid credentials.',
    under: 'non_field_errors',
  },
  USER_DISABLED: { status: 403, message: 'This account has been deactivated.' },
  LOGIN_LOCKED: { status: 403, code: 'ACCOUNT_LOCKED' },
  REFRESH_TOKEN_INVALID: badToken,
  REFRESH_TOKEN_REUSED: badToken,
  SESSION_ENDED: badToken,
  RATE_LIMITED: { status: 429 },
  CODE_TOO_SOON: { status: 429, under: 'error' },
  CODE_NOT_SENT: { status: 400, under: 'error' },
  CODE_EXPIRED: { status: 400, under: 'error' },
  CODE_WRONG: { status: 400, message: 'Invalid OTP code.', under: 'error' },
  CODE_LOCKED: { status: 429, under: 'error' },
  ROLE_NOT_APPOINTABLE: { status: 400, code: 'INVALID_ROLE' },
  CLIENT_NOT_ASSIGNED: { status: 403, code: 'PERMISSION_DENIED' },
  VISIT_NOT_PLANNED: { status: 400, code: 'INVALID_STATUS' },
  MAKER_IS_CHECKER: {
    status: 403,
    code: 'PERMISSION_DENIED',
    message: 'Maker-Checker Violation: somebody else has to decide what you have submitted.',
  },
  IDEMPOTENCY_KEY_REUSED: { status: 409 },
  REQUEST_UNDER_WAY: { status: 409 },
  ACCOUNT_NOT_OWNED: { status: 400, code: 'UNAUTHORIZED_ACCOUNT_ACCESS' },
  INSUFFICIENT_FUNDS: { status: 400, message: 'Insufficient funds.' },
  ACCOUNT_FROZEN: inactiveAccount,
  ACCOUNT_CLOSED: inactiveAccount,
  SAME_ACCOUNT: {
    ...{ status: 400, code: 'INVALID_TRANSACTION' },
    message: 'Cannot transfer to the same account.',
  },
  PAYMENT_PARTIES_UNFIT: { status: 400, code: 'INVALID_TRANSACTION' },
  PAYMENT_NOT_PENDING: { status: 400, code: 'INVALID_STATUS' },
  LOAN_NOT_PENDING: { status: 400, code: 'INVALID_STATUS' },
  LOAN_NOT_RUNNING: { status: 400, code: 'INVALID_STATUS' },
  LOAN_ABOVE_LIMIT: { status: 403, code: 'PERMISSION_DENIED' },
  LOAN_STEP_UNDER_WAY: { status: 409 },
  REFUND_NOT_PENDING: { status: 400, code: 'INVALID_STATUS' },
  CASH_ADVANCE_STATUS_UNFIT: { status: 400, code: 'INVALID_STATUS' },
  CHECK_DEPOSIT_STATUS_UNFIT: { status: 400, code: 'INVALID_STATUS' },
  OPENING_NOT_PENDING: { status: 400, code: 'INVALID_STATUS' },
  OPENING_NOT_APPROVED: { status: 400, code: 'INVALID_STATUS' },
  OPENING_NOT_REJECTED: { status: 400, code: 'INVALID_STATUS' },
  CLOSURE_NOT_PENDING: { status: 400, code: 'INVALID_STATUS' },
  ACCOUNT_NOT_EMPTY: {
    status: 400,
    message: 'The account has a balance other than zero, or holds on it.',
  },
  SCORE_NOT_READY: { status: 409 },
  PAYMENT_NOT_COMPLETED: { status: 409 },
  RESOURCE_NOT_FOUND: { status: 404, code: 'NOT_FOUND', message: 'Not found.' },
  ROUTE_NOT_FOUND: { status: 404, code: 'NOT_FOUND', message: 'Not found.' },
  INTERNAL: {
    status: 500,
    code: 'INTERNAL_SERVER_ERROR',
    message: 'An unexpected error occurred.',
  },
}

/** The state of affairs is in the way, or a rule: to this product's users, a bad request. */
const badRequests: ReadonlySet<number> = new Set([409, 412, 422])

const wordingOf = ({ code, status }: Problem): Wording =>
  table[code as ProblemCode] ?? { status: badRequests.has(status) ? 400 : status }

/** As the framework says it of a field that is not there. */
export const REQUIRED = 'This field is required.'
const inItsWords = (message: string): string =>
  message.endsWith('received undefined') ? REQUIRED : message

const lacksField = ({ errors = [] }: Problem): boolean =>
  errors.some(({ message }) => inItsWords(message) === REQUIRED)

/** Complaints by field, of the request or of a refusal that names one. */
const fieldsOf = ({ errors, facts, detail }: Problem): Record<string, string[]> | undefined => {
  const named =
    errors ?? (typeof facts?.field === 'string' ? [{ field: facts.field, message: detail }] : [])
  if (named.length === 0) return undefined
  const fields: Record<string, string[]> = {}
  for (const { field, message } of named) {
    const name = field === '(body)' ? 'non_field_errors' : field
    const known = fields[name] ?? []
    fields[name] = [...known, inItsWords(message)]
  }
  return fields
}

export const coastalFault: Dialect['fault'] = (problem): Fault => {
  const { status, message = problem.detail, under, ...wording } = wordingOf(problem)
  const code = lacksField(problem) ? 'REQUIRED_FIELD_MISSING' : (wording.code ?? problem.code)
  return {
    status,
    code,
    body: {
      ...(fieldsOf(problem) ?? { detail: message }),
      ...(under === 'non_field_errors' && { non_field_errors: [message] }),
      ...(under === 'error' && { error: message }),
      status: 'error',
      message,
      code,
    },
  }
}
