import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer } from 'node:net'
import { serve, type WebSocketServerLike } from '@hono/node-server'
import { WebSocketServer } from 'ws'
import type { Documents } from '../api/docs.ts'
import { contracts } from '../api/index.ts'
import { nativeDialect } from '../api/native/dialect.ts'
import { describeAll, describeOne } from '../api/openapi.ts'
import type { Ports } from '../commands/ports.ts'
import { projections } from '../projections/index.ts'
import { type Application, openApplication, type Surroundings } from './application.ts'
import { MOST_BYTES } from './chat/frames.ts'
import type { Config } from './config.ts'
import { StartError } from './start/error.ts'

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

const documentsOf = (): Documents => {
  const { title, description } = nativeDialect
  const named = contracts.map((contract) => [
    contract.dialect.name,
    JSON.stringify(describeOne(contract)),
  ])
  return {
    everything: JSON.stringify(describeAll(contracts, { title, version, description })),
    contracts: Object.fromEntries(named),
  }
}

/** Says at once that the port is taken, before everything else has been started for nothing. */
export const refuseTakenPort = async ({ host, port }: Config): Promise<void> => {
  if (port === 0) return
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) => reject(portFault(host, port, error)))
    probe.listen({ host, port }, resolve)
  })
  await new Promise((resolve) => probe.close(resolve))
}

const portFault = (host: string, port: number, error: NodeJS.ErrnoException): StartError =>
  new StartError(
    error.code === 'EADDRINUSE'
      ? `Port ${port} on ${host} is taken. Choose another with PORT=...`
      : `Cannot listen on ${host}:${port}: ${error.message}`,
    error,
  )

const listen = async (fetch: Application['fetch'], config: Config): Promise<Server> => {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_BYTES })
  const server = serve({
    fetch: fetch as never,
    hostname: config.host,
    port: config.port,
    websocket: { server: sockets as WebSocketServerLike },
  }) as Server
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (error: Error) => reject(portFault(config.host, config.port, error)))
  })
  // Idle connections must not outlive a proxy's own time-out by much, nor be cut before it.
  server.keepAliveTimeout = 65_000
  server.requestTimeout = 300_000
  return server
}

const SWEEP_MS = 50
/** A first start has months of a bank to read. */
const CATCH_UP_TIMEOUT_MS = 20_000

/** A connection that is kept alive is idle only between requests, so it is told not to be. */
const finishRequests = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
    server.prependListener('request', (_request, response) => {
      response.setHeader('Connection', 'close')
    })
    server.close(() => {
      clearInterval(sweep)
      resolve()
    })
  })

export type ApiServer = {
  readonly url: string
  /** Waits until the read models show all that is in the log; false when that takes too long. */
  caughtUp(): Promise<boolean>
  /** Stops accepting, finishes what is under way, keeps snapshots, lets go of everything. */
  stop(): Promise<void>
}

/** Stands in front of the application, and can put it away and open it again. */
export type Door = (
  application: Application,
  reopen: (meanwhile: () => Promise<void>) => Promise<Application>,
) => Application['fetch']

export type ApiOptions = Omit<Surroundings, 'version' | 'documents'> & {
  /** Done each time the application was opened, before anybody is served. */
  readonly prepare: (ports: Ports) => Promise<void>
  /** For tests; otherwise requests go straight to the application. */
  readonly door?: Door | undefined
}

/** Serves the API in this process. Throws StartError when the port cannot be had. */
export const startApi = async ({ prepare, door, ...around }: ApiOptions): Promise<ApiServer> => {
  const surroundings = { ...around, version, documents: documentsOf() }
  const open = async (): Promise<Application> => {
    const opened = await openApplication(surroundings)
    await prepare(opened.services.ports)
    return opened
  }
  let application = await open()
  const reopen = async (meanwhile: () => Promise<void>): Promise<Application> => {
    application.end()
    await application.close()
    await meanwhile()
    application = await open()
    return application
  }
  const fetch = door?.(application, reopen) ?? application.fetch
  const { config } = around
  const server = await listen(fetch, config)
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : config.port
  return {
    url: `http://${config.host}:${port}`,
    caughtUp: async () => {
      const { services, freshness } = application
      const head = await services.ports.store.head()
      const names = projections.map(({ name }) => name)
      return freshness.waitFor(names, head?.commit ?? 0n, CATCH_UP_TIMEOUT_MS)
    },
    stop: async () => {
      application.end()
      await finishRequests(server)
      await application.close()
    },
  }
}
