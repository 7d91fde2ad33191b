import { randomUUID } from 'node:crypto'
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js'
import type { ServerWritableStream } from '@grpc/grpc-js'
import { assertServing, openCall, send } from './calls.ts'
import { streamDeleted } from './errors.ts'
import type { Faults } from './faults.ts'
import type { Log } from './log.ts'
import { type Filter, parseReadRequest, type ReadRequest } from './read-request.ts'
import { LAST_REVISION, type Reader, type Row } from './reader.ts'
import { dataOf, encodeReadEvent, readResponses } from './record.ts'
import type { Stream } from './streams.ts'

type Call = ServerWritableStream<ReadReq, Buffer>
type Send = (bytes: Buffer) => boolean | Promise<boolean>

/** Serves Streams/Read: streams and the whole log, both ways, once or as a subscription. */
export function createReadHandler(
  log: Log,
  faults: Faults,
  track: (end: () => void) => () => void,
): (call: Call) => void {
  return (call) => {
    const { signal, fail, finish, untrack } = openCall(call, track)
    const sendTo: Send = (bytes) => send(call, bytes, signal)
    void serve(call, log, faults, sendTo, signal).then(finish, fail).finally(untrack)
  }
}

async function serve(call: Call, log: Log, faults: Faults, sendTo: Send, signal: AbortSignal) {
  assertServing(faults)
  const request = parseReadRequest(call.request)
  if (request.isSubscription) await subscribe(log, request, sendTo, signal)
  else if (request.stream === undefined) await readAll(log.reader, request, sendTo)
  else await readStream(log.reader, request, request.stream, sendTo)
}

async function readStream(reader: Reader, request: ReadRequest, name: string, sendTo: Send) {
  const stream = findReadable(reader, name)
  if (stream === undefined) {
    await sendTo(readResponses.streamNotFound(name))
    return
  }
  const { backwards } = request
  const first = startOf(request.from, stream.last, backwards)
  const page = (from: number, limit: number): readonly Row[] =>
    reader.streamPage(stream, { from, to: backwards ? 0 : stream.last, backwards }, limit)
  const step = backwards ? -1 : 1
  await sendPages(page, first, (row) => row.revision + step, request, reader, sendTo)
}

async function readAll(reader: Reader, request: ReadRequest, sendTo: Send): Promise<void> {
  const head = reader.head()
  const { backwards, from } = request
  // Backwards from a position is exclusive, forwards inclusive; `end` lies behind the last event.
  const first = backwards && typeof from === 'number' ? from - 1 : startOf(from, head, backwards)
  const page = (at: number, limit: number): readonly Row[] =>
    reader.allPage({ from: at, to: backwards ? 0 : head, backwards }, limit)
  const step = backwards ? -1 : 1
  await sendPages(page, first, (row) => row.position + step, request, reader, sendTo)
}

function startOf(from: ReadRequest['from'], last: number, backwards: boolean): number {
  if (from === 'start') return 0
  if (from === 'end') return backwards ? last : LAST_REVISION
  return backwards ? Math.min(from, last) : from
}

async function sendPages(
  page: (from: number, limit: number) => readonly Row[],
  first: number,
  after: (row: Row) => number,
  request: ReadRequest,
  reader: Reader,
  sendTo: Send,
): Promise<void> {
  let left = request.limit
  let from = first
  while (left > 0 && from >= 0) {
    // With a filter nobody knows how many rows it takes to find `left` of them.
    const rows = page(from, request.filter ? LAST_REVISION : left)
    if (rows.length === 0) return
    for (const row of rows) {
      from = after(row)
      if (request.filter && !request.filter.matches(row)) continue
      const sent = sendTo(encodeRow(row, request.resolveLinks, reader))
      if (!(sent === true || (await sent))) return
      if (--left === 0) return
    }
  }
}

/** Undefined when it does not exist or is soft-deleted; throws when it is tombstoned. */
function findReadable(reader: Reader, name: string): Stream | undefined {
  const stream = reader.find(name)
  if (stream?.state === 'tombstoned') throw streamDeleted(name)
  return stream && stream.last >= 0 && stream.state === 'live' ? stream : undefined
}

