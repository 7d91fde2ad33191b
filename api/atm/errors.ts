import { z } from '@hono/zod-openapi'
import { VAULT } from '../../domain/machines.ts'
import { formatDollars } from '../../domain/money.ts'
import type { Fault } from '../dialect.ts'
import type { Problem, ProblemCode } from '../problems.ts'

export const AtmError = z
  .object({
    error: z.string().openapi({ example: 'insufficient_funds' }),
    detail: z.string(),
    error_code: z.string().openapi({ example: 'TXN_INSUFFICIENT_FUNDS' }),
    details: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('AtmError')

type Facts = NonNullable<Problem['facts']>
type Words = {
  readonly status: number
  readonly error: string
  readonly code: string
  readonly detail?: (facts: Facts, problem: Problem) => string
}

const words = (status: number, error: string, code: string, detail?: Words['detail']): Words => ({
  status,
  error,
  code,
  ...(detail && { detail }),
})

const dollars = (cents: unknown): string => formatDollars(String(cents ?? '0'))
const isMachine = ({ account }: Facts): boolean =>
  String(account ?? '').startsWith(`${VAULT.split(':')[0]}:`)

const validation = words(422, 'validation_error', 'VALIDATION_ERROR')
const noSession = words(
  401,
  'session_invalid',
  'AUTH_SESSION_INVALID',
  () => 'The session is missing, not valid or has expired.',
)
const noBills = words(
  400,
  'insufficient_bills',
  'TXN_INSUFFICIENT_BILLS',
  ({ requested }) => `Insufficient bills: this machine cannot pay out ${dollars(requested)}.`,
)
const noMachine = words(404, 'machine_not_found', 'MACHINE_NOT_FOUND')
const tooMany = words(429, 'rate_limited', 'AUTH_RATE_LIMITED')

/** Daybook's codes in the words of the machine's document; all others keep their own name. */
const table: Partial<Record<ProblemCode, Words>> = {
  INVALID_REQUEST: validation,
  MALFORMED_JSON: validation,
  DUPLICATE_FIELD: validation,
  COVER_UNSUITABLE: validation,
  BAD_CURSOR: validation,
  UNAUTHENTICATED: noSession,
  CARD_SESSION_ENDED: noSession,
  CARD_CREDENTIALS_INVALID: words(
    401,
    'invalid_credentials',
    'AUTH_INVALID_CREDENTIALS',
    () => 'Authentication failed: the card number or the PIN is wrong.',
  ),
  CARD_LOCKED: words(
    403,
    'account_locked',
    'AUTH_ACCOUNT_LOCKED',
    ({ locked_until }) =>
      `The card is locked until ${locked_until} because of too many failed attempts.`,
  ),
  PIN_UNCHANGED: words(400, 'pin_unchanged', 'AUTH_PIN_UNCHANGED'),
  PIN_TOO_COMMON: words(400, 'pin_too_common', 'AUTH_PIN_TOO_COMMON'),
  INSUFFICIENT_FUNDS: words(
    400,
    'insufficient_funds',
    'TXN_INSUFFICIENT_FUNDS',
    ({ available, requested }) =>
      `Insufficient funds: Account balance of ${dollars(available)} is less than requested ` +
      dollars(requested),
  ),
  VELOCITY_LIMIT: words(
    400,
    'daily_limit_exceeded',
    'TXN_DAILY_LIMIT_EXCEEDED',
    ({ kind, limit_amount }) =>
      `This would exceed the daily ${kind} limit of ${dollars(limit_amount)}.`,
  ),
  TRANSFER_DECLINED: words(
    403,
    'transaction_declined',
    'TXN_DECLINED',
    () => 'The bank has declined this transaction.',
  ),
  SAME_ACCOUNT: words(
    400,
    'same_account',
    'TXN_SAME_ACCOUNT',
    () => 'Source and destination are the same account.',
  ),
  TARGET_UNAVAILABLE: words(
    400,
    'destination_unavailable',
    'TXN_DESTINATION_UNAVAILABLE',
    () => 'The destination account takes no money.',
  ),
  ACCOUNT_FROZEN: words(403, 'account_frozen', 'ACCOUNT_FROZEN', () => 'The account is frozen.'),
  ACCOUNT_CLOSED: words(403, 'account_closed', 'ACCOUNT_CLOSED', () => 'The account is closed.'),
  ACCOUNT_NOT_FOUND: words(
    404,
    'account_not_found',
    'ACCOUNT_NOT_FOUND',
    () => 'There is no such account.',
  ),
  STATEMENT_PERIOD_INVALID: words(400, 'invalid_date_range', 'STMT_INVALID_DATE_RANGE'),
  IDEMPOTENCY_KEY_REUSED: words(409, 'idempotency_key_reused', 'IDEMPOTENCY_KEY_REUSED'),
}

const wordsFor = (problem: Problem): Words => {
  const code = problem.code as ProblemCode
  const facts = problem.facts ?? {}
  if (code === 'INSUFFICIENT_FUNDS' && isMachine(facts)) return noBills
  if (code === 'ACCOUNT_NOT_FOUND' && isMachine(facts)) return noMachine
  if (code === 'RATE_LIMITED' && facts.scope === 'login') return tooMany
  return table[code] ?? words(problem.status, code.toLowerCase(), code)
}

/** A statement, or its file, that is not there has a code of its own. */
export const STATEMENT_MISSING = 'statement'

/** `{ error, detail, error_code }`, for everything that can go wrong. */
export const atmFault = (problem: Problem): Fault => {
  const facts = problem.facts ?? {}
  const missing = facts.resource === STATEMENT_MISSING
  const { status, error, code, detail } = missing
    ? words(404, 'statement_not_found', 'STMT_NOT_FOUND')
    : wordsFor(problem)
  const { locked_until, retry_after_s } = facts
  const details = {
    ...(locked_until !== undefined && { locked_until }),
    ...(retry_after_s !== undefined && { retry_after_seconds: retry_after_s }),
    ...(problem.errors && { errors: problem.errors }),
  }
  return {
    status,
    code,
    body: {
      error,
      detail: detail?.(facts, problem) ?? problem.detail,
      error_code: code,
      ...(Object.keys(details).length > 0 && { details }),
    },
  }
}
