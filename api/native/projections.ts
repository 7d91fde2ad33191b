import { z } from '@hono/zod-openapi'
import { type Build, readBuilds } from '../../projections/builds.ts'
import type { Call, Route } from '../route.ts'
import type { Services } from '../services.ts'
import * as views from './views.ts'

const COUNTED_AT_MOST = 1000

/** How many events lie after a position, counted no further than is useful to know. */
const countAfter = async ({ ports: { store } }: Services, { position }: Build): Promise<number> => {
  let count = 0
  const from = position.commit === 0n ? {} : { from: position }
  for await (const event of store.readAll({ ...from, limit: COUNTED_AT_MOST + 1 })) {
    if (event.position.commit > position.commit) count += 1
  }
  return Math.min(count, COUNTED_AT_MOST)
}

const SECOND_MS = 1000

const listProjections = async ({ services, at }: Call) => {
  const head = await services.ports.store.head()
  const builds = await readBuilds(services.database)
  const counted = new Map<bigint, number>()
  const items = []
  for (const build of builds) {
    const { commit } = build.position
    const behind = head !== undefined && commit < head.commit
    if (behind && !counted.has(commit)) counted.set(commit, await countAfter(services, build))
    const lag_events = behind ? (counted.get(commit) ?? 0) : 0
    const since = build.lastEventAt ? at.getTime() - build.lastEventAt.getTime() : 0
    items.push({
      name: build.name,
      version: build.version,
      build: build.build,
      status: build.status,
      position: commit.toString(),
      events: build.events,
      lag_events,
      lag_events_more: lag_events === COUNTED_AT_MOST,
      lag_seconds: lag_events > 0 ? Math.max(0, since) / SECOND_MS : 0,
      error: build.error,
    })
  }
  return { body: { head: head?.commit.toString() ?? null, items } }
}

export const projectionRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/projections',
    tag: 'Projections',
    summary: 'Show how far each read model has come',
    permission: 'projections:read',
    input: z.strictObject({}),
    source: 'query',
    status: 200,
    response: z.object({ head: z.string().nullable(), items: z.array(views.ProjectionState) }),
    example: {},
    run: listProjections,
  },
]
