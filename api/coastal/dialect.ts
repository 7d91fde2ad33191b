import type { Dialect } from '../dialect.ts'
import { authorizationOf, refuseForgery } from './cookies.ts'
import { CoastalError, coastalFault } from './errors.ts'

const HOUR_S = 3600

/** A savings and susu bank: tellers, mobile bankers, managers and their customers. */
export const coastalDialect: Dialect = {
  name: 'coastal',
  title: 'Coastal banking',
  version: '1.0.0',
  description:
    'A savings and susu bank in Ghana: users, accounts, transactions, loans, messages. Amounts ' +
    'are strings with two decimals, in GHS. Browsers carry their tokens in cookies; others may ' +
    'send the access token as a bearer.',
  prefixes: [
    ...['/api/users', '/api/accounts', '/api/banking', '/api/transactions', '/api/check-deposits'],
    ...['/api/loans', '/api/performance', '/api/audit', '/api/operations', '/api/chat'],
    ...['/api/messaging', '/api/ml'],
  ],
  errorType: 'application/json',
  error: CoastalError,
  fault: coastalFault,
  guard: refuseForgery,
  identify: (headers, services) => services.authenticate(authorizationOf(headers), 'coastal'),
  limits: {
    unknown: { scope: 'anon', requests: 100, seconds: HOUR_S },
    known: { scope: 'user', requests: 1000, seconds: HOUR_S },
  },
  security: {
    name: 'coastal_cookie',
    scheme: {
      type: 'apiKey',
      in: 'cookie',
      name: 'access',
      description: 'The cookie of POST /api/users/auth/login/; its value is good as a bearer too.',
    },
  },
  headers: (_requestId, status) => (status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
  idempotencyHeader: 'X-Idempotency-Key',
  unknownFields: 'ignored',
  freshness: 'all written here',
}
