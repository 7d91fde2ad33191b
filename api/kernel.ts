import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { newUlid } from '../commands/ids.ts'
import { reachOf } from '../domain/permissions.ts'
import type { Contract } from './contract.ts'
import { type Dialect, dialectOf } from './dialect.ts'
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
import type { Scoped } from './throttle.ts'

export type Env = { Bindings: { incoming?: { socket?: { remoteAddress?: string } } } }

const ANONYMOUS: Identity = { id: 'anonymous', roles: [] }
const REQUEST_ID = /^[0-9A-Za-z._-]{1,64}$/

const requestIdOf = (c: Context<Env>, { requestIdHeader }: Dialect): string => {
  const given = (requestIdHeader && c.req.header(requestIdHeader)) ?? c.req.header('x-request-id')
  return given !== undefined && REQUEST_ID.test(given) ? given : newUlid()
}

type Known = { readonly code?: unknown; readonly name?: string; readonly message: string }

const unavailable = new Set(['EVENT_STORE_UNAVAILABLE', 'ECONNREFUSED', 'ECONNRESET', '57P01'])

/** Turns whatever was thrown into a problem; what nobody expected is a 500 and goes to the log. */
const problemFrom = (error: unknown): Problem => {
  if (error instanceof ProblemError) return error.problem
  const { code, message } = error as Known
  if (code === 'BAD_CURSOR') return problem('BAD_CURSOR', message)
  if (code === 'SUBJECT_FORGOTTEN')
    return problem('PERSON_FORGOTTEN', 'This person has been forgotten.')
  if (code === 'OVERLOADED') return problem('OVERLOADED', 'Too many requests are waiting already.')
  if (typeof code === 'string' && unavailable.has(code)) {
    return problem('UNAVAILABLE', 'A part that this needs is out of reach. Try again.')
  }
  return problem('INTERNAL', 'The fault is ours. The request id helps to find it.')
}

type Told = {
  readonly dialect: Dialect
  readonly requestId: string
  readonly headers: Readonly<Record<string, string>>
}

const problemResponse = (found: Problem, path: string, told: Told): Response => {
  const { dialect, requestId, headers } = told
  const { status, body } = dialect.fault(found, { path, requestId })
  const wait = found.facts?.retry_after_s
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'Content-Type': dialect.errorType,
      'X-Request-Id': requestId,
      ...dialect.headers?.(requestId, status),
      ...(status === 503 && { 'Retry-After': '1' }),
      ...(typeof wait === 'number' && { 'Retry-After': String(wait) }),
      ...headers,
    },
  })
}

const bodyOf = ({ stream, body }: Answer, status: number) => {
  if (stream) return stream
  return status === 204 ? null : JSON.stringify(body)
}

const answerResponse = (route: Route, answer: Answer, told: Told): Response => {
  const { dialect, requestId } = told
  const status = answer.status ?? route.status
  const headers = new Headers({
    'Content-Type': route.contentType ?? 'application/json',
    'X-Request-Id': requestId,
    ...dialect.headers?.(requestId, status),
    ...told.headers,
    ...answer.headers,
  })
  for (const cookie of answer.cookies ?? []) headers.append('Set-Cookie', cookie)
  return new Response(bodyOf(answer, status), { status, headers })
}

/** Behind proxies of ours, what the first of them saw: what stands before it anybody can write. */
const addressOf = (c: Context<Env>, { trustedProxies }: Services): string => {
  const seen = trustedProxies === 0 ? undefined : c.req.header('x-forwarded-for')?.split(',')
  const forwarded = seen?.at(-Math.min(trustedProxies, seen.length))?.trim()
  return forwarded || (c.env?.incoming?.socket?.remoteAddress ?? 'unknown')
}

const admit = async (
  limiter: Limiter,
  client: string,
  limits: Record<string, string>,
): Promise<void> => {
  const allowance = await limiter(client)
  Object.assign(limits, allowance.headers)
  if (!allowance.allowed) {
    throw new ProblemError(problem('RATE_LIMITED', 'This client has used up its minute.'))
  }
}

const count = (services: Services, { scope, ...rate }: Scoped, key: string, at: Date): void => {
  const wait_s = services.throttle.take(scope, key, rate, at)
  if (wait_s === undefined) return
  const detail = `Too many attempts: try again in ${wait_s} seconds.`
  throw new ProblemError(
    problem('RATE_LIMITED', detail, { facts: { scope, retry_after_s: wait_s } }),
  )
}

