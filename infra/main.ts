/** Starts Daybook: the stores, the roles asked for, the API; stops all of it on a signal. */
import { join } from 'node:path'
import { ensureAdministrator } from '../commands/users.ts'
import { isRefusal } from '../domain/kernel.ts'
import { type ApiServer, startApi } from './api.ts'
import { type Config, ConfigurationError, readConfig } from './config.ts'
import { createLogger } from './log.ts'
import { openParts, type Parts } from './parts.ts'
import type { Role } from './roles/role.ts'
import { startRoles } from './roles/start.ts'
import { clearRunning, writeRunning } from './running.ts'
import { type Checklist, checklist } from './start/checklist.ts'
import { StartError } from './start/error.ts'

type Started = { readonly parts: Parts; readonly roles: Role[]; api?: ApiServer }

const start = async (config: Config, list: Checklist): Promise<Started> => {
  const parts = await openParts(config, list)
  const started: Started = { parts, roles: [] }
  const file = config.logTo === 'file' ? join(parts.directory.path, 'daybook.log') : undefined
  const log = createLogger({ level: config.logLevel, file })
  try {
    await startRoles(config, parts, started.roles, log, list)
    if (config.roles.has('api')) {
      await list.step('API', async () => {
        started.api = await startApi(config, parts, log, async (ports) => {
          if (!config.admin) return
          const outcome = await ensureAdministrator(ports, config.admin)
          if (isRefusal(outcome)) throw new StartError(`The administrator: ${outcome.detail}`)
        })
        return started.api.url
      })
    }
    const { eventStoreUrl, databaseUrl } = parts
    writeRunning(parts.directory.path, { pid: process.pid, eventStoreUrl, databaseUrl })
    return started
  } catch (error) {
    await stop(started)
    throw error
  }
}

const stop = async ({ api, roles, parts }: Started): Promise<void> => {
  clearRunning(parts.directory.path)
  await api?.stop()
  await Promise.all(roles.map((role) => role.stop()))
  await parts.close()
}

/** Settles with the reason to end: a signal, or a part that died. */
const reasonToStop = ({ parts }: Started): Promise<string | undefined> =>
  Promise.race([
    new Promise<undefined>((resolve) => {
      process.once('SIGINT', () => resolve(undefined))
      process.once('SIGTERM', () => resolve(undefined))
    }),
    parts.lost,
  ])

const fail = (lines: readonly string[]): never => {
  for (const line of lines) console.error(line)
  process.exit(1)
}

const failWith = (error: unknown): never => {
  if (error instanceof ConfigurationError) return fail([error.message])
  if (error instanceof StartError) return fail([error.line])
  console.error(error)
  return process.exit(1)
}

const run = async (): Promise<void> => {
  const config = readConfig(process.env)
  const list = checklist(process.stdout)
  const started = await start(config, list)
  const reason = await reasonToStop(started)
  console.log(reason ?? 'Stopping: finishing what is under way.')
  setTimeout(() => {
    fail([`It did not stop within ${config.shutdownTimeoutSeconds} s; giving up.`])
  }, config.shutdownTimeoutSeconds * 1000).unref()
  process.once('SIGINT', () => fail(['Stopped at once.']))
  await stop(started)
  process.exit(reason === undefined ? 0 : 1)
}

run().catch(failWith)
