/** The directory in which one Daybook keeps everything: opened once, locked while it runs. */
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { fileFault, StartError } from './start/error.ts'

const format = 1
const marker = 'daybook.json'
const markerSchema = z.object({ format: z.number(), created: z.iso.datetime() })

/** What an interrupted first start leaves before the marker is there. */
const beginnings = new Set(['daybook.lock', 'daybook.lock-journal', 'daybook.pid', `${marker}.new`])

/** New data needs room: Postgres alone takes 60 MB before the first row. */
const neededBytes = 128 * 1024 * 1024
const secretBytes = 32

export type DataDirectory = {
  /** Absolute. */
  readonly path: string
  /** 32 random bytes that stay the same as long as the directory lives; made on first use. */
  secret(name: string): Buffer
  /** Gives the lock back; safe to call twice. */
  release(): void
}

/**
 * Opens the data directory at `path`, creating it when missing. Refuses with a `StartError` what is
 * not ours, damaged, in use by another Daybook, read-only or nearly full.
 */
export function openDataDirectory(path: string): DataDirectory {
  const directory = resolve(path)
  // What is kept here is nobody else's to read on a shared machine.
  process.umask(0o077)
  try {
    prepare(directory)
    const lock = takeLock(directory)
    try {
      if (!existsSync(join(directory, marker))) {
        const content = { format, created: new Date().toISOString() }
        writeDurably(join(directory, marker), `${JSON.stringify(content)}\n`)
      }
    } catch (error) {
      lock.release()
      throw error
    }
    return { path: directory, secret: (name) => secret(directory, name), release: lock.release }
  } catch (error) {
    throw fileFault(error, 'Daybook cannot use its data directory', directory)
  }
}

function prepare(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  refuseForeign(directory)
  accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < neededBytes) {
    const megabytes = (bytes: number) => Math.floor(bytes / 1024 / 1024)
    throw new StartError(
      `The disk that holds ${directory} is full: ${megabytes(bavail * bsize)} MB are free and ` +
        `Daybook needs ${megabytes(neededBytes)} MB to start.`,
    )
  }
  // Root lends Postgres another account, which has to pass through to its own directory.
  const uid = process.getuid?.()
  if (statSync(directory).uid === uid) chmodSync(directory, uid === 0 ? 0o711 : 0o700)
}

function refuseForeign(directory: string): void {
  const file = join(directory, marker)
  if (!existsSync(file)) {
    const foreign = readdirSync(directory).find((name) => !beginnings.has(name))
    if (foreign === undefined) return
    throw new StartError(
      `${directory} is not a Daybook data directory (it holds ${foreign} but no ${marker}): ` +
        'name an empty or new one in DAYBOOK_DATA.',
    )
  }
  const read = markerSchema.safeParse(parseOrUndefined(readFileSync(file, 'utf8')))
  if (!read.success) {
    throw new StartError(`${file} is damaged: restore the data directory from a backup.`)
  }
  if (read.data.format !== format) {
    throw new StartError(
      `${directory} has format ${read.data.format} and this Daybook reads format ${format}: ` +
        'use the version that wrote it.',
    )
  }
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The lock is one that the kernel holds for us on a file, by way of SQLite because Node has no call
 * for it. It ends with the process however that dies, so there are no stale locks and no process
 * numbers to compare, which would mean nothing between containers that share a volume.
 */
function takeLock(directory: string): { release(): void } {
  const pidFile = join(directory, 'daybook.pid')
  const database = new DatabaseSync(join(directory, 'daybook.lock'), { timeout: 0 })
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    if (!/database is locked/.test(String(error))) {
      throw new StartError(`Daybook cannot lock ${directory}: ${String(error)}`, error)
    }
    const holder = existsSync(pidFile) ? ` (process ${readFileSync(pidFile, 'utf8').trim()})` : ''
    throw new StartError(`${directory} is in use by another Daybook${holder}: stop that one first.`)
  }
  let held = true
  function release(): void {
    if (!held) return
    held = false
    rmSync(pidFile, { force: true })
    database.close()
  }
  try {
    writeFileSync(pidFile, `${process.pid}\n`)
  } catch (error) {
    release()
    throw error
  }
  return { release }
}

function secret(directory: string, name: string): Buffer {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) throw new Error(`not a name for a secret: ${name}`)
  const file = join(directory, 'secrets', name)
  try {
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      writeDurably(file, `${randomBytes(secretBytes).toString('hex')}\n`)
    }
  } catch (error) {
    throw fileFault(error, 'Daybook cannot use its secret', file)
  }
  return readSecret(directory, name)
}

/** A secret that is there already, also when another process has locked the directory. */
export function readSecret(directory: string, name: string): Buffer {
  const file = join(directory, 'secrets', name)
  try {
    const found = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex')
    if (found.length === secretBytes) return found
  } catch (error) {
    throw fileFault(error, 'Daybook cannot use its secret', file)
  }
  // A new one would quietly make worthless whatever the old one signed or sealed.
  throw new StartError(`${file} is damaged: restore it from a backup.`)
}

/** Whole or not at all, also across a power failure; readable by ourselves only. */
function writeDurably(path: string, content: string): void {
  const unfinished = `${path}.new`
  const file = openSync(unfinished, 'w', 0o600)
  try {
    writeSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(unfinished, path)
  const parent = openSync(dirname(path), 'r')
  fsyncSync(parent)
  closeSync(parent)
}
