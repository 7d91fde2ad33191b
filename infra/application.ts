import { join } from 'node:path'
import type { Pool } from 'pg'
import { createAuthenticator, isUnauthenticated } from '../api/authenticate.ts'
import { type Documents, serveDocs } from '../api/docs.ts'
import { contracts } from '../api/index.ts'
import { createApplication } from '../api/kernel.ts'
import { createMetrics } from '../api/metrics.ts'
import { ProblemError, problem } from '../api/problems.ts'
import { createRevocations } from '../api/revocations.ts'
import { createServices, type Services } from '../api/services.ts'
import { serveSystem } from '../api/system.ts'
import { createThrottle } from '../api/throttle.ts'
import { noteWrites } from '../api/written.ts'
import { lookAtApiKey } from '../commands/api_keys.ts'
import type { Ports } from '../commands/ports.ts'
import type { MessageSent } from '../domain/conversations.ts'
import type { AudienceName } from '../domain/sessions.ts'
import { readBuilds } from '../projections/builds.ts'
import { type Freshness, followFreshness } from '../projections/freshness.ts'
import { createAttachments } from './attachments.ts'
import { startChat } from './chat/index.ts'
import { serveChat } from './chat/socket.ts'
import { startDelivery } from './churn/alerts.ts'
import { scoreBatch } from './churn/batch.ts'
import { trainChurnModel } from './churn/training.ts'
import { keepUpload } from './churn/uploads.ts'
import type { Config } from './config.ts'
import { connectEventStore } from './eventstore/client.ts'
import { pathOfExport, startExporter } from './exports/index.ts'
import { openFile } from './files.ts'
import { analyzePayments } from './fraud/batch.ts'
import { tryCounterfactual } from './fraud/counterfactual.ts'
import { trainFraudModel } from './fraud/training.ts'
import { hearEvents } from './hearing.ts'
import type { Log } from './log.ts'
import { hearMessages, startOutbox } from './outbox/index.ts'
import { sendersOf } from './outbox/ways.ts'
import type { Parts } from './parts.ts'
import { createEntryIndex, createPorts, createScoreIndex } from './ports.ts'
import { createKeptAnswers } from './postgres/kept_answers.ts'
import { connectPostgres } from './postgres/pool.ts'
import { withPreparedQueries } from './postgres/prepared.ts'
import { createReadings } from './readings.ts'
import { runSchedule, type Schedule } from './schedule.ts'
import { createStatementMaker } from './statements/maker.ts'
import { startTasks } from './tasks/worker.ts'

const CONNECTIONS = 10

export type Surroundings = {
  readonly config: Config
  readonly parts: Parts
  readonly log: Log
  readonly clock: () => Date
  readonly version: string
  readonly documents: Documents
}

