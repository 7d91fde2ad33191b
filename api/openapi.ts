import { OpenAPIHono, z } from '@hono/zod-openapi'
import type { Contract } from './contract.ts'
import type { Dialect } from './dialect.ts'
import { type ProblemCode, problem } from './problems.ts'
import type { Route } from './route.ts'

const headerDocs = {
  'Idempotency-Key': 'The same key and body again: the first answer again, nothing done twice.',
  'X-Idempotency-Key':
    'The same key and body again within 24 hours: the first answer again, nothing done twice.',
  'If-Match': 'The ETag you read. When it has changed since, 412 and nothing is done.',
  'Consistency-Token': 'From a write: the answer shows at least that write, or is 503.',
} as const

type Shape = Record<string, z.ZodType>

/** The path's fields and the others of an input, apart. */
const splitInput = (route: Route): { params: Shape; fields: Shape } => {
  const params: Shape = {}
  const fields: Shape = {}
  const shape = route.input instanceof z.ZodObject ? (route.input.shape as Shape) : {}
  for (const [name, schema] of Object.entries(shape)) {
    if (route.path.includes(`{${name}}`)) params[name] = schema
    else fields[name] = schema
  }
  return { params, fields }
}

const always: readonly ProblemCode[] = ['INVALID_REQUEST', 'RATE_LIMITED', 'UNAVAILABLE']
const whenKnown: readonly ProblemCode[] = ['UNAUTHENTICATED', 'NOT_PERMITTED']
const NOWHERE = { path: '', requestId: '' }

/** Every problem a route can answer, by status, with its codes, in the contract's words. */
const problemResponses = (route: Route, { fault, error, errorType }: Dialect) => {
  const codes = new Set([...always, ...(route.problems ?? [])])
  if (route.permission !== 'public') for (const code of whenKnown) codes.add(code)
  if (route.source === 'body') codes.add('MALFORMED_JSON').add('UNSUPPORTED_MEDIA_TYPE')
  if (route.multipart) codes.add('MALFORMED_FORM').add('BODY_TOO_LARGE')
  const byStatus = new Map<number, Set<string>>()
  for (const known of codes) {
    const { status, code } = fault(problem(known, ''), NOWHERE)
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code))
  }
  return Object.fromEntries(
    [...byStatus].map(([status, named]) => [
      status,
      { description: [...named].sort().join(', '), content: { [errorType]: { schema: error } } },
    ]),
  )
}

/** What stands for a captured value where people read the examples. */
const readable = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value ?? null).replace(/\{\w+\}/g, '01JQ8Z4M6N7P8R9S0T1V2W3X4Y'))

const queryOf = (fields: Shape): Shape => {
  const dryRun = z.enum(['true', 'false']).optional().openapi({
    description: 'Decide and answer as if, without doing it.',
  })
  return { ...fields, dry_run: dryRun }
}

const requestOf = (route: Route, { unknownFields }: Dialect) => {
  const isStrict = unknownFields === 'refused'
  const { params, fields } = splitInput(route)
  const headers = Object.fromEntries(
    (route.headers ?? []).map((name) => [
      name,
      z.string().optional().openapi({ description: headerDocs[name] }),
    ]),
  )
  const fromBody = route.source === 'body'
  const query = route.source === 'query' ? fields : fromBody && isStrict ? queryOf({}) : {}
  const example = route.example.body === undefined ? {} : { example: readable(route.example.body) }
  const streamed = route.consumes ?? 'application/x-ndjson'
  const whole = route.multipart ? 'multipart/form-data' : 'application/json'
  const mediaType = route.source === 'stream' ? streamed : whole
  const hasBody = route.source === 'stream' || (fromBody && Object.keys(fields).length > 0)
  const object = isStrict ? z.strictObject(fields) : z.object(fields)
  const schema = route.source === 'stream' ? z.string() : object
  return {
    params: z.object(params),
    query: z.object(query),
    headers: z.object(headers),
    ...(hasBody && { body: { required: true, content: { [mediaType]: { schema, ...example } } } }),
  }
}

export type About = {
  readonly title: string
  readonly version: string
  readonly description: string
}

const register = (
  { openAPIRegistry }: OpenAPIHono,
  route: Route,
  dialect: Dialect,
  tag: string,
): void => {
  openAPIRegistry.registerPath({
    method: route.method,
    path: route.path,
    tags: [tag],
    summary: route.summary,
    operationId: `${route.method}_${route.path.replace(/[^a-z0-9]+/gi, '_')}`.replace(/_$/, ''),
    ...(route.description && { description: route.description }),
    ...(route.permission !== 'public' && {
      security: [{ [dialect.security.name]: [] }],
      'x-permission': route.permission,
    }),
    request: requestOf(route, dialect),
    responses: {
      [route.status]: {
        description: 'Done',
        ...(route.status !== 204 && {
          content: { [route.contentType ?? 'application/json']: { schema: route.response } },
        }),
      },
      ...(route.accepted && {
        202: {
          description: 'Begun, not done',
          content: { 'application/json': { schema: route.accepted } },
        },
      }),
      ...problemResponses(route, dialect),
    },
  })
}

type Tagging = (contract: Contract, route: Route) => string

const documentOf = (contracts: readonly Contract[], about: About, tagOf: Tagging): object => {
  const app = new OpenAPIHono()
  for (const contract of contracts) {
    const { name, scheme } = contract.dialect.security
    app.openAPIRegistry.registerComponent('securitySchemes', name, scheme as never)
    for (const route of contract.routes) {
      register(app, route, contract.dialect, tagOf(contract, route))
    }
  }
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { ...about },
    servers: [{ url: '/' }],
  })
}

/**
 * The OpenAPI 3.1 document of everything: the native routes under their own tags, the others'
 * under the contract's. Costly: make it once.
 */
export const describeAll = (contracts: readonly Contract[], about: About): object =>
  documentOf(contracts, about, ({ dialect }, route) =>
    dialect.prefixes.includes('/') ? route.tag : dialect.title,
  )

/** The document of one contract alone. Costly: make it once. */
export const describeOne = (contract: Contract): object => {
  const { title, version, description } = contract.dialect
  return documentOf([contract], { title, version, description }, (_contract, route) => route.tag)
}
