/**
 * For black-box tests of the contracts, in a server started with DAYBOOK_TEST=1: `/test/reset`,
 * `/test/given`, `/test/clock` and `/test/outbox`. Anybody may use it, so it is never there beside anything real.
 */
import { Hono } from 'hono'
import type { Pool } from 'pg'
import { z } from 'zod'
import { createTurns } from '../../domain/turns.ts'
import { projections } from '../../projections/index.ts'
import { listOutbox } from '../../projections/outbox.ts'
import type { Door } from '../api.ts'
import type { Application } from '../application.ts'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Parts } from '../parts.ts'
import { connectPostgres } from '../postgres/pool.ts'
import type { Role } from '../roles/role.ts'
import { SeedRefused } from '../seed/ask.ts'
import { SYSTEM } from '../system.ts'
import { parseGiven } from './given.ts'
import { wipe } from './wipe.ts'

export type DoorOptions = {
  readonly parts: Parts
  readonly clock: Clock
  readonly log: Log
  readonly roles: readonly Role[]
}

const FRESHNESS_TIMEOUT_MS = 10_000
const MOST_ROUNDS = 1000
/** So many messages are shown. */
const NEWEST = 20

/** Rate limits are off unless a test names them. */
const withoutLimits = (application: Application): Application => {
  application.services.throttle.restrict(new Map())
  return application
}

/** Waits until the read models show all that was written. */
const settle = async ({ services, freshness }: Application): Promise<void> => {
  const names = projections.map(({ name }) => name)
  if (await freshness.waitFor(names, services.newestWrite(), FRESHNESS_TIMEOUT_MS)) return
  throw new Error('the read models did not come that far')
}

/** What is due may make more due, and is found by the read models. */
const catchUp = async (application: Application): Promise<void> => {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    await application.settled()
    await settle(application)
    if (!(await application.schedule.catchUp())) return
  }
  throw new Error('the clock did not come to an end')
}

const ClockBody = z.strictObject({ now: z.iso.datetime({ offset: true }).nullable() })

const bodyOf = (request: Request): Promise<unknown> => request.json().catch(() => undefined)

const faultOf = (error: unknown): { readonly status: 400; readonly body: object } | undefined => {
  if (error instanceof z.ZodError) {
    return { status: 400, body: { error: 'unfit', detail: z.prettifyError(error) } }
  }
  if (error instanceof SeedRefused) {
    return { status: 400, body: { error: error.refusal.refused, detail: error.message } }
  }
  return undefined
}

type State = { application: Application; database: Pool | undefined }

export const openTestDoor =
  ({ parts, clock, log, roles }: DoorOptions): Door =>
  (first, reopen) => {
    const state: State = { application: withoutLimits(first), database: undefined }
    const app = new Hono()
    const inTurn = createTurns()

    const reset = async (): Promise<void> => {
      clock.set(null)
      state.database ??= await connectPostgres({
        ...{ url: parts.databaseUrl, name: 'daybook test door', max: 1, derived: true },
      })
      const { database } = state
      let resuming: Promise<unknown> = Promise.resolve()
      const opened = await reopen(async () => {
        await Promise.all(roles.map((role) => role.pause()))
        await wipe(database, parts)
        // Side by side with the application, which needs none of them to open.
        resuming = Promise.all(roles.map((role) => role.resume()))
      })
      await resuming
      state.application = withoutLimits(opened)
    }

    app.post('/test/reset', async (c) => {
      await reset()
      return c.body(null, 204)
    })
    app.post('/test/given', async (c) => {
      const given = parseGiven(await bodyOf(c.req.raw))
      const { services } = state.application
      const refs = await given.load(services.ports)
      if (given.rates) services.throttle.restrict(given.rates)
      await settle(state.application)
      return c.json({ refs })
    })
    app.post('/test/clock', async (c) => {
      const { now } = ClockBody.parse(await bodyOf(c.req.raw))
      clock.set(now === null ? null : new Date(now))
      await catchUp(state.application)
      return c.body(null, 204)
    })
    app.get('/test/outbox', async (c) => {
      const { application } = state
      await application.settled()
      await settle(application)
      const { database: sql, ports } = application.services
      const asker = { id: SYSTEM.id, reach: 'all', at: ports.clock() } as const
      return c.json(await listOutbox.run(sql, { limit: NEWEST }, asker, ports.vault))
    })
    app.notFound((c) => c.json({ error: 'unknown', detail: `There is no ${c.req.path}.` }, 404))
    app.onError((error, c) => {
      const fault = faultOf(error)
      if (fault) return c.json(fault.body, fault.status)
      log.error({ err: error }, 'the test door failed')
      return c.json({ error: 'failed', detail: String(error) }, 500)
    })

    return (request, env) => {
      const { pathname } = new URL(request.url)
      return pathname.startsWith('/test/')
        ? inTurn(async () => app.fetch(request))
        : state.application.fetch(request, env)
    }
  }