/** History from a cursor, then a wait for the next commit, then on from the cursor. */
async function subscribe(log: Log, request: ReadRequest, sendTo: Send, signal: AbortSignal) {
  const commits = commitSignal(log, signal)
  const cursor =
    request.stream === undefined
      ? allCursor(log.reader, request)
      : streamCursor(log.reader, request, request.stream)
  const checkpoints = request.filter && createCheckpoints(request.filter)
  if (!(await sendTo(readResponses.confirmation(randomUUID())))) return
  let isCaughtUp = false
  while (!signal.aborted) {
    commits.arm()
    const rows = cursor.next()
    for (const row of rows) {
      if (!request.filter || request.filter.matches(row)) {
        const sent = sendTo(encodeRow(row, request.resolveLinks, log.reader))
        if (!(sent === true || (await sent))) return
      }
      const checkpoint = checkpoints?.considered(row)
      if (checkpoint && !(await sendTo(checkpoint))) return
    }
    cursor.assertNotTombstoned()
    if (rows.length > 0) continue
    if (!isCaughtUp) {
      const checkpoint = checkpoints?.beforeCaughtUp()
      if (checkpoint && !(await sendTo(checkpoint))) return
      if (!(await sendTo(readResponses.caughtUp()))) return
      isCaughtUp = true
    }
    await commits.next()
  }
}

type SubscriptionCursor = {
  readonly next: () => readonly Row[]
  readonly assertNotTombstoned: () => void
}

function allCursor(reader: Reader, { from }: ReadRequest): SubscriptionCursor {
  let after = from === 'start' ? 0 : from === 'end' ? reader.head() : from
  return {
    next: () => {
      const range = { from: after + 1, to: LAST_REVISION, backwards: false }
      const rows = reader.allPage(range, LAST_REVISION)
      after = rows.at(-1)?.position ?? after
      return rows
    },
    assertNotTombstoned: () => {},
  }
}

function streamCursor(reader: Reader, { from }: ReadRequest, name: string): SubscriptionCursor {
  const atStart = reader.find(name)
  if (atStart?.state === 'tombstoned') throw streamDeleted(name)
  let after = from === 'start' ? -1 : from === 'end' ? (atStart?.last ?? -1) : from
  return {
    next: () => {
      const stream = reader.find(name)
      if (!stream) return []
      const range = { from: after + 1, to: LAST_REVISION, backwards: false }
      const rows = reader.streamPage(stream, range, LAST_REVISION)
      after = rows.at(-1)?.revision ?? after
      return rows
    },
    assertNotTombstoned: () => {
      if (after === LAST_REVISION) throw streamDeleted(name)
    },
  }
}

/** Remembers a commit that happens between looking at the log and waiting for more of it. */
function commitSignal(log: Log, signal: AbortSignal) {
  let hasCommitted = false
  let wake: (() => void) | undefined
  const stop = log.onCommit(() => {
    hasCommitted = true
    wake?.()
  })
  signal.addEventListener('abort', () => {
    stop()
    wake?.()
  })
  return {
    arm: () => {
      hasCommitted = false
    },
    next: () =>
      new Promise<void>((resolve) => {
        wake = resolve
        if (hasCommitted || signal.aborted) resolve()
      }),
  }
}

/** Says how far a filtered subscription has looked, so that it need not look there again. */
function createCheckpoints(filter: Filter) {
  let considered = 0
  let lastSeen = 0
  let lastSent = 0
  const checkpoint = (): Buffer | undefined => {
    considered = 0
    if (lastSeen <= lastSent) return undefined
    lastSent = lastSeen
    return readResponses.checkpoint(lastSeen)
  }
  return {
    considered: (row: Row) => {
      lastSeen = row.position
      considered += 1
      return considered >= filter.checkpointInterval ? checkpoint() : undefined
    },
    beforeCaughtUp: checkpoint,
  }
}

const LINK = /^(\d+)@(.+)$/s

function encodeRow(row: Row, resolveLinks: boolean, reader: Reader): Buffer {
  if (!resolveLinks || row.type !== '$>')
    return encodeReadEvent(row.record, undefined, row.position)
  const [, revision, name] = LINK.exec(dataOf(row.record).toString('utf8')) ?? []
  const stream = name === undefined ? undefined : reader.find(name)
  const target = stream?.state === 'live' ? reader.recordAt(stream.id, Number(revision)) : undefined
  return encodeReadEvent(target, row.record, row.position)
}
