import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { type Committer, createCommitter, type Failed } from './committer.ts'
import { checkExpected, type Expected, type Verdict } from './expected.ts'
import type { Faults } from './faults.ts'
import { createReader, type Reader } from './reader.ts'
import { dataOf, encodeRecorded, envelope, type Proposed, TOMBSTONE_REVISION } from './record.ts'
import { createStreams, parseLimits, type Stream, type Streams, undeleted } from './streams.ts'

export type Outcome =
  /** `position` is absent when nothing was written because nothing was proposed. */
  | { readonly kind: 'written'; readonly revision: number; readonly position: number | undefined }
  | { readonly kind: 'conflict'; readonly current: number }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'timeout' }
  | Failed

type Append = {
  readonly stream: string
  readonly expected: Expected
  readonly events: readonly Proposed[]
  readonly bytes: number
  /** Milliseconds since the Unix epoch; an append that is still queued then is not written. */
  readonly deadline: number
}

export type Log = {
  readonly append: (append: Append) => Promise<Outcome>
  readonly softDelete: (stream: string, expected: Expected) => Promise<Outcome>
  readonly tombstone: (stream: string, expected: Expected) => Promise<Outcome>
  readonly room: Committer['room']
  readonly reader: Reader
  /** Calls back after each commit, when its events can be read; returns how to stop that. */
  readonly onCommit: (wake: () => void) => () => void
  /** Leaves nothing, for tests; positions go on from where they were. */
  readonly wipe: () => Promise<void>
  readonly drain: () => Promise<void>
}

const DELETE_METADATA = Buffer.from('{"$tb":9223372036854775807}')
const NO_BYTES = Buffer.alloc(0)

export function createLog(database: DatabaseSync, faults: Faults): Log {
  const streams = createStreams(database)
  const reader = createReader(database, streams)
  const listeners = new Set<() => void>()
  const writer = createWriter(database, streams, reader)
  const committer = createCommitter(database, faults, () => {
    for (const wake of listeners) wake()
  })
  return {
    append: (append) => committer.submit(append.bytes, () => writer.append(append)),
    softDelete: (stream, expected) =>
      committer.submit(0, () => writer.softDelete(stream, expected)),
    tombstone: (stream, expected) => committer.submit(0, () => writer.tombstone(stream, expected)),
    room: committer.room,
    reader,
    onCommit: (wake) => {
      listeners.add(wake)
      return () => void listeners.delete(wake)
    },
    wipe: async () => {
      await committer.submit(0, () => database.exec('DELETE FROM events; DELETE FROM streams'))
    },
    drain: committer.drain,
  }
}

type Writer = {
  readonly append: (append: Append) => Outcome
  readonly softDelete: (stream: string, expected: Expected) => Outcome
  readonly tombstone: (stream: string, expected: Expected) => Outcome
}

/** The write rules. Every function here runs inside the committer's transaction. */
function createWriter(database: DatabaseSync, streams: Streams, reader: Reader): Writer {
  const insert = database.prepare(
    `INSERT INTO events (position, stream, revision, id, type, recorded, record)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  )
  // A transaction that fails leaves a gap behind: positions only ever rise.
  let position = reader.head()

  const write = (stream: Stream, firstRevision: number, events: readonly Proposed[]): void => {
    const now = Date.now()
    const shared = envelope(stream.name, now)
    let revision = firstRevision
    for (const event of events) {
      position += 1
      const record = encodeRecorded(shared, event, revision, position)
      insert.run(position, stream.id, revision, idBytes(event.id), event.type, now, record)
      revision += 1
    }
  }

  const writeMetadata = (name: string, data: Uint8Array): void => {
    const meta = streams.findOrCreate(`$$${name}`)
    const event = systemEvent('$metadata', data)
    write(meta, meta.last + 1, [event])
    streams.setLast(meta.id, meta.last + 1)
    streams.setLimits(streams.findOrCreate(name).id, parseLimits(data))
  }

  const append = (request: Append): Outcome => {
    if (request.deadline <= Date.now()) return { kind: 'timeout' }
    const { events } = request
    const verdict = check(request.stream, request.expected, events)
    if (verdict.verdict !== 'write') return refuse(request.stream, verdict)
    if (events.length === 0) {
      return { kind: 'written', revision: lastOf(request.stream), position: undefined }
    }
    const stream = streams.findOrCreate(request.stream)
    write(stream, stream.last + 1, events)
    streams.setLast(stream.id, stream.last + events.length)
    const written = position
    if (stream.state === 'deleted') revive(stream)
    const last = events.at(-1)
    const base = baseOf(stream.name)
    if (base !== undefined && last) {
      streams.setLimits(streams.findOrCreate(base).id, parseLimits(last.data))
    }
    return { kind: 'written', revision: stream.last + events.length, position: written }
  }

  /** A deleted stream that is written again shows what comes from here on. */
  const revive = (stream: Stream): void => {
    const metadata = streams.find(`$$${stream.name}`)
    const record = metadata && reader.recordAt(metadata.id, metadata.last)
    writeMetadata(stream.name, undeleted(record ? dataOf(record) : NO_BYTES, stream.last + 1))
  }

  const check = (name: string, expected: Expected, events: readonly Proposed[]): Verdict => {
    const base = baseOf(name)
    if (base !== undefined && streams.find(base)?.state === 'tombstoned') {
      return { verdict: 'deleted' }
    }
    const stream = streams.find(name)
    const head = stream ?? { last: -1, state: 'live', hasMetadata: false }
    return checkExpected(
      expected,
      head,
      events.map((event) => event.id),
      {
        revisionOf: (id) => stream && reader.revisionOf(stream.id, idBytes(id)),
        idAt: (revision) => (stream ? reader.idAt(stream.id, revision) : undefined),
      },
    )
  }

  const lastOf = (name: string): number => streams.find(name)?.last ?? -1

  const refuse = (name: string, verdict: Exclude<Verdict, { verdict: 'write' }>): Outcome => {
    if (verdict.verdict === 'deleted') return { kind: 'deleted' }
    const stream = streams.find(name)
    if (verdict.verdict === 'conflict') return { kind: 'conflict', current: stream?.last ?? -1 }
    const revision = verdict.lastRevision
    return {
      kind: 'written',
      revision,
      position: stream && reader.positionAt(stream.id, revision),
    }
  }

  const softDelete = (name: string, expected: Expected): Outcome => {
    const verdict = check(name, expected, [])
    if (verdict.verdict !== 'write') return refuse(name, verdict)
    const stream = streams.find(name)
    if (!stream || (stream.last < 0 && !stream.hasMetadata))
      return { kind: 'conflict', current: -1 }
    writeMetadata(name, DELETE_METADATA)
    return { kind: 'written', revision: stream.last, position }
  }

  const tombstone = (name: string, expected: Expected): Outcome => {
    const verdict = check(name, expected, [])
    if (verdict.verdict !== 'write') return refuse(name, verdict)
    const stream = streams.findOrCreate(name)
    write(stream, TOMBSTONE_REVISION, [systemEvent('$streamDeleted', NO_BYTES)])
    streams.tombstone(stream.id)
    return { kind: 'written', revision: TOMBSTONE_REVISION, position }
  }

  return { append, softDelete, tombstone }
}

function systemEvent(type: string, data: Uint8Array): Proposed {
  return { id: randomUUID(), type, isJson: true, customMetadata: NO_BYTES, data }
}

/** The stream whose metadata `name` holds, when it is a metadata stream. */
function baseOf(name: string): string | undefined {
  return name.startsWith('$$') ? name.slice(2) : undefined
}

function idBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}
