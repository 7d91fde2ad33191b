/** Starts Daybook: the stores, the roles asked for, the API; stops all of it on a signal. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Ports } from '../commands/ports.ts'
import { ensureAdministrator } from '../commands/users.ts'
import { isRefusal } from '../domain/kernel.ts'
import { type ApiServer, refuseTakenPort, startApi } from './api.ts'
import { openBackOffice } from './back_office.ts'
import { createClock } from './clock.ts'
import { type Config, ConfigurationError, readConfig } from './config.ts'
import { type DemoRecord, provideDemo, welcome } from './demo/index.ts'
import { createLogger } from './log.ts'
import { openParts, type Parts } from './parts.ts'
import type { Role } from './roles/role.ts'
import { startRoles } from './roles/start.ts'
import { clearRunning, writeRunning } from './running.ts'
import { type Checklist, checklist } from './start/checklist.ts'
import { StartError } from './start/error.ts'
import { openTestDoor } from './test_door/index.ts'

type Order = {
  readonly config: Config
  /** Without the demo bank. */
  readonly empty: boolean
  readonly list: Checklist
  readonly signal: AbortSignal
}

type Started = {
  readonly parts: Parts
  readonly roles: Role[]
  demo: DemoRecord | undefined
  api?: ApiServer
}

/** Before the roles, which would take its time away; they catch up soon enough. */
const loadDemo = async (order: Order, started: Started): Promise<void> => {
  const { config, list, signal } = order
  const { directory, eventStoreUrl, databaseUrl } = started.parts
  await list.step('Demo bank', async (progress) => {
    const { secret, path } = directory
    const premises = { eventStoreUrl, databaseUrl, secret, directory: path }
    const { ports, close } = await openBackOffice(config, premises)
    const administrator = config.admin?.username
    const settings = { directory: directory.path, administrator, progress, signal }
    started.demo = await provideDemo(ports, settings).finally(close)
    return started.demo ? 'three months of a small bank, book demo' : 'none in this log'
  })
}

const ensureFirst = async ({ admin }: Config, ports: Ports): Promise<void> => {
  if (!admin) return
  const outcome = await ensureAdministrator(ports, admin)
  if (isRefusal(outcome)) throw new StartError(`The administrator: ${outcome.detail}`)
}

/** Who reads first shall find what the demo bank has written. */
const awaitReadModels = async ({ api, demo }: Started, list: Checklist): Promise<void> => {
  if (!api || !demo) return
  await list.step('Catching up', async () =>
    (await api.caughtUp())
      ? 'the read models show the whole log'
      : 'the read models are behind, and go on',
  )
}

const start = async (order: Order): Promise<Started> => {
  const { config, empty, list, signal } = order
  if (config.roles.has('api')) await refuseTakenPort(config)
  const parts = await openParts(config, list)
  const started: Started = { parts, roles: [], demo: undefined }
  const file = config.logTo === 'file' ? join(parts.directory.path, 'daybook.log') : undefined
  const log = createLogger({ level: config.logLevel, file })
  const clock = createClock()
  try {
    signal.throwIfAborted()
    if (config.roles.has('api') && !empty && !config.test) await loadDemo(order, started)
    await startRoles({ config, parts, clock, log, list }, started.roles)
    signal.throwIfAborted()
    if (config.roles.has('api')) {
      await list.step('API', async () => {
        const prepare = (ports: Ports) => ensureFirst(config, ports)
        const door = config.test
          ? openTestDoor({ parts, clock, log, roles: started.roles })
          : undefined
        started.api = await startApi({ config, parts, log, clock: clock.now, prepare, door })
        return started.api.url
      })
    }
    if (config.roles.has('project')) await awaitReadModels(started, list)
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

const greet = ({ config }: Order, { api, demo }: Started): void => {
  if (!api) return
  const directory = config.dataDirectory
  const colours = process.stdout.isTTY === true && !process.env.NO_COLOR
  const hasAdministrator = config.admin !== undefined
  console.log(welcome({ url: api.url, demo, directory, hasAdministrator, colours }))
}

/** Settles with the reason to end: a signal, or a part that died. */
const reasonToStop = ({ parts }: Started, signal: AbortSignal): Promise<string | undefined> =>
  Promise.race([
    new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined)
      signal.addEventListener('abort', () => resolve(undefined), { once: true })
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

const readFlags = (): { readonly empty: boolean } => {
  try {
    return parseArgs({ options: { empty: { type: 'boolean', default: false } } }).values
  } catch (error) {
    const reason = (error as Error).message.split('. ')[0]
    console.error(`${reason}. The only option is --empty: start without the demo bank.`)
    return process.exit(2)
  }
}

/** Aborts with the first signal to end; the second one ends at once. */
const onSignal = (): AbortSignal => {
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted && name === 'SIGINT') fail(['Stopped at once.'])
      stopping.abort()
    })
  }
  return stopping.signal
}

const run = async (): Promise<void> => {
  const { empty } = readFlags()
  const config = readConfig(process.env)
  const signal = onSignal()
  const order = { config, empty, list: checklist(process.stdout), signal }
  const started = await start(order).catch((error: unknown) => {
    // Everything that had been started is stopped already.
    if (!signal.aborted) throw error
    console.log('Stopped before it was ready. What was begun is finished at the next start.')
    process.exit(0)
  })
  if (!signal.aborted) greet(order, started)
  const reason = await reasonToStop(started, signal)
  console.log(reason ?? 'Stopping: finishing what is under way.')
  setTimeout(() => {
    fail([`It did not stop within ${config.shutdownTimeoutSeconds} s; giving up.`])
  }, config.shutdownTimeoutSeconds * 1000).unref()
  await stop(started)
  process.exit(reason === undefined ? 0 : 1)
}

run().catch(failWith)
