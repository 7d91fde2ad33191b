import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { destination, type Logger, pino, stdTimeFunctions } from 'pino'

export type { Logger }

/** What every part needs of a log: facts first, then what happened, in words. */
export type Log = {
  readonly [Level in 'debug' | 'info' | 'warn' | 'error']: (facts: object, text: string) => void
}

const logLimitBytes = 16 * 1024 * 1024

/** Names of secrets, lower case and without `-` and `_`. */
const secrets: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'setcookie',
  'password',
  'token',
  'accesstoken',
  'refreshtoken',
  'secret',
  'apikey',
  'pin',
])
const deepest = 8

/**
 * The logger of one process: a JSON object per line, into `file` (bounded, see `openBoundedFile`)
 * or to standard output when there is none. What is logged under the name of a
 * secret is redacted; the bindings of a child logger are not looked at.
 */
export function createLogger(options: { level: string; file: string | undefined }): Logger {
  const settings = {
    level: options.level,
    timestamp: stdTimeFunctions.isoTime,
    // Pino's own redaction costs ten times as much and knows one spelling and one depth per path.
    formatters: { log: withoutSecrets },
  }
  if (options.file === undefined) return pino(settings, destination({ fd: 1, sync: true }))
  return pino(settings, openBoundedFile(options.file, logLimitBytes))
}

function withoutSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  return redact(fields, 0) as Record<string, unknown>
}

function redact(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Error || 'toJSON' in value) return value
  if (depth === deepest) return '[too deep]'
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      secrets.has(name.toLowerCase().replaceAll(/[-_]/g, ''))
        ? '[redacted]'
        : redact(item, depth + 1),
    ]),
  )
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
  let closed = false
  function turn(): void {
    renameSync(path, `${path}.1`)
    const full = file
    file = openSync(path, 'a', 0o600)
    size = 0
    closeSync(full)
  }
  return {
    write(text) {
      // The number of a closed file may by now belong to another one.
      if (closed) return
      try {
        if (size > 0 && size + Buffer.byteLength(text) > limitBytes) turn()
        size += writeSync(file, text)
      } catch {
        // See above: the text is lost on purpose.
      }
    },
    close() {
      if (!closed) closeSync(file)
      closed = true
    },
  }
}
