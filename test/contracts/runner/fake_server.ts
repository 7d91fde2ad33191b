/** A server for tests of the runner: a door that only notes who knocks, an echo and a race. */
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'

export type FakeServer = {
  readonly url: string
  /** What was asked of it since it was last cleared, in order. */
  readonly log: string[]
  stop(): Promise<void>
}

const describePart = async (value: string | File): Promise<unknown> => {
  if (typeof value === 'string') return value
  const bytes = Buffer.from(await value.arrayBuffer())
  return { filename: value.name, content_type: value.type, base64: bytes.toString('base64') }
}

const readForm = async (context: Context): Promise<Record<string, unknown>> => {
  const form: Record<string, unknown> = {}
  for (const [name, value] of await context.req.raw.formData()) {
    form[name] = await describePart(value)
  }
  return form
}

/** Answers what was asked, so that a scenario can expect what it sent. */
const echo = async (context: Context): Promise<Response> => {
  const { req } = context
  const type = req.header('content-type') ?? null
  const multipart = type?.startsWith('multipart/form-data') === true
  return context.json({
    method: req.method,
    query: req.queries(),
    type: multipart ? 'multipart/form-data' : type,
    session: req.header('x-session-id') ?? null,
    authorization: req.header('authorization') ?? null,
    ...(multipart ? { form: await readForm(context) } : { text: await req.text() }),
  })
}

const createApp = (log: string[]): Hono => {
  let won = false
  const app = new Hono()
  app.post('/test/reset', (context) => {
    won = false
    log.push('reset')
    return context.body(null, 204)
  })
  app.post('/test/given', async (context) => {
    const { contract, given } = await context.req.json()
    log.push(`given ${contract} ${JSON.stringify(given)}`)
    if (given.broken) return context.json({ detail: 'unknown key broken' }, 400)
    return context.json({ refs: { alice: { id: 7, slug: 'alice-a' }, bob: { id: 8 } } })
  })
  app.post('/test/clock', async (context) => {
    log.push(`clock ${(await context.req.json()).now}`)
    return context.body(null, 204)
  })
  app.get('/test/outbox', (context) => {
    log.push('outbox')
    return context.json({ items: [{ secret: null }, { secret: '123456' }, { secret: '654321' }] })
  })
  app.all('/echo/:name?', (context) => {
    log.push(`${context.req.method} ${context.req.path}`)
    return echo(context)
  })
  app.post('/race', (context) => {
    log.push('race')
    const winner = !won
    won = true
    return winner ? context.json({ won: true }, 201) : context.json({ won: false }, 400)
  })
  return app
}

export const startFakeServer = async (): Promise<FakeServer> => {
  const log: string[] = []
  const { fetch } = createApp(log)
  const server = serve({ fetch, port: 0, hostname: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    log,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