type Arrived = {
  readonly services: Services
  readonly dialect: Dialect
  readonly identity: Identity
  readonly requestId: string
  readonly at: Date
}

const callOf = async (c: Context<Env>, route: Route, arrived: Arrived): Promise<Call> => {
  const { services, dialect, identity, at } = arrived
  const reach = route.permission === 'public' ? 'own' : reachOf(identity.roles, route.permission)
  if (!reach) {
    const detail = `This needs the permission ${route.permission}.`
    throw new ProblemError(problem('NOT_PERMITTED', detail))
  }
  if (route.source === 'stream') requireMediaType(c, route.consumes ?? 'application/x-ndjson')
  const { input, dryRun } = await parseInput(c, route, dialect, services.bodyLimit_bytes)
  for (const { key, ...scoped } of route.throttles ?? []) {
    const who = { id: identity.id, address: addressOf(c, services) }
    count(services, scoped, key(input as never, who), at)
  }
  const token = consistencyOf(c)
  return {
    services,
    identity,
    reach,
    requestId: arrived.requestId,
    input,
    dryRun,
    at,
    request: c.req.raw,
    key: idempotencyKeyOf(c, dialect),
    ifMatch: ifMatchOf(c),
    consistency: dialect.freshness === 'by token' ? token : services.newestWrite(),
  }
}

type Serving = {
  readonly services: Services
  readonly limiter: Limiter
  readonly metrics: Metrics
}

const serve = (route: Route, dialect: Dialect, { services, limiter, metrics }: Serving) => {
  const { method, path } = route
  return async (c: Context<Env>): Promise<Response> => {
    const began = performance.now()
    const at = services.ports.clock()
    const requestId = requestIdOf(c, dialect)
    const headers: Record<string, string> = {}
    const told = { dialect, requestId, headers }
    let response: Response
    try {
      dialect.guard?.(c.req.raw)
      const identity =
        route.permission === 'public'
          ? ANONYMOUS
          : await dialect.identify(c.req.raw.headers, services, at)
      const client = identity === ANONYMOUS ? addressOf(c, services) : `user ${identity.id}`
      await admit(limiter, client, headers)
      if (dialect.limits) {
        const limit = identity === ANONYMOUS ? dialect.limits.unknown : dialect.limits.known
        count(services, limit, `${dialect.name} ${client}`, at)
      }
      const call = await callOf(c, route, { services, dialect, identity, requestId, at })
      response = answerResponse(route, await route.run(call), told)
    } catch (error) {
      const found = problemFrom(error)
      if (found.status === 500) {
        services.log.error({ err: error, request_id: requestId, route: path }, 'request failed')
      }
      response = problemResponse(found, c.req.path, told)
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

/** `/v1/books/{book}` as Hono writes it; with and without a slash at its end are one address. */
const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1').replace(/\/$/, '')

/** The HTTP application: contracts as data in, a server out. What is unknown is a problem too. */
export const createApplication = (
  contracts: readonly Contract[],
  services: Services,
  metrics: Metrics,
): OpenAPIHono<Env> => {
  const app = new OpenAPIHono<Env>({ strict: false })
  const serving = { services, metrics, limiter: createLimiter(services.rateLimit) }
  const dialects = contracts.map(({ dialect }) => dialect)
  const methods = new Map<string, string[]>()
  for (const { dialect, routes } of contracts) {
    for (const route of routes) {
      app.on(route.method, honoPath(route.path), serve(route, dialect, serving))
      const known = methods.get(route.path)
      if (known) known.push(route.method.toUpperCase())
      else methods.set(route.path, [route.method.toUpperCase()])
    }
  }
  const fail = (c: Context<Env>, found: Problem, headers: Told['headers'] = {}): Response => {
    const dialect = dialectOf(dialects, c.req.path)
    return problemResponse(found, c.req.path, {
      dialect,
      requestId: requestIdOf(c, dialect),
      headers,
    })
  }
  for (const [path, allowed] of methods) {
    app.all(honoPath(path), (c) => {
      const detail = `${c.req.method} is not known here; ${allowed.join(', ')} is.`
      return fail(c, problem('METHOD_NOT_ALLOWED', detail), { Allow: allowed.join(', ') })
    })
  }
  app.notFound((c) => fail(c, problem('ROUTE_NOT_FOUND', `There is nothing at ${c.req.path}.`)))
  app.onError((error, c) => {
    services.log.error({ err: error }, 'request failed outside its route')
    return fail(c, problemFrom(error))
  })
  return app
}
