import type { Dialect } from '../dialect.ts'
import { Problem } from '../problems.ts'

/** Daybook's own way: RFC 9457 problems, bearer tokens, consistency tokens. */
export const nativeDialect: Dialect = {
  name: 'native',
  title: 'Daybook',
  version: '1',
  description:
    'An event-sourced ledger: every money movement is one event, everything else follows from it. ' +
    'Amounts are strings of minor units. Send the Consistency-Token of a write with a read to see ' +
    'that write.',
  prefixes: ['/'],
  errorType: 'application/problem+json',
  error: Problem,
  fault: (problem, { path, requestId }) => ({
    status: problem.status,
    code: problem.code,
    body: { ...problem, instance: path, request_id: requestId },
  }),
  identify: (headers, services) =>
    services.authenticate(headers.get('authorization') ?? undefined, 'daybook'),
  security: {
    name: 'bearer',
    scheme: {
      type: 'http',
      scheme: 'bearer',
      description: 'An access token from POST /v1/tokens, or an API key.',
    },
  },
  headers: (_requestId, status) => (status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
  unknownFields: 'refused',
  freshness: 'by token',
}
