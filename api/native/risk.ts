import { z } from '@hono/zod-openapi'
import { getScore, listAlerts, listScores } from '../../projections/risk_queries.ts'
import { type Call, type Route, read } from '../route.ts'
import { sendEvents } from '../stream.ts'
import { followLog, resumeAfter } from './events.ts'
import * as views from './views.ts'

const tag = 'Risk'
const Page = views.pageOf(views.Score, 'Score')

const followScores = async ({ services, input, request }: Call) => {
  const after = resumeAfter(request, (input as { after?: string }).after)
  const filter = { streams: ['scores-'] }
  const open = (signal: AbortSignal) => followLog(services.ports.store, after, filter, signal)
  return { stream: sendEvents(open, [services.stopping, request.signal]) }
}

export const riskRoutes: readonly Route[] = [
  read('/v1/risk/scores', listScores, {
    tag,
    summary: 'List scores, newest first',
    response: Page,
    problems: ['BAD_CURSOR'],
    example: { query: { min_probability: '0', limit: '5' } },
  }),
  {
    method: 'get',
    path: '/v1/risk/scores/stream',
    tag,
    summary: 'Follow scores as they are made',
    description: 'Server-sent events. Reconnect with Last-Event-ID to miss nothing.',
    permission: 'risk:read',
    input: z.strictObject({ after: z.string().max(20).optional() }),
    source: 'query',
    status: 200,
    response: z.string(),
    contentType: 'text/event-stream',
    example: { query: { after: '0' } },
    run: followScores,
  },
  read('/v1/risk/scores/{book}/{entry}', getScore, {
    tag,
    summary: 'Show the score of an entry with what the model saw and why',
    response: views.Score,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { book: 'example', entry: '{scored}' } },
  }),
  read('/v1/risk/alerts', listAlerts, {
    tag,
    summary: 'List the scores that call for a person',
    response: Page,
    problems: ['BAD_CURSOR'],
    example: { query: { decision: 'block' } },
  }),
]
