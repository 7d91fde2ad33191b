import type { Dialect } from '../dialect.ts'
import { ProblemError, problem } from '../problems.ts'
import type { Call } from '../route.ts'
import { AtmError, atmFault } from './errors.ts'

const SESSION_HEADER = 'X-Session-ID'
/** 32 random bytes in base64url. */
const TOKEN = /^[\w-]{43}$/

/** A cash machine: a card and its PIN open a session of two minutes, which each use renews. */
export const atmDialect: Dialect = {
  name: 'atm',
  title: 'Cash machine',
  version: '1.0.0',
  description:
    'A cash machine: log in with card and PIN, see balances, withdraw, deposit, transfer, and ' +
    'print statements. Amounts are cents in requests and formatted dollars in answers.',
  prefixes: ['/health', '/api/v1'],
  errorType: 'application/json',
  error: AtmError,
  fault: atmFault,
  identify: async (headers, { ports }, at) => {
    const token = headers.get(SESSION_HEADER) ?? ''
    const card = TOKEN.test(token)
      ? await ports.cardSessions.use(ports.secrets.digest(token), at)
      : undefined
    if (!card) throw new ProblemError(problem('UNAUTHENTICATED', 'There is no such session.'))
    return { id: card.customer, roles: ['customer'], session: card.session, card }
  },
  security: {
    name: 'session',
    scheme: {
      type: 'apiKey',
      in: 'header',
      name: SESSION_HEADER,
      description: 'The session_id of POST /api/v1/auth/login.',
    },
  },
  requestIdHeader: 'x-correlation-id',
  headers: (requestId) => ({ 'X-Correlation-ID': requestId }),
  unknownFields: 'ignored',
  freshness: 'all written here',
}

/** The card holder of a call that got past `identify`. */
export const holderOf = ({ identity }: Call) => {
  if (!identity.card) throw new Error('nobody stands at the machine')
  return identity.card
}
