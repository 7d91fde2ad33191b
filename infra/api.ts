import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import type { Pool } from 'pg'
import { createAuthenticator, isUnauthenticated } from '../api/authenticate.ts'
import { serveDocs } from '../api/docs.ts'
import { nativeRoutes } from '../api/index.ts'
import { createApplication } from '../api/kernel.ts'
import { createMetrics } from '../api/metrics.ts'
import { describe } from '../api/openapi.ts'
import { ProblemError, problem } from '../api/problems.ts'
import { createRevocations } from '../api/revocations.ts'
import { createServices } from '../api/services.ts'
import { serveSystem } from '../api/system.ts'
import { lookAtApiKey } from '../commands/api_keys.ts'
import type { Ports } from '../commands/kernel.ts'
import { readBuilds } from '../projections/builds.ts'
import { followFreshness } from '../projections/freshness.ts'
import type { Config } from './config.ts'
import { connectEventStore } from './eventstore/client.ts'
import { openExportFile } from './exports/file.ts'
import { startExporter } from './exports/index.ts'
import type { Log } from './log.ts'
import type { Parts } from './parts.ts'
import { createEntryIndex, createPorts } from './ports.ts'
import { connectPostgres } from './postgres/pool.ts'
import { withPreparedQueries } from './postgres/prepared.ts'
import { runSchedule } from './schedule.ts'
import { StartError } from './start/error.ts'

const AUDIENCE = 'daybook'
const CONNECTIONS = 10

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

const about = {
  title: 'Daybook',
  version,
  description:
    'An event-sourced ledger: every money movement is one event, everything else follows from it. ' +
    'Amounts are strings of minor units. Send the Consistency-Token of a write with a read to see ' +
    'that write.',
}

/** Seconds by which each projection is behind the newest event. */
const readLag = async (database: Pool): Promise<Record<string, number>> => {
  const builds = await readBuilds(database)
  const newest = Math.max(0, ...builds.map(({ lastEventAt }) => lastEventAt?.getTime() ?? 0))
  return Object.fromEntries(
    builds.map(({ name, lastEventAt }) => [
      name,
      Math.max(0, newest - (lastEventAt?.getTime() ?? newest)) / 1000,
    ]),
  )
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

const listen = async (fetch: (request: Request) => unknown, config: Config): Promise<Server> => {
  const server = serve({
    fetch: fetch as never,
    hostname: config.host,
    port: config.port,
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
  readonly ports: Ports
  /** Stops accepting, finishes what is under way, keeps snapshots, lets go of everything. */
  stop(): Promise<void>
}

/**
 * Serves the API in this process, after `prepare` has done what must be there first. Throws
 * StartError when the port cannot be had.
 */
export const startApi = async (
  config: Config,
  parts: Parts,
  log: Log,
  prepare: (ports: Ports) => Promise<void>,
): Promise<ApiServer> => {
  const clock = (): Date => new Date()
  const stopping = new AbortController()
  const database = withPreparedQueries(
    await connectPostgres({ url: parts.databaseUrl, name: 'daybook api', max: CONNECTIONS }),
  )
  const revocations = createRevocations(clock)
  const store = revocations.watch(connectEventStore({ url: parts.eventStoreUrl }))
  const freshness = await followFreshness(database, log)
  const ports = await createPorts({
    config,
    store,
    database,
    clock,
    index: createEntryIndex(database, store, freshness),
    secret: parts.directory.secret,
  })
  await revocations.follow({ store, database, log, signal: stopping.signal })
  const authenticate = createAuthenticator({
    verify: ports.secrets.verifyAccess,
    apiKeys: (key) => lookAtApiKey(ports, key),
    digest: ports.secrets.digest,
    revoked: revocations,
    clock,
  })
  const exportDirectory = join(parts.directory.path, 'exports')
  const exporter = startExporter({
    ports,
    directory: exportDirectory,
    version,
    log,
    signal: stopping.signal,
  })
  exporter.ended.catch((error: unknown) =>
    log.error({ error: String(error) }, 'the exporter ended'),
  )
  const services = createServices({
    ports,
    database,
    freshness,
    log,
    authenticate: async (header) => {
      const outcome = await authenticate(header, AUDIENCE)
      if (!isUnauthenticated(outcome)) return outcome
      throw new ProblemError(problem('UNAUTHENTICATED', outcome.unauthenticated))
    },
    exports: {
      progressOf: exporter.progressOf,
      open: (id) => openExportFile(exportDirectory, id),
    },
    checks: {
      postgres: async () => {
        await database.query('select 1')
        return 'answers'
      },
      event_store: async () => {
        await store.head()
        return 'answers'
      },
    },
    bodyLimit_bytes: config.bodyLimitBytes,
    rateLimit: config.rateLimitPerMinute,
    stopping: stopping.signal,
  })
  const metrics = createMetrics(() => readLag(database))
  const app = createApplication(nativeRoutes, services, metrics)
  serveSystem(app, services, metrics)
  serveDocs(app, describe(nativeRoutes, about))
  await prepare(ports)
  const server = await listen(app.fetch as never, config)
  const schedule = runSchedule(ports, database, log, stopping.signal)
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : config.port
  return {
    url: `http://${config.host}:${port}`,
    ports,
    stop: async () => {
      stopping.abort()
      await finishRequests(server)
      await Promise.all([schedule, exporter.ended.catch(() => undefined)])
      await ports.engine.drain()
      await freshness.close()
      await Promise.all([store.close(), database.end()])
    },
  }
}
