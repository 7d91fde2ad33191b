import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { newUlid } from '../commands/ids.ts'
import { reachOf } from '../domain/permissions.ts'
import {
  consistencyOf,
  idempotencyKeyOf,
  ifMatchOf,
  parseInput,
  requireMediaType,
} from './input.ts'
import { createLimiter, type Limiter } from './limit.ts'
import type { Metrics } from './metrics.ts'
import { type Problem, ProblemError, problem } from './problems.ts'
import type { Answer, Call, Route } from './route.ts'
import type { Identity, Services } from './services.ts'

export type Env = { Bindings: { incoming?: { socket?: { remoteAddress?: string } } } }

const ANONYMOUS: Identity = { id: 'anonymous', roles: [] }
const REQUEST_ID = /^[0-9A-Za-z._-]{1,64}$/

const requestIdOf = (c: Context<Env>): string => {
  const given = c.req.header('x-request-id')
  return given !== undefined && REQUEST_ID.test(given) ? given : newUlid()
}

type Known = { readonly code?: unknown; readonly name?: string; readonly message: string }

const unavailable = new Set(['EVENT_STORE_UNAVAILABLE', 'ECONNREFUSED', 'ECONNRESET', '57P01'])

/** Turns whatever was thrown into a problem; what nobody expected is a 500 and goes to the log. */
const problemFrom = (error: unknown): Problem => {
  if (error instanceof ProblemError) return error.problem
  const { code, message } = error as Known
  if (code === 'BAD_CURSOR') return problem('BAD_CURSOR', message)
  if (code === 'OVERLOADED') return problem('OVERLOADED', 'Too many requests are waiting already.')
  if (typeof code === 'string' && unavailable.has(code)) {
    return problem('UNAVAILABLE', 'A part that this needs is out of reach. Try again.')
  }
  return problem('INTERNAL', 'The fault is ours. The request id helps to find it.')
}

const problemResponse = (
  found: Problem,
  instance: string,
  requestId: string,
  headers: Readonly<Record<string, string>>,
): Response =>
  new Response(JSON.stringify({ ...found, instance, request_id: requestId }), {
    status: found.status,
    headers: {
      'Content-Type': 'application/problem+json',
      'X-Request-Id': requestId,
      ...(found.status === 401 && { 'WWW-Authenticate': 'Bearer' }),
      ...(found.status === 503 && { 'Retry-After': '1' }),
      ...(typeof found.facts?.retry_after_s === 'number' && {
        'Retry-After': String(found.facts.retry_after_s),
      }),
      ...headers,
    },
  })

const answerResponse = (
  route: Route,
  answer: Answer,
  requestId: string,
  limits: Readonly<Record<string, string>>,
): Response => {
  const status = answer.status ?? route.status
  const headers = {
    'Content-Type': route.contentType ?? 'application/json',
    'X-Request-Id': requestId,
    ...limits,
    ...answer.headers,
  }
  if (answer.stream) return new Response(answer.stream, { status, headers })
  if (status === 204) return new Response(null, { status, headers: { ...headers } })
  return new Response(JSON.stringify(answer.body), { status, headers })
}

const clientOf = (c: Context<Env>, identity: Identity): string =>
  identity === ANONYMOUS
    ? (c.env?.incoming?.socket?.remoteAddress ?? 'unknown')
    : `user ${identity.id}`

const identify = async (c: Context<Env>, route: Route, services: Services): Promise<Identity> =>
  route.permission === 'public' ? ANONYMOUS : services.authenticate(c.req.header('authorization'))

const admit = async (
  c: Context<Env>,
  limiter: Limiter,
  identity: Identity,
  limits: Record<string, string>,
): Promise<void> => {
  const allowance = await limiter(clientOf(c, identity))
  Object.assign(limits, allowance.headers)
  if (!allowance.allowed) {
    throw new ProblemError(problem('RATE_LIMITED', 'This client has used up its minute.'))
  }
}

const callOf = async (
  c: Context<Env>,
  route: Route,
  services: Services,
  identity: Identity,
  requestId: string,
): Promise<Call> => {
  const reach = route.permission === 'public' ? 'own' : reachOf(identity.roles, route.permission)
  if (!reach) {
    const detail = `This needs the permission ${route.permission}.`
    throw new ProblemError(problem('NOT_PERMITTED', detail))
  }
  if (route.source === 'stream') requireMediaType(c, 'application/x-ndjson')
  const { input, dryRun } = await parseInput(c, route, services.bodyLimit_bytes)
  return {
    services,
    identity,
    reach,
    requestId,
    input,
    dryRun,
    at: services.ports.clock(),
    request: c.req.raw,
    key: idempotencyKeyOf(c),
    ifMatch: ifMatchOf(c),
    consistency: consistencyOf(c),
  }
}

const serve = (route: Route, services: Services, limiter: Limiter, metrics: Metrics) => {
  const { method, path } = route
  return async (c: Context<Env>): Promise<Response> => {
    const began = performance.now()
    const requestId = requestIdOf(c)
    const limits: Record<string, string> = {}
    let response: Response
    try {
      const identity = await identify(c, route, services)
      await admit(c, limiter, identity, limits)
      const call = await callOf(c, route, services, identity, requestId)
      response = answerResponse(route, await route.run(call), requestId, limits)
    } catch (error) {
      const found = problemFrom(error)
      if (found.status === 500) {
        services.log.error({ err: error, request_id: requestId, route: path }, 'request failed')
      }
      response = problemResponse(found, c.req.path, requestId, limits)
    }
    const seconds = (performance.now() - began) / 1000
    metrics.observe(method, path, response.status, seconds)
    const { status } = response
    services.log.debug(
      { request_id: requestId, method, path: c.req.path, status, seconds },
      'request',
    )
    return response
  }
}

/** `/v1/books/{book}` as Hono writes it. */
const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')

/** The HTTP application: routes as data in, a server out. Everything unknown is a problem too. */
export const createApplication = (
  routes: readonly Route[],
  services: Services,
  metrics: Metrics,
): OpenAPIHono<Env> => {
  const app = new OpenAPIHono<Env>({ strict: false })
  const limiter = createLimiter(services.rateLimit)
  const methods = new Map<string, string[]>()
  for (const route of routes) {
    app.on(route.method, honoPath(route.path), serve(route, services, limiter, metrics))
    const known = methods.get(route.path)
    if (known) known.push(route.method.toUpperCase())
    else methods.set(route.path, [route.method.toUpperCase()])
  }
  for (const [path, allowed] of methods) {
    app.all(honoPath(path), (c) => {
      const detail = `${c.req.method} is not known here; ${allowed.join(', ')} is.`
      const found = problem('METHOD_NOT_ALLOWED', detail)
      return problemResponse(found, c.req.path, requestIdOf(c), { Allow: allowed.join(', ') })
    })
  }
  app.notFound((c) => {
    const found = problem('ROUTE_NOT_FOUND', `There is nothing at ${c.req.path}.`)
    return problemResponse(found, c.req.path, requestIdOf(c), {})
  })
  app.onError((error, c) => {
    services.log.error({ err: error }, 'request failed outside its route')
    return problemResponse(problemFrom(error), c.req.path, requestIdOf(c), {})
  })
  return app
}
