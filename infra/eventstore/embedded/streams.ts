import type { DatabaseSync } from 'node:sqlite'
import type { Head } from './expected.ts'

/** A stream's row. Revisions below `truncateBefore` are hidden; null means no such limit. */
export type Stream = Head & {
  readonly id: number
  readonly name: string
  readonly maxCount: number | null
  readonly maxAgeSeconds: number | null
  readonly truncateBefore: number
}

const STATES = ['live', 'deleted', 'tombstoned'] as const
const LARGEST = Number.MAX_SAFE_INTEGER

/** The rows of the streams table. Nothing is cached, so a rolled-back write leaves no trace. */
export type Streams = {
  readonly find: (name: string) => Stream | undefined
  readonly findOrCreate: (name: string) => Stream
  readonly setLast: (id: number, last: number) => void
  readonly tombstone: (id: number) => void
  readonly setLimits: (id: number, limits: Limits) => void
}

export function createStreams(database: DatabaseSync): Streams {
  const select = database.prepare('SELECT * FROM streams WHERE name = ?')
  const insert = database.prepare('INSERT INTO streams (name) VALUES (?)')
  const setLast = database.prepare('UPDATE streams SET last = ? WHERE id = ?')
  const tombstone = database.prepare('UPDATE streams SET state = 2 WHERE id = ?')
  const setLimits = database.prepare(
    `UPDATE streams SET has_metadata = 1, state = ?, max_count = ?, max_age_s = ?,
       truncate_before = ? WHERE id = ?`,
  )
  const find = (name: string): Stream | undefined => {
    const row = select.get(name)
    return row && fromRow(name, row)
  }
  return {
    find,
    findOrCreate: (name) => {
      const found = find(name)
      if (found) return found
      insert.run(name)
      const created = find(name)
      if (!created) throw new Error(`stream ${name} vanished`)
      return created
    },
    setLast: (id, last) => void setLast.run(last, id),
    tombstone: (id) => void tombstone.run(id),
    setLimits: (id, { isDeleted, maxCount, maxAgeSeconds, truncateBefore }) =>
      void setLimits.run(isDeleted ? 1 : 0, maxCount, maxAgeSeconds, truncateBefore, id),
  }
}

function fromRow(name: string, row: Record<string, unknown>): Stream {
  return {
    id: Number(row.id),
    name,
    last: Number(row.last),
    state: STATES[Number(row.state)] ?? 'live',
    hasMetadata: row.has_metadata === 1,
    maxCount: orNull(row.max_count),
    maxAgeSeconds: orNull(row.max_age_s),
    truncateBefore: Number(row.truncate_before),
  }
}

function orNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

export type Limits = {
  readonly isDeleted: boolean
  readonly maxCount: number | null
  readonly maxAgeSeconds: number | null
  readonly truncateBefore: number
}

const NO_LIMITS: Limits = {
  isDeleted: false,
  maxCount: null,
  maxAgeSeconds: null,
  truncateBefore: 0,
}

/** The limits in a `$metadata` event's JSON. What cannot be understood limits nothing. */
export function parseLimits(data: Uint8Array): Limits {
  const metadata = parseObject(data)
  if (!metadata) return NO_LIMITS
  const truncateBefore = wholeNumber(metadata.$tb) ?? 0
  return {
    // The largest int64 says deleted. JSON.parse rounds it, but no real revision is that large.
    isDeleted: truncateBefore > LARGEST,
    maxCount: wholeNumber(metadata.$maxCount),
    maxAgeSeconds: wholeNumber(metadata.$maxAge),
    truncateBefore: Math.min(truncateBefore, LARGEST),
  }
}

/** The metadata that makes a deleted stream readable again from `revision`; the rest is kept. */
export function undeleted(data: Uint8Array, revision: number): Buffer {
  return Buffer.from(JSON.stringify({ ...parseObject(data), $tb: revision }))
}

function wholeNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null
}

function parseObject(data: Uint8Array): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(data).toString('utf8'))
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
