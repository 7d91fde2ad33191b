/** `GET /api/chat/rooms/{id}/ws/`: a room as it goes on, over a WebSocket. */
import { upgradeWebSocket } from '@hono/node-server'
import type { Context, Env, Hono } from 'hono'
import type { WebSocket } from 'ws'
import { z } from 'zod'
import { findRoom } from '../../api/coastal/chat.ts'
import { refuseForgery } from '../../api/coastal/cookies.ts'
import { coastalDialect } from '../../api/coastal/dialect.ts'
import { invalidField, ProblemError, problem } from '../../api/problems.ts'
import type { Call } from '../../api/route.ts'
import type { Services } from '../../api/services.ts'
import { newUlid } from '../../commands/ids.ts'
import { reachOf } from '../../domain/permissions.ts'
import { type Connection, follow, isGood } from './connection.ts'
import { count, receiving } from './frames.ts'
import type { Hub } from './hub.ts'
import { createLine } from './line.ts'

const Digits = z.string().regex(/^\d{1,9}$/)

/** Browsers send cookies with a socket that another site has them open, and say whose page it is. */
const refuseForeign = ({ url, headers }: Request): void =>
  refuseForgery(new Request(url, { method: 'POST', headers }))

const callOf = async (request: Request, services: Services): Promise<Call> => {
  refuseForeign(request)
  const at = services.ports.clock()
  const identity = await coastalDialect.identify(request.headers, services, at)
  const reach = reachOf(identity.roles, 'messages:use')
  if (!reach) throw new ProblemError(problem('NOT_PERMITTED', 'This needs messages:use.'))
  return {
    ...{ services, identity, reach, at, request, requestId: newUlid(), input: {} },
    ...{ key: undefined, ifMatch: undefined, dryRun: false },
    consistency: services.newestWrite(),
  }
}

/** What the client says that it has seen; undefined: it only wants what comes from now on. */
const afterOf = (given: string | undefined): number | undefined => {
  if (given === undefined) return undefined
  const parsed = Digits.safeParse(given)
  if (parsed.success) return Number(parsed.data)
  throw new ProblemError(invalidField('after', 'must be the sequence of a message'))
}

/** Refuses by a problem, as over HTTP, whoever may not come in. */
const prepare = async (c: Context, services: Services, hub: Hub) => {
  const call = await callOf(c.req.raw, services)
  count(call)
  const id = Digits.safeParse(c.req.param('id'))
  if (!id.success) throw new ProblemError(problem('RESOURCE_NOT_FOUND', 'There is no such room.'))
  const after = afterOf(c.req.query('after'))
  const room = await findRoom(call, Number(id.data))
  if (!hub.hasRoomFor(call.identity.id)) {
    throw new ProblemError(problem('OVERLOADED', 'Too many connections are open already.'))
  }
  return { call, room, after: after ?? room.last_sequence }
}

type Prepared = Awaited<ReturnType<typeof prepare>>

const begin = (wire: WebSocket, { call, room, after }: Prepared, hub: Hub) => {
  const line = createLine(wire, () => void isGood(connection))
  const connection: Connection = { line, call, room, hub }
  const leave = (): void => line.close('leaving')
  const { services } = call
  services.stopping.addEventListener('abort', leave)
  line.signal.addEventListener('abort', () => services.stopping.removeEventListener('abort', leave))
  if (services.stopping.aborted) leave()
  follow(connection, after).catch((error: unknown) => {
    if (line.signal.aborted) return
    services.log.error({ err: error, room: room.number }, 'a chat connection failed')
    line.close('failed')
  })
  return receiving(connection)
}

/** Serves rooms over sockets on the application that serves everything else. */
export const serveChat = <E extends Env>(app: Hono<E>, services: Services, hub: Hub): void => {
  app.get('/api/chat/rooms/:id/ws', async (c, next) => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') return next()
    const prepared = await prepare(c, services, hub)
    let receive: ((text: string) => void) | undefined
    return upgradeWebSocket(c, {
      onOpen: (_event, { raw }) => {
        receive = begin(raw as WebSocket, prepared, hub)
      },
      onMessage: ({ data }) => {
        receive?.(typeof data === 'string' ? data : '')
      },
    })
  })
}
