import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { pino } from 'pino'

export type Logger = pino.Logger

const logLimitBytes = 16 * 1024 * 1024

const secrets = [
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'token',
  'access_token',
  'refresh_token',
  'api_key',
  'pin',
]

/**
 * The logger of one process: a JSON object per line, secrets redacted wherever they stand at the
 * top or up to two levels down. `to` is a file's path, bounded as in `openBoundedFile`, or `stdout`.
 */
export function createLogger(options: { level: string; to: 'stdout' | (string & {}) }): Logger {
  const paths = ['', '*.', '*.*.'].flatMap((depth) =>
    secrets.map((name) => redactPath(depth, name)),
  )
  const settings = {
    level: options.level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths, censor: '[redacted]' },
  }
  return options.to === 'stdout'
    ? pino(settings, pino.destination({ fd: 1, sync: true }))
    : pino(settings, openBoundedFile(options.to, logLimitBytes))
}

function redactPath(depth: string, name: string): string {
  return name.includes('-') ? `${depth.replace(/\.$/, '')}["${name}"]` : `${depth}${name}`
}

export type BoundedFile = { write(text: string): void; close(): void }

/**
 * A log file that never takes more than about twice `limitBytes`: when full it becomes `<path>.1`,
 * replacing the one before. Writing never throws, because a full disk must not stop what is being
 * logged; such text is lost.
 */
export function openBoundedFile(path: string, limitBytes: number): BoundedFile {
  let file = openSync(path, 'a', 0o600)
  let size = fstatSync(file).size
  function turn(): void {
    closeSync(file)
    renameSync(path, `${path}.1`)
    file = openSync(path, 'a', 0o600)
    size = 0
  }
  return {
    write(text) {
      try {
        if (size > 0 && size + text.length > limitBytes) turn()
        size += writeSync(file, text)
      } catch {
        // See above: the text is lost on purpose.
      }
    },
    close() {
      closeSync(file)
    },
  }
}
