import { z } from '@hono/zod-openapi'
import type { EventStore, LogFilter, Position, Recorded } from '../../domain/log.ts'
import { listTrail } from '../../projections/event_queries.ts'
import { ProblemError, problem } from '../problems.ts'
import { type Call, type Route, read } from '../route.ts'
import { type SentEvent, sendEvents } from '../stream.ts'
import * as views from './views.ts'

const tag = 'Events'
const PositionInput = z
  .string()
  .regex(/^\d{1,20}$/, { error: 'a position is 1 to 20 digits', abort: true })
  .refine((digits) => BigInt.asUintN(64, BigInt(digits)) === BigInt(digits), 'no such position')
const StreamName = z.string().regex(/^[!-~]{1,256}$/, 'a stream name is visible ASCII')
const TypePrefix = z.string().regex(/^[A-Za-z]{1,64}$/, 'letters only')

const positionOf = (commit: string): Position => ({
  commit: BigInt(commit),
  prepare: BigInt(commit),
})

const eventView = (event: Recorded) => ({
  id: event.id,
  stream: event.stream,
  revision: event.revision,
  position: event.position.commit.toString(),
  type: event.type,
  data: event.data,
  metadata: event.metadata,
  recorded_at: event.recordedAt,
})

const take = async (events: AsyncIterable<Recorded>, limit: number) => {
  const items = []
  for await (const event of events) {
    items.push(eventView(event))
    if (items.length === limit) break
  }
  return items
}

const StreamInput = z.strictObject({
  stream: StreamName,
  from: z.coerce.number().int().min(0).optional(),
  order: z.enum(['forwards', 'backwards']).default('forwards'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

const readOneStream = async ({ services, input }: Call) => {
  const { stream, from, order, limit } = input as z.infer<typeof StreamInput>
  const start = from === undefined ? {} : { from }
  const options = { ...start, direction: order, limit } as const
  const items = await take(services.ports.store.readStream(stream, options), limit)
  if (items.length === 0 && from === undefined) {
    throw new ProblemError(problem('RESOURCE_NOT_FOUND', `There is no stream ${stream}.`))
  }
  const last = items.at(-1)
  const step = order === 'forwards' ? 1 : -1
  const next = last && items.length === limit ? last.revision + step : -1
  return { body: { items, next_from: next >= 0 ? next : null } }
}

const LogInput = z.strictObject({
  /** Exclusive, as is a live stream's Last-Event-ID: what you saw last. */
  after: PositionInput.optional(),
  types: z.string().max(512).optional(),
  streams: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

const prefixesOf = (list: string, schema: z.ZodType<string>, field: string): string[] => {
  const parsed = z.array(schema).min(1).max(16).safeParse(list.split(','))
  if (parsed.success) return parsed.data
  const errors = [{ field, message: 'prefixes, separated by commas, at most 16' }]
  throw new ProblemError(problem('INVALID_REQUEST', `${field}: ${errors[0]?.message}`, { errors }))
}

const filterOf = (input: z.infer<typeof LogInput>): LogFilter | undefined => {
  if (input.types !== undefined) return { types: prefixesOf(input.types, TypePrefix, 'types') }
  if (input.streams === undefined) return undefined
  return { streams: prefixesOf(input.streams, StreamName, 'streams') }
}

const PAGE_TIMEOUT_MS = 5_000

/** A page of the log: a subscription that ends when the page is full or history is over. */
const readPage = async (store: EventStore, input: z.infer<typeof LogInput>) => {
  const ending = new AbortController()
  const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(PAGE_TIMEOUT_MS)])
  const filter = filterOf(input)
  const after = input.after === undefined ? ('start' as const) : positionOf(input.after)
  const items = []
  for await (const item of store.subscribe({ after, signal, ...(filter && { filter }) })) {
    if (item.kind === 'caught_up') break
    items.push(eventView(item.event))
    if (items.length === input.limit) break
  }
  ending.abort()
  return items
}

const readLog = async ({ services, input }: Call) => {
  const asked = input as z.infer<typeof LogInput>
  const items = await readPage(services.ports.store, asked)
  const full = items.length === asked.limit
  return { body: { items, next_after: full ? (items.at(-1)?.position ?? null) : null } }
}

/** Live events as server-sent events; the id of each is its position, to go on after it. */
export async function* followLog(
  store: EventStore,
  after: Position | 'end',
  filter: LogFilter | undefined,
  signal: AbortSignal,
): AsyncGenerator<SentEvent> {
  for await (const item of store.subscribe({ after, signal, ...(filter && { filter }) })) {
    if (item.kind === 'caught_up') continue
    const { event } = item
    const id = event.position.commit.toString()
    yield { id, event: event.type, data: JSON.stringify(eventView(event)) }
  }
}

/** Where a live stream begins: after what the reader saw last, or at the end. */
export const resumeAfter = (request: Request, after: string | undefined): Position | 'end' => {
  const seen = request.headers.get('last-event-id') ?? after
  if (seen === null || seen === undefined) return 'end'
  const parsed = PositionInput.safeParse(seen)
  if (parsed.success) return positionOf(parsed.data)
  const errors = [{ field: 'Last-Event-ID', message: 'must be the id of an event of this stream' }]
  throw new ProblemError(
    problem('INVALID_REQUEST', 'Last-Event-ID: must be an id of this stream', { errors }),
  )
}

const followEvents = async ({ services, input, request }: Call) => {
  const asked = input as z.infer<typeof LogInput>
  const after = resumeAfter(request, asked.after)
  const filter = filterOf(asked)
  const open = (signal: AbortSignal) => followLog(services.ports.store, after, filter, signal)
  return { stream: sendEvents(open, [services.stopping, request.signal]) }
}

const events = z.array(views.LogEvent)

export const eventRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/events',
    tag,
    summary: 'Read the log',
    description: 'In the order in which everything happened. Filters are prefixes.',
    permission: 'events:read',
    input: LogInput,
    source: 'query',
    status: 200,
    response: z.object({ items: events, next_after: z.string().nullable() }),
    example: { query: { types: 'EntryPosted,Hold', limit: '5' } },
    run: readLog,
  },
  {
    method: 'get',
    path: '/v1/events/live',
    tag,
    summary: 'Follow the log as it grows',
    description: 'Server-sent events. Reconnect with Last-Event-ID to miss nothing.',
    permission: 'events:read',
    input: LogInput.omit({ limit: true }),
    source: 'query',
    status: 200,
    response: z.string(),
    contentType: 'text/event-stream',
    example: { query: { after: '0' } },
    run: followEvents,
  },
  {
    method: 'get',
    path: '/v1/streams/{stream}/events',
    tag,
    summary: 'Read one stream',
    permission: 'events:read',
    input: StreamInput,
    source: 'query',
    status: 200,
    response: z.object({ items: events, next_from: z.int().nullable() }),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { stream: 'book-example' }, query: { order: 'backwards', limit: '2' } },
    run: readOneStream,
  },
  read('/v1/audit/trail', listTrail, {
    tag: 'Audit',
    summary: 'Find what one request or one person brought about',
    description: 'The correlation is the X-Request-Id of the request that began it.',
    response: views.pageOf(views.TrailItem, 'Trail'),
    problems: ['BAD_CURSOR'],
    example: { query: { type: 'EntryPosted', limit: '3' } },
  }),
]
