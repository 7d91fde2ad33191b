/** Postgres 18 from npm as a child process: the default when no DATABASE_URL is given. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { type BoundedFile, openBoundedFile } from '../log.ts'
import { fileFault, StartError } from '../start/error.ts'
import { damaged, explain, startAfresh } from './faults.ts'
import { findPlace, type Place, runAs } from './place.ts'
import { LaunchFault, launch, type Server, stopOrphan } from './server.ts'

const majorVersion = '18'
const logLimitBytes = 8 * 1024 * 1024
const attempts = 5

type Log = { readonly path: string; readonly file: BoundedFile }

export type EmbeddedPostgres = {
  readonly url: string
  /** For people: port, account, and where the data went if not into the directory itself. */
  readonly detail: string
  /** Resolves with one line if Postgres ends although nobody called `close`. */
  readonly lost: Promise<string>
  /** Fast shutdown; safe to call twice. */
  close(): Promise<void>
}

/**
 * Starts Postgres on the data in `directory` (created when missing) and makes sure that the
 * database `daybook` exists. Listens on 127.0.0.1 only, on `port` or else a free one. The caller
 * must hold the data directory's lock: a postmaster found on it is taken for a left-over and
 * stopped. Throws `StartError`.
 */
export async function startEmbeddedPostgres(options: {
  directory: string
  port?: number
}): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory)
  try {
    const place = findPlace(directory)
    const path = join(directory, 'postgres.log')
    const log = { path, file: openBoundedFile(path, logLimitBytes) }
    return await startAt(place, directory, options.port, log).catch((error: unknown) => {
      log.file.close()
      throw error
    })
  } catch (error) {
    throw fileFault(error, 'Postgres cannot use', directory)
  }
}

async function startAt(
  place: Place,
  directory: string,
  wantedPort: number | undefined,
  log: Log,
): Promise<EmbeddedPostgres> {
  const password = await prepareCluster(directory, place, log)
  await stopOrphan(join(place.home, 'cluster'))
  const { server, port } = await launchPatiently(place, wantedPort, log)
  const url = `postgres://daybook:${password}@127.0.0.1:${port}/daybook`
  await createDatabase(url).catch(async (error: unknown) => {
    await server.stop('immediate')
    throw explain(`${await server.ended}\nFATAL:  ${String(error)}`, place, port, log.path)
  })
  return running(server, log, url, [`127.0.0.1:${port}`, ...place.remarks].join(', '))
}

function running(server: Server, log: Log, url: string, detail: string): EmbeddedPostgres {
  let closing: Promise<void> | undefined
  const lost = new Promise<string>((resolve) => {
    server.ended.then((text) => {
      if (closing === undefined) resolve(`Postgres ended by itself: ${lastLine(text)}`)
    })
  })
  function close(): Promise<void> {
    closing ??= server.stop('fast').finally(() => log.file.close())
    return closing
  }
  return { url, detail, lost, close }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

/** Creates the cluster on first use and returns the password of its user `daybook`. */
async function prepareCluster(directory: string, place: Place, log: Log): Promise<string> {
  const cluster = join(place.home, 'cluster')
  const passwordFile = join(directory, 'password')
  if (existsSync(cluster)) {
    checkVersion(cluster)
    if (existsSync(passwordFile)) return readFileSync(passwordFile, 'utf8').trim()
    throw new StartError(`${passwordFile} is missing, so the Postgres data cannot be opened.`)
  }
  const password = randomBytes(24).toString('base64url')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  // Under another name until it is whole, so that an interrupted initdb is simply done again.
  const unfinished = join(place.home, 'cluster.new')
  const handedOver = join(place.home, 'initdb-password')
  rmSync(unfinished, { recursive: true, force: true })
  rmSync(handedOver, { force: true })
  try {
    mkdirSync(unfinished, { mode: 0o700 })
    writeFileSync(handedOver, password, { mode: 0o600 })
    const { account } = place
    if (account !== undefined) {
      chownSync(unfinished, account.uid, account.gid)
      chownSync(handedOver, account.uid, account.gid)
    }
    await runInitdb(place, unfinished, handedOver, log)
  } finally {
    rmSync(handedOver, { force: true })
  }
  renameSync(unfinished, cluster)
  return password
}

function checkVersion(cluster: string): void {
  const file = join(cluster, 'PG_VERSION')
  const found = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  if (!/^\d+$/.test(found)) throw damaged(cluster, 'PG_VERSION is missing or empty')
  if (found === majorVersion) return
  throw new StartError(
    `The data in ${cluster} was written by Postgres ${found}, this is Postgres ${majorVersion}: ` +
      `${startAfresh}.`,
  )
}

async function runInitdb(place: Place, cluster: string, pwfile: string, log: Log): Promise<void> {
  const flags = [
    `--pgdata=${cluster}`,
    '--username=daybook',
    `--pwfile=${pwfile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Built into Postgres: the same order on every machine, whatever locales it has installed.
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
  ]
  const child = spawn(join(place.binaries, 'bin/initdb'), flags, {
    ...runAs(place.account),
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 120_000,
  })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log.file.write(chunk)
    text += chunk
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw explain(text, place, 0, log.path)
}

/** Tries again where the reason is a race: another program took the free port, or old children linger. */
async function launchPatiently(
  place: Place,
  wanted: number | undefined,
  log: Log,
): Promise<{ server: Server; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await freePort())
    try {
      return { server: await launch(place, port, log.file), port }
    } catch (error) {
      if (!(error instanceof LaunchFault)) throw error
      const lostThePort = wanted === undefined && /Address already in use/.test(error.message)
      const childrenLinger = /pre-existing shared memory block/.test(error.message)
      if (attempt === attempts || !(lostThePort || childrenLinger)) {
        throw explain(error.message, place, port, log.path)
      }
      if (childrenLinger) await delay(1_000)
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return address.port
}

async function createDatabase(url: string): Promise<void> {
  const administration = new URL(url)
  administration.pathname = '/postgres'
  const client = new Client({
    connectionString: administration.href,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
  })
  await client.connect()
  try {
    const found = await client.query("select 1 from pg_database where datname = 'daybook'")
    if (found.rowCount === 0) await client.query('create database daybook')
  } finally {
    await client.end()
  }
}
