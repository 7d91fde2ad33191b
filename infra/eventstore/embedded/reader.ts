import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { TOMBSTONE_REVISION } from './record.ts'
import type { Stream, Streams } from './streams.ts'

/** Both bound what a page holds in memory; one large event may exceed the second. */
const PAGE_ROWS = 256
const PAGE_BYTES = 1024 * 1024

/** An event as it lies in the log. `record` is an encoded RecordedEvent. */
export type Row = {
  readonly position: number
  readonly revision: number
  readonly type: string
  readonly stream: string
  readonly record: Uint8Array
}

/** Which rows to read next. `from` and `to` are inclusive, and `from` is where reading begins. */
type Range = { readonly from: number; readonly to: number; readonly backwards: boolean }

export type Reader = {
  /** The position of the last event, 0 when there is none. */
  readonly head: () => number
  readonly find: (name: string) => Stream | undefined
  /** The next rows of a stream, without those that its metadata hides. Empty at the end. */
  readonly streamPage: (stream: Stream, range: Range, limit: number) => readonly Row[]
  readonly allPage: (range: Range, limit: number) => readonly Row[]
  readonly recordAt: (stream: number, revision: number) => Uint8Array | undefined
  readonly positionAt: (stream: number, revision: number) => number | undefined
  readonly idAt: (stream: number, revision: number) => string | undefined
  readonly revisionOf: (stream: number, id: Uint8Array) => number | undefined
}

const COLUMNS = 'e.position, e.revision, e.type, s.name AS stream, e.record'
const EVENTS = 'events e JOIN streams s ON s.id = e.stream'

export function createReader(database: DatabaseSync, streams: Streams): Reader {
  const head = database.prepare('SELECT max(position) AS position FROM events')
  const all = {
    forwards: database.prepare(
      `SELECT ${COLUMNS} FROM ${EVENTS} WHERE e.position BETWEEN ? AND ?
       ORDER BY e.position LIMIT ?`,
    ),
    backwards: database.prepare(
      `SELECT ${COLUMNS} FROM ${EVENTS} WHERE e.position BETWEEN ? AND ?
       ORDER BY e.position DESC LIMIT ?`,
    ),
  }
  const stream = {
    forwards: database.prepare(
      `SELECT ${COLUMNS} FROM ${EVENTS} WHERE e.stream = ? AND e.revision BETWEEN ? AND ?
       AND e.recorded >= ? ORDER BY e.revision LIMIT ?`,
    ),
    backwards: database.prepare(
      `SELECT ${COLUMNS} FROM ${EVENTS} WHERE e.stream = ? AND e.revision BETWEEN ? AND ?
       AND e.recorded >= ? ORDER BY e.revision DESC LIMIT ?`,
    ),
  }
  const at = database.prepare(
    'SELECT position, id, record FROM events WHERE stream = ? AND revision = ?',
  )
  const byId = database.prepare('SELECT revision FROM events WHERE stream = ? AND id = ?')

  return {
    head: () => Number(head.get()?.position ?? 0),
    find: streams.find,
    allPage: (range, limit) => {
      const [low, high] = ordered(range)
      const statement = range.backwards ? all.backwards : all.forwards
      return takePage(statement, [low, high, Math.min(limit, PAGE_ROWS)])
    },
    streamPage: (from, range, limit) => {
      const [low, high] = ordered(range)
      const recorded = from.maxAgeSeconds === null ? 0 : Date.now() - from.maxAgeSeconds * 1000
      const first = Math.max(low, firstVisible(from))
      const statement = range.backwards ? stream.backwards : stream.forwards
      return takePage(statement, [from.id, first, high, recorded, Math.min(limit, PAGE_ROWS)])
    },
    recordAt: (id, revision) => blob(at.get(id, revision)?.record),
    positionAt: (id, revision) => optionalNumber(at.get(id, revision)?.position),
    idAt: (id, revision) => {
      const bytes = blob(at.get(id, revision)?.id)
      return bytes && uuidOf(bytes)
    },
    revisionOf: (id, event) => optionalNumber(byId.get(id, event)?.revision),
  }
}

/** The oldest revision that `$tb` and `$maxCount` leave visible. A metadata stream shows one. */
function firstVisible(stream: Stream): number {
  const maxCount = stream.name.startsWith('$$') ? 1 : stream.maxCount
  const counted = maxCount === null ? 0 : stream.last - maxCount + 1
  return Math.max(counted, stream.truncateBefore, 0)
}

function ordered(range: Range): [low: number, high: number] {
  return range.backwards ? [range.to, range.from] : [range.from, range.to]
}

function takePage(statement: StatementSync, parameters: number[]): readonly Row[] {
  const page: Row[] = []
  let bytes = 0
  for (const found of statement.iterate(...parameters)) {
    const row = found as Row
    page.push(row)
    bytes += row.record.length
    if (bytes >= PAGE_BYTES) break
  }
  return page
}

/** The largest revision there is, the tombstone's. */
export const LAST_REVISION = TOMBSTONE_REVISION

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function blob(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
