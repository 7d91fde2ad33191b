/**
 * Every business refusal, once. The kind decides the HTTP status, the code is stable for clients,
 * and the title is what the problem document calls it.
 *
 * invalid: the request contradicts itself; missing: what it names is not there; forbidden: the
 * actor may not; conflict: the state of affairs is in the way; rule: a rule of the ledger says no.
 */
export const refusals = {
  BOOK_NOT_FOUND: { kind: 'missing', title: 'No such book' },
  BOOK_EXISTS: { kind: 'conflict', title: 'A book of this name exists' },
  TIME_ZONE_UNKNOWN: { kind: 'invalid', title: 'No such time zone' },
  ASSET_UNKNOWN: { kind: 'invalid', title: 'The book does not keep this asset' },
  ACCOUNT_NOT_FOUND: { kind: 'missing', title: 'No such account' },
  ACCOUNT_EXISTS: { kind: 'conflict', title: 'An account of this code exists' },
  ACCOUNT_FROZEN: { kind: 'rule', title: 'The account is frozen' },
  ACCOUNT_CLOSED: { kind: 'rule', title: 'The account is closed' },
  ACCOUNT_NOT_FROZEN: { kind: 'conflict', title: 'The account is not frozen' },
  ACCOUNT_NOT_EMPTY: { kind: 'conflict', title: 'The account holds money or has open holds' },
  NOT_ACCOUNT_OWNER: { kind: 'forbidden', title: 'The account belongs to somebody else' },
  SAME_ACCOUNT: { kind: 'invalid', title: 'Source and destination are the same account' },
  ASSET_MISMATCH: { kind: 'invalid', title: 'The accounts keep different assets' },
  ENTRY_UNBALANCED: { kind: 'invalid', title: 'Debits and credits differ' },
  ENTRY_NOT_FOUND: { kind: 'missing', title: 'No such entry' },
  ENTRY_REVERSED: { kind: 'conflict', title: 'The entry has been reversed already' },
  REVERSAL_OF_REVERSAL: { kind: 'conflict', title: 'A reversal cannot be reversed' },
  INSUFFICIENT_FUNDS: { kind: 'rule', title: 'Insufficient funds' },
  VELOCITY_LIMIT: { kind: 'rule', title: 'A velocity limit would be exceeded' },
  CONDITION_FAILED: { kind: 'rule', title: 'A condition of the posting does not hold' },
  PERIOD_CLOSED: { kind: 'rule', title: 'The period is closed' },
  PERIOD_NOT_OVER: { kind: 'conflict', title: 'The period has not ended' },
  VALUE_DATE_TOO_FAR: { kind: 'invalid', title: 'The value date is too far away' },
  HOLD_NOT_FOUND: { kind: 'missing', title: 'No such hold' },
  HOLD_EXISTS: { kind: 'conflict', title: 'A hold of this id exists' },
  HOLD_NOT_OPEN: { kind: 'conflict', title: 'The hold is no longer open' },
  HOLD_EXCEEDED: { kind: 'rule', title: 'More than the hold has left' },
  HOLD_EXPIRY_PAST: { kind: 'invalid', title: 'The expiry lies in the past' },
  BATCH_REFUSED: { kind: 'rule', title: 'One entry of the batch was refused, so all were' },
  BATCH_TOO_LARGE: { kind: 'invalid', title: 'The batch does not fit into one event' },
  IDEMPOTENCY_KEY_REUSED: { kind: 'conflict', title: 'The key was used for another request' },
  REVISION_MISMATCH: { kind: 'conflict', title: 'It has changed since you read it' },
  USER_NOT_FOUND: { kind: 'missing', title: 'No such user' },
  USER_EXISTS: { kind: 'conflict', title: 'The user exists' },
  USERNAME_TAKEN: { kind: 'conflict', title: 'The username is taken' },
  USER_DISABLED: { kind: 'conflict', title: 'The user is disabled' },
  CREDENTIALS_INVALID: { kind: 'forbidden', title: 'Username or password is wrong' },
  SESSION_NOT_FOUND: { kind: 'missing', title: 'No such session' },
  SESSION_ENDED: { kind: 'forbidden', title: 'The session has ended' },
  REFRESH_TOKEN_INVALID: { kind: 'forbidden', title: 'The refresh token is not valid' },
  REFRESH_TOKEN_REUSED: { kind: 'forbidden', title: 'The refresh token was used before' },
  API_KEY_NOT_FOUND: { kind: 'missing', title: 'No such API key' },
  API_KEY_EXISTS: { kind: 'conflict', title: 'The API key exists' },
  EXPORT_NOT_FOUND: { kind: 'missing', title: 'No such export' },
  EXPORT_EXISTS: { kind: 'conflict', title: 'The export exists' },
  EXPORT_NOT_RUNNING: { kind: 'conflict', title: 'The export is not running' },
  NOT_PERMITTED: { kind: 'forbidden', title: 'You may not do this' },
} as const satisfies Record<string, { kind: RefusalKind; title: string }>

export type RefusalKind = 'invalid' | 'missing' | 'forbidden' | 'conflict' | 'rule'
export type RefusalCode = keyof typeof refusals