/** Everything between HTTP requests and the stores, without the socket. */
export type Application = {
  readonly fetch: (request: Request, env?: unknown) => Response | Promise<Response>
  readonly services: Services
  readonly freshness: Freshness
  readonly schedule: Schedule
  /** Resolves when nothing is being made in the background. */
  readonly settled: () => Promise<void>
  /** Ends what is without end: streams, subscriptions, the clock's work. */
  end(): void
  /** After `end`, and when no request is left: keeps snapshots, lets go of everything. */
  close(): Promise<void>
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

const authenticatorOf = (
  ports: Ports,
  revoked: Parameters<typeof createAuthenticator>[0]['revoked'],
) => {
  const authenticate = createAuthenticator({
    verify: ports.secrets.verifyAccess,
    apiKeys: (key) => lookAtApiKey(ports, key),
    digest: ports.secrets.digest,
    revoked,
    clock: ports.clock,
  })
  return async (header: string | undefined, audience: AudienceName) => {
    const outcome = await authenticate(header, audience)
    if (!isUnauthenticated(outcome)) return outcome
    throw new ProblemError(problem('UNAUTHENTICATED', outcome.unauthenticated))
  }
}

/** Connects to the stores and puts the application together. */
export const openApplication = async (surroundings: Surroundings): Promise<Application> => {
  const { config, parts, log, clock, version, documents } = surroundings
  const stopping = new AbortController()
  const { signal } = stopping
  const database = withPreparedQueries(
    await connectPostgres({ url: parts.databaseUrl, name: 'daybook api', max: CONNECTIONS }),
  )
  const revocations = createRevocations(clock)
  const written = noteWrites(connectEventStore({ url: parts.eventStoreUrl }))
  const messages = hearMessages(revocations.watch(written.store))
  const said = hearEvents<MessageSent>(messages.store, 'ConversationMessageSent')
  const { store } = said
  const freshness = await followFreshness(database, log)
  const index = createEntryIndex(database, store, freshness)
  const scores = createScoreIndex(database, store, freshness)
  const { secret, path } = parts.directory
  const kept = { secret, directory: path }
  const opening = { config, log, store, database, clock, index, scores, ...kept }
  const { ports, artefacts, glance, close: closePorts } = await createPorts(opening)
  await revocations.follow({ store, database, log, signal })
  const directoryOf = (name: string): string => join(path, name)
  const exporting = { ports, directory: directoryOf('exports'), version, log, signal }
  const exporter = startExporter(exporting)
  exporter.ended.catch((error: unknown) =>
    log.error({ error: String(error) }, 'the exporter ended'),
  )
  const making = { ports, database, freshness, directory: directoryOf('statements'), log, signal }
  const statements = await createStatementMaker(making)
  const delivering = { ports, database, freshness, secret: secret('webhooks'), log, signal }
  const delivery = startDelivery(delivering)
  const outbox = startOutbox({
    ...{ ports, database, freshness, senders: sendersOf(config), log, signal },
  })
  messages.heardBy(outbox.deliver)
  const chat = startChat({ ports, database, freshness, log, signal })
  said.heardBy(chat.tellOf)
  const tasks = startTasks({
    ports,
    database,
    freshness,
    log,
    signal,
    doers: {
      churn_batch: scoreBatch({ ports, database, delivery }),
      churn_training: trainChurnModel({ ports, database, artefacts, directory: path }),
      fraud_training: trainFraudModel({ ports, glance, artefacts }),
      fraud_batch: analyzePayments({ ports, database }),
      counterfactual: tryCounterfactual({
        ...{ ports, glance, artefacts, threshold: config.riskAlertThreshold },
      }),
    },
  })
  const metrics = createMetrics(() => readLag(database))
  const services = createServices({
    ports,
    database,
    freshness,
    log,
    authenticate: authenticatorOf(ports, revocations),
    exports: {
      progressOf: exporter.progressOf,
      open: (id) => openFile(pathOfExport(exporting.directory, id)),
    },
    statements,
    attachments: createAttachments({ ports, directory: directoryOf('attachments') }),
    tasks,
    churn: {
      keepUpload: (body) => keepUpload(path, body),
      deliver: delivery.deliver,
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
    readings: createReadings(database, store),
    traffic: metrics.traffic,
    bodyLimit_bytes: config.bodyLimitBytes,
    rateLimit: config.rateLimitPerMinute,
    trustedProxies: config.trustedProxies,
    throttle: createThrottle(),
    answers: await createKeptAnswers(database),
    secureCookies: config.secureCookies,
    newestWrite: written.newest,
    stopping: signal,
  })
  const app = createApplication(contracts, services, metrics)
  serveSystem(app, services, metrics)
  serveDocs(app, documents)
  serveChat(app, services, chat.hub)
  const schedule = runSchedule({ ports, database, freshness, log, signal })
  return {
    fetch: app.fetch as Application['fetch'],
    services,
    freshness,
    schedule,
    settled: async () => {
      await Promise.all([statements.settled(), tasks.settled(), chat.settled()])
      await Promise.all([delivery.settled(), outbox.settled()])
    },
    end: () => stopping.abort(),
    close: async () => {
      await Promise.all([schedule.ended, chat.ended, exporter.ended.catch(() => undefined)])
      await Promise.all([statements.settled(), tasks.settled(), chat.settled()])
      await Promise.all([delivery.settled(), outbox.settled()])
      await ports.engine.drain()
      await closePorts()
      await freshness.close()
      await Promise.all([store.close(), database.end()])
    },
  }
}
