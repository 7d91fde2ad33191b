/** One postmaster process: start it, find one that was left behind, stop it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BoundedFile } from '../log.ts'
import { StartError } from '../start/error.ts'
import { type Place, runAs } from './place.ts'

/** Replaying the log after a crash can take minutes with 2 GB of it. */
const readyWithinMs = 300_000
const fastShutdownMs = 15_000
const immediateShutdownMs = 5_000

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '80',
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  wal_buffers: '16MB',
  min_wal_size: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  // Compilation and parallel workers cost more than they give to short queries on two cores.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
}

export type Server = {
  /** Settles when the postmaster has ended, with its last words; never rejects. */
  readonly ended: Promise<string>
  /** `immediate` is for a server of no use: it writes nothing and recovers at the next start. */
  stop(how: 'fast' | 'immediate'): Promise<void>
}

/** A postmaster did not come up; the message is what it wrote. */
export class LaunchFault extends Error {
  override readonly name = 'LaunchFault'
}

/**
 * Starts a postmaster on `port` of 127.0.0.1 and waits until it accepts connections.
 * Throws `LaunchFault` when it ends before that.
 */
export async function launch(place: Place, port: number, log: BoundedFile): Promise<Server> {
  const cluster = join(place.home, 'cluster')
  const flags = Object.entries({ ...settings, port }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const child = spawn(join(place.binaries, 'bin/postgres'), ['-D', cluster, ...flags], {
    ...runAs(place.account),
    // A session of its own: Ctrl-C in the terminal must reach us first, so that we can drain.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`FATAL:  ${error.message}`))
    child.once('close', () => resolve(text))
  })
  const ready = new Promise<'ready'>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      log.write(chunk)
      text = (text + chunk).slice(-8_192)
      if (text.includes('database system is ready to accept connections')) resolve('ready')
    })
  })
  if (child.pid === undefined) throw new LaunchFault(await ended)
  const server = supervise(child, child.pid, ended, place)
  const patience = new AbortController()
  const late = delay(readyWithinMs, 'late' as const, patience).catch(() => 'late' as const)
  const outcome = await Promise.race([ready, ended.then(() => 'ended' as const), late])
  patience.abort()
  if (outcome === 'ready') return server
  await server.stop('immediate')
  throw new LaunchFault(outcome === 'late' ? `FATAL:  not ready after ${readyWithinMs} ms` : text)
}

function supervise(child: ChildProcess, pid: number, ended: Promise<string>, place: Place): Server {
  const guard = guardAgainstOurDeath(pid, place)
  ended.then(() => guard.stdin?.end('\n'))
  const guardGone = new Promise<void>((resolve) => {
    guard.once('exit', () => resolve())
    // Without a guard a postmaster left behind is stopped at the next start instead.
    guard.once('error', () => resolve())
  })
  async function stop(how: 'fast' | 'immediate'): Promise<void> {
    await stopProcess(how, pid, () => child.exitCode === null && child.signalCode === null)
    await Promise.all([ended, guardGone])
  }
  return { ended, stop }
}

/**
 * A shell that waits on a pipe from us. A line means that all is well; the end of the pipe without
 * a line means that we were killed, and the postmaster must not outlive us.
 */
function guardAgainstOurDeath(pid: number, place: Place): ChildProcess {
  const script = 'read -r line || kill -INT "$1"'
  const guard = spawn('/bin/sh', ['-c', script, 'daybook-postgres-guard', String(pid)], {
    ...runAs(place.account),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Writing to a guard that somebody has killed is no reason to fall.
  guard.stdin?.on('error', () => undefined)
  return guard
}

/** Stops the postmaster that an earlier, killed Daybook may have left on this cluster. */
export async function stopOrphan(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  if (!Number.isSafeInteger(pid) || pid <= 1) return
  if (isPostmaster(pid, cluster)) await stopProcess('fast', pid, () => isPostmaster(pid, cluster))
  // Its number may have gone to another process, which Postgres would take for a postmaster.
  else rmSync(file, { force: true })
}

function isPostmaster(pid: number, cluster: string): boolean {
  return commandLine(pid).replaceAll('\0', ' ').includes(`bin/postgres -D ${cluster} `)
}

/** Empty when there is no such process, or when it has ended and waits to be reaped. */
function commandLine(pid: number): string {
  if (process.platform !== 'linux') {
    const flags = ['-ww', '-o', 'command=', '-p', String(pid)]
    return spawnSync('ps', flags, { encoding: 'utf8', timeout: 5_000 }).stdout ?? ''
  }
  try {
    // Not /proc/<pid>/cwd: of another user's process it needs a capability that containers lack.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** Fast shutdown unless told otherwise, then immediate, then SIGKILL. Resolves once `alive` says no. */
async function stopProcess(
  how: 'fast' | 'immediate',
  pid: number,
  alive: () => boolean,
): Promise<void> {
  const all = [
    { signal: 'SIGINT', patienceMs: fastShutdownMs },
    { signal: 'SIGQUIT', patienceMs: immediateShutdownMs },
    { signal: 'SIGKILL', patienceMs: immediateShutdownMs },
  ] as const
  for (const { signal, patienceMs } of how === 'fast' ? all : all.slice(1)) {
    if (!alive()) return
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    const deadline = Date.now() + patienceMs
    while (alive() && Date.now() < deadline) await delay(20)
  }
  if (alive()) throw new StartError(`Postgres process ${pid} cannot be stopped, even by SIGKILL.`)
}
