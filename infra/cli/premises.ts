/** How a command finds the stores: those of a Daybook that runs, or its own for as long as it takes. */
import { join } from 'node:path'
import type { Pool } from 'pg'
import type { EventStore } from '../../domain/log.ts'
import type { Premises } from '../back_office.ts'
import { createClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { readSecret } from '../data_directory.ts'
import { connectEventStore } from '../eventstore/client.ts'
import { createLogger } from '../log.ts'
import { openParts } from '../parts.ts'
import { connectPostgres } from '../postgres/pool.ts'
import type { Role } from '../roles/role.ts'
import { startRoles } from '../roles/start.ts'
import { findRunning, type Running } from '../running.ts'
import { checklist } from '../start/checklist.ts'

const premisesOf = (running: Running, directory: string): Premises => ({
  eventStoreUrl: running.eventStoreUrl,
  databaseUrl: running.databaseUrl,
  secret: (name) => readSecret(directory, name),
  directory,
})

/** `projector`: what is not running already is started, so that the read models catch up. */
export type Needs = { readonly projector: boolean }

/**
 * Runs `work` where the stores are and stops afterwards what it had to start. What is started is
 * reported on standard error.
 */
export const withPremises = async <Result>(
  config: Config,
  needs: Needs,
  work: (premises: Premises) => Promise<Result>,
): Promise<Result> => {
  const running = findRunning(config.dataDirectory)
  if (running) return work(premisesOf(running, config.dataDirectory))
  const list = checklist(process.stderr)
  const parts = await openParts(config, list)
  const roles: Role[] = []
  try {
    if (needs.projector) {
      const log = createLogger({
        level: config.logLevel,
        file: join(parts.directory.path, 'daybook.log'),
      })
      const projector = { ...config, roles: new Set(['project'] as const) }
      await startRoles({ config: projector, parts, clock: createClock(), log, list }, roles)
    }
    const { eventStoreUrl, databaseUrl, directory } = parts
    const { secret, path } = directory
    return await work({ eventStoreUrl, databaseUrl, secret, directory: path })
  } finally {
    await Promise.all(roles.map((role) => role.stop()))
    await parts.close()
  }
}

export type Stores = { readonly store: EventStore; readonly database: Pool }

/** Like `withPremises`, with connections to both stores. */
export const withStores = <Result>(
  config: Config,
  needs: Needs,
  work: (stores: Stores) => Promise<Result>,
): Promise<Result> =>
  withPremises(config, needs, async ({ eventStoreUrl, databaseUrl }) => {
    const database = await connectPostgres({ url: databaseUrl, name: 'daybook cli', max: 4 })
    const store = connectEventStore({ url: eventStoreUrl })
    try {
      return await work({ store, database })
    } finally {
      await Promise.all([store.close(), database.end()])
    }
  })
