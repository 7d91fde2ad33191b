/** The whole embedded Daybook for tests: a process of its own, reached over HTTP only. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Role } from '../../domain/permissions.ts'
import { type Client, createClient } from './client.ts'

const START_MS = 45_000
const STOP_MS = 20_000
export const ADMIN = { username: 'root', password: 'correct horse battery' }

export type Daybook = {
  readonly url: string
  readonly directory: string
  readonly child: ChildProcess
  /** A client of somebody with this role, or of nobody. */
  as(role: Role | 'nobody'): Promise<Client>
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>
  kill(): Promise<void>
}

type Settings = { readonly directory?: string; readonly env?: Readonly<Record<string, string>> }

export type Ended = { readonly code: number | null; readonly out: string; readonly errors: string }

/** Starts the server; resolves with the process and, when it came up, its address. */
const launch = async (directory: string, env: Settings['env']) => {
  const child = spawn(process.execPath, ['infra/main.ts', '--empty'], {
    cwd: new URL('../..', import.meta.url),
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DAYBOOK_DATA: directory,
      PORT: '0',
      RATE_LIMIT_PER_MINUTE: '0',
      ADMIN_USERNAME: ADMIN.username,
      ADMIN_PASSWORD: ADMIN.password,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let errors = ''
  const api = new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      const url = /✓ API .*(http:\/\/\S+)/.exec(out)?.[1]
      if (url) resolve(url)
    })
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    out,
    errors,
  }))
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS)
  const url = await Promise.race([api, ended.then(() => undefined)])
  clearTimeout(timer)
  return { child, url, ended }
}

const stopWithin = async (child: ChildProcess): Promise<number | null> => {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const ended = once(child, 'close')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  const [code] = await ended
  clearTimeout(timer)
  return code as number | null
}

/** A user of each role, registered when first asked for; `system` signs in with an API key. */
const createPeople = (url: string) => {
  const known = new Map<string, Promise<Client>>()
  const seen = { newest: 0n }
  const logIn = async (username: string, password: string): Promise<Client> => {
    const { body } = await createClient(url, undefined, {}, seen).post('/v1/tokens', {
      username,
      password,
    })
    return createClient(url, body.access_token, { id: body.user, session: body.session }, seen)
  }
  const admit = async (role: Role | 'nobody'): Promise<Client> => {
    if (role === 'nobody') return createClient(url)
    if (role === 'admin') return logIn(ADMIN.username, ADMIN.password)
    const admin = await as('admin')
    if (role === 'system') {
      const { body } = await admin.post('/v1/api-keys', { name: 'system', roles: ['system'] })
      return createClient(url, body.token, { id: body.key }, seen)
    }
    const password = randomBytes(12).toString('hex')
    const user = { username: `the-${role}`, password, name: role, roles: [role], user: role }
    const { status, body } = await admin.post('/v1/users', user)
    if (status !== 201) throw new Error(`${role} cannot be registered: ${JSON.stringify(body)}`)
    return logIn(user.username, password)
  }
  const as = (role: Role | 'nobody'): Promise<Client> => {
    const client = known.get(role) ?? admit(role)
    known.set(role, client)
    return client
  }
  return as
}

/** Starts a Daybook on `directory`. Throws what it said when it does not come up. */
export const startDaybook = async (
  settings: Settings & { directory: string },
): Promise<Daybook> => {
  const { child, url, ended } = await launch(settings.directory, settings.env)
  if (url === undefined) {
    const { code, out, errors } = await ended
    throw new Error(`Daybook ended with ${code}: ${errors || out}`)
  }
  return {
    url,
    directory: settings.directory,
    child,
    as: createPeople(url),
    stop: () => stopWithin(child),
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** What becomes of a Daybook that is expected not to come up. */
export const failToStart = async (settings: Settings & { directory: string }): Promise<Ended> => {
  const { child, ended } = await launch(settings.directory, settings.env)
  child.kill('SIGKILL')
  return ended
}

/** A directory for Daybook's data; remove it with `removeDirectory`. */
export const makeDirectory = (): string => mkdtempSync(join(tmpdir(), 'daybook-stack-'))
export const removeDirectory = (directory: string): void =>
  rmSync(directory, { recursive: true, force: true })

/** One Daybook for the tests of a file, ended behind them. It may be stopped and started again. */
export const useDaybook = (env: Settings['env'] = {}): Daybook & { restart(): Promise<void> } => {
  const directory = makeDirectory()
  const running: { now?: Daybook } = {}
  const now = (): Daybook => {
    if (!running.now) throw new Error('Daybook is not running')
    return running.now
  }
  beforeAll(async () => {
    running.now = await startDaybook({ directory, env })
  })
  afterAll(async () => {
    await running.now?.stop()
    removeDirectory(directory)
  })
  return {
    directory,
    get url() {
      return now().url
    },
    get child() {
      return now().child
    },
    as: (role) => now().as(role),
    stop: () => now().stop(),
    kill: () => now().kill(),
    restart: async () => {
      await now().stop()
      running.now = await startDaybook({ directory, env })
    },
  }
}
