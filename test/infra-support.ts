/** What the tests of the machine's own ground share: directories, processes, small disks. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { StartError } from '../infra/start/error.ts'

export const isRoot = process.getuid?.() === 0

/** A new directory which everybody may enter; removed when the test is over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'daybook-test-'))
  chmodSync(directory, 0o755)
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Waits until `condition` holds; fails after ten seconds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>) {
  const deadline = Date.now() + 10_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await delay(20)
  }
}

/** The ids of the processes whose command line holds every one of `words`. */
export function processesWith(...words: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return words.every((word) => line.includes(word))
      } catch {
        return false
      }
    })
    .map(Number)
}

/**
 * Runs `script`, a module, in a Node of its own and gives the first line that it prints. The
 * process is ended when the test is over.
 */
export async function runUntilLine(
  script: string,
  options: { uid?: number; gid?: number } = {},
): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    ...options,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk
  })
  const ended = once(child, 'close').then(() => undefined)
  const first = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), ended])
  if (first === undefined) throw new Error(`the script ended without a line: ${errors}`)
  return { child, line: String(first[0]).trim() }
}

/** Kills as the machine would: without a chance to clean up. */
export async function killHard(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** Mounts a small file system in memory at `directory`; false where this machine does not let us. */
export function mountSmallDisk(directory: string, options: string): boolean {
  if (!isRoot) return false
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory])
  if (status === 0) onTestFinished(() => void spawnSync('umount', ['-l', directory]))
  return status === 0
}

/** The one line of the `StartError` with which `start` fails. */
export async function lineOf(start: () => unknown): Promise<string> {
  try {
    await start()
  } catch (error) {
    if (error instanceof StartError) return error.line
    throw error
  }
  throw new Error('it started')
}
