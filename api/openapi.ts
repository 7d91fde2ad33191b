import { OpenAPIHono, z } from '@hono/zod-openapi'
import { Problem, type ProblemCode, statusOf } from './problems.ts'
import type { Route } from './route.ts'

const headerDocs = {
  'Idempotency-Key': 'The same key and body again: the first answer again, nothing done twice.',
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

/** Every problem a route can answer, by status, with its codes. */
const problemResponses = (route: Route) => {
  const codes = new Set([...always, ...(route.problems ?? [])])
  if (route.permission !== 'public') for (const code of whenKnown) codes.add(code)
  if (route.source === 'body') codes.add('MALFORMED_JSON').add('UNSUPPORTED_MEDIA_TYPE')
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of codes) {
    const alike = byStatus.get(statusOf(code))
    if (alike) alike.push(code)
    else byStatus.set(statusOf(code), [code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, named]) => [
      status,
      {
        description: named.sort().join(', '),
        content: { 'application/problem+json': { schema: Problem } },
      },
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

const requestOf = (route: Route) => {
  const { params, fields } = splitInput(route)
  const headers = Object.fromEntries(
    (route.headers ?? []).map((name) => [
      name,
      z.string().optional().openapi({ description: headerDocs[name] }),
    ]),
  )
  const fromBody = route.source === 'body'
  const query = route.source === 'query' ? fields : fromBody ? queryOf({}) : {}
  const example = route.example.body === undefined ? {} : { example: readable(route.example.body) }
  const mediaType = route.source === 'stream' ? 'application/x-ndjson' : 'application/json'
  const hasBody = route.source === 'stream' || (fromBody && Object.keys(fields).length > 0)
  const schema = route.source === 'stream' ? z.string() : z.strictObject(fields)
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

const register = ({ openAPIRegistry }: OpenAPIHono, route: Route): void => {
  openAPIRegistry.registerPath({
    method: route.method,
    path: route.path,
    tags: [route.tag],
    summary: route.summary,
    operationId: `${route.method}_${route.path.replace(/[^a-z0-9]+/gi, '_')}`.replace(/_$/, ''),
    ...(route.description && { description: route.description }),
    ...(route.permission !== 'public' && {
      security: [{ bearer: [] }],
      'x-permission': route.permission,
    }),
    request: requestOf(route),
    responses: {
      [route.status]: {
        description: 'Done',
        ...(route.status !== 204 && {
          content: { [route.contentType ?? 'application/json']: { schema: route.response } },
        }),
      },
      ...problemResponses(route),
    },
  })
}

/** The OpenAPI 3.1 document of a list of routes. Costly: make it once. */
export const describe = (routes: readonly Route[], about: About): object => {
  const app = new OpenAPIHono()
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token from POST /v1/tokens, or an API key.',
  })
  for (const route of routes) register(app, route)
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { ...about },
    servers: [{ url: '/' }],
  })
}
