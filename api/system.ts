import type { OpenAPIHono } from '@hono/zod-openapi'
import { refusals } from '../domain/refusals.ts'
import type { Env } from './kernel.ts'
import type { Metrics } from './metrics.ts'
import { type ProblemCode, statusOf, titleOf, transportProblems } from './problems.ts'
import type { Services } from './services.ts'

const CHECK_TIMEOUT_MS = 2000

const timedOut = async (): Promise<string> => {
  await new Promise((resolve) => setTimeout(resolve, CHECK_TIMEOUT_MS).unref())
  throw new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)
}

/** For machines: is it alive, is it ready, how is it doing, and what its problem types mean. */
export const serveSystem = (app: OpenAPIHono<Env>, services: Services, metrics: Metrics): void => {
  app.get('/livez', (c) => c.json({ status: 'alive' }))
  app.get('/readyz', async (c) => {
    const parts: Record<string, string> = {}
    let ready = !services.stopping.aborted
    for (const [name, check] of Object.entries(services.checks)) {
      try {
        parts[name] = await Promise.race([check(), timedOut()])
      } catch (error) {
        ready = false
        parts[name] = (error as Error).message
      }
    }
    return c.json({ status: ready ? 'ready' : 'not ready', parts }, ready ? 200 : 503)
  })
  app.get('/metrics', async (c) =>
    c.body(await metrics.render(), 200, { 'Content-Type': metrics.contentType }),
  )
  app.get('/problems/:code', (c) => {
    const code = c.req.param('code')
    if (!(code in refusals) && !(code in transportProblems)) return c.notFound()
    const known = code as ProblemCode
    return c.json({ code, title: titleOf(known), status: statusOf(known) })
  })
}
