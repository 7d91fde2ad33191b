import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A Daybook of the benchmark's own, in a process and a data directory of its own. */
export type Daybook = {
  readonly url: URL
  readonly directory: string
  /** What it logged last. */
  lastWords(): string
  /** Stops it; the data stays until `remove`. */
  stop(): Promise<void>
  remove(): void
}

export const ADMIN = { username: 'bench', password: 'a benchmark of its own' }
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 30_000

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || !address) throw new Error('no free port')
  return address.port
}

/** The environment without anything that would point this Daybook at somebody else's data. */
const environmentFor = (directory: string, port: number): NodeJS.ProcessEnv => {
  const { DATABASE_URL: _, EVENTSTORE_URL: _e, KAFKA_BROKERS: _k, ROLES: _r, ...rest } = process.env
  return {
    ...rest,
    DAYBOOK_DATA: directory,
    PORT: String(port),
    RATE_LIMIT_PER_MINUTE: '0',
    ADMIN_USERNAME: ADMIN.username,
    ADMIN_PASSWORD: ADMIN.password,
  }
}

const isReady = async (url: URL): Promise<boolean> => {
  try {
    const response = await fetch(new URL('/readyz', url), { signal: AbortSignal.timeout(2000) })
    return response.ok
  } catch {
    return false
  }
}

const waitUntilReady = async (url: URL, child: ChildProcess, said: () => string): Promise<void> => {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error(`Daybook ended at its start:\n${said()}`)
    if (performance.now() > deadline) throw new Error(`Daybook did not get ready:\n${said()}`)
    await wait(100)
  }
}

/** Runs one of the project's programs with the flags that this one was started with. */
export const runProgram = (
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): { child: ChildProcess; said: () => string } => {
  // As `npm start` runs it.
  const flags = [...process.execArgv, '--max-semi-space-size=64']
  const child = spawn(process.execPath, [...flags, file, ...args], {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const listen = (text: Buffer): void => {
    said = (said + text.toString()).slice(-8000)
  }
  child.stdout?.on('data', listen)
  child.stderr?.on('data', listen)
  return { child, said: () => said }
}

const stopChild = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

/** Starts Daybook empty, in a new directory under the system's temporary one. */
export const startDaybook = async (): Promise<Daybook> => {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-bench-'))
  const port = await freePort()
  const url = new URL(`http://127.0.0.1:${port}`)
  const environment = environmentFor(directory, port)
  const { child, said } = runProgram('infra/main.ts', ['--empty'], environment)
  const stop = (): Promise<void> => stopChild(child)
  const lastWords = (): string => {
    const log = join(directory, 'daybook.log')
    return said() + (existsSync(log) ? readFileSync(log, 'utf8').slice(-4000) : '')
  }
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  try {
    await waitUntilReady(url, child, said)
  } catch (error) {
    await stop()
    remove()
    throw error
  }
  return { url, directory, lastWords, stop, remove }
}
