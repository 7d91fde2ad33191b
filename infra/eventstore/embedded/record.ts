import {
  bytesTag,
  type Cursor,
  cursor,
  delimited,
  delimitedSize,
  hasMore,
  nested,
  readDelimited,
  readVarint,
  type Sink,
  sink,
  skip,
  text,
  varintSize,
  writeDelimited,
  writeNumber,
  writeVarint,
} from './wire.ts'

/** An event as a client proposes it. */
export type Proposed = {
  readonly id: string
  readonly type: string
  readonly isJson: boolean
  readonly customMetadata: Uint8Array
  readonly data: Uint8Array
}

/**
 * The revision that a tombstone carries on the wire is the largest int64. In the database and in
 * arithmetic it is the largest safe integer, which no real revision reaches.
 */
export const TOMBSTONE_REVISION = Number.MAX_SAFE_INTEGER
const LARGEST_INT64 = Buffer.from('ffffffffffffffff7f', 'hex')
const TICKS_PER_MILLISECOND = 10_000n
const JSON_TYPE = 'application/json'
const NO_BYTES = Buffer.alloc(0)
const UUID_LENGTH = 36
const JSON_ENTRY = entry('content-type', JSON_TYPE)
const BINARY_ENTRY = entry('content-type', 'application/octet-stream')

export type Malformed = { readonly malformed: string; readonly missing?: string }

/** Reads a ProposedMessage {id=1, metadata=2 map, custom_metadata=3, data=4}. */
export function decodeProposed(bytes: Uint8Array): Proposed | Malformed {
  const from = cursor(bytes)
  let id: string | undefined
  let type: string | undefined
  let contentType: string | undefined
  let customMetadata: Uint8Array = NO_BYTES
  let data: Uint8Array = NO_BYTES
  while (hasMore(from)) {
    const tag = readVarint(from)
    if (tag === bytesTag(1)) id = decodeUuid(readDelimited(from))
    else if (tag === bytesTag(2)) {
      const [name, value] = decodeEntry(readDelimited(from))
      if (name === 'type') type = value
      else if (name === 'content-type') contentType = value
    } else if (tag === bytesTag(3)) customMetadata = readDelimited(from)
    else if (tag === bytesTag(4)) data = readDelimited(from)
    else skip(from, tag)
  }
  if (id === undefined) return { malformed: 'event ids must be UUIDs' }
  if (!type) return { malformed: 'an event needs a type', missing: 'type' }
  if (!contentType) return { malformed: 'an event needs a content-type', missing: 'content-type' }
  return { id, type, isJson: contentType === JSON_TYPE, customMetadata, data }
}

const UUID_SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Reads a UUID message: two 64-bit halves, or text. Undefined when it is not a UUID. */
function decodeUuid(bytes: Uint8Array): string | undefined {
  const from = cursor(bytes)
  while (hasMore(from)) {
    const tag = readVarint(from)
    if (tag === bytesTag(2)) {
      const uuid = readDelimited(from).toString('latin1').toLowerCase()
      return UUID_SHAPE.test(uuid) ? uuid : undefined
    }
    if (tag === bytesTag(1)) return decodeStructured(cursor(readDelimited(from)))
    skip(from, tag)
  }
  return undefined
}

function decodeStructured(from: Cursor): string {
  const halves = [0n, 0n]
  while (hasMore(from)) {
    const tag = readVarint(from)
    const start = from.at
    skip(from, tag)
    let value = 0n
    for (let at = from.at - 1; at >= start; at--) {
      value = (value << 7n) | BigInt((from.bytes[at] ?? 0) & 0x7f)
    }
    halves[tag >> 3 === 1 ? 0 : 1] = BigInt.asUintN(64, value)
  }
  const hex = halves.map((half) => half.toString(16).padStart(16, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function decodeEntry(bytes: Buffer): [name: string, value: string] {
  const from = cursor(bytes)
  let name = ''
  let value = ''
  while (hasMore(from)) {
    const tag = readVarint(from)
    if (tag === bytesTag(1)) name = readDelimited(from).toString('utf8')
    else if (tag === bytesTag(2)) value = readDelimited(from).toString('utf8')
    else skip(from, tag)
  }
  return [name, value]
}

function entry(name: string, value: string): Buffer {
  return Buffer.concat([text(1, name), text(2, value)])
}

/** What all events of one append have in common, encoded once. */
export type Envelope = { readonly identifier: Buffer; readonly created: Buffer }

/** `recordedAt` is in milliseconds since the Unix epoch; the wire wants ticks of 100 ns. */
export function envelope(stream: string, recordedAt: number): Envelope {
  const ticks = BigInt(recordedAt) * TICKS_PER_MILLISECOND
  return {
    identifier: delimited(3, Buffer.from(stream, 'utf8')),
    created: entry('created', ticks.toString()),
  }
}

/**
 * Encodes RecordedEvent {id=1, stream_identifier=2, stream_revision=3, prepare_position=4,
 * commit_position=5, metadata=6 map, custom_metadata=7, data=8}.
 */
export function encodeRecorded(
  shared: Envelope,
  event: Proposed,
  revision: number,
  position: number,
): Buffer {
  const type = entry('type', event.type)
  const contentType = event.isJson ? JSON_ENTRY : BINARY_ENTRY
  const isTombstone = revision === TOMBSTONE_REVISION
  const to = sink(
    delimitedSize(UUID_LENGTH + 2) +
      delimitedSize(shared.identifier.length) +
      (isTombstone ? 1 + LARGEST_INT64.length : 1 + varintSize(revision)) +
      2 * (1 + varintSize(position)) +
      delimitedSize(type.length) +
      delimitedSize(contentType.length) +
      delimitedSize(shared.created.length) +
      delimitedSize(event.customMetadata.length) +
      delimitedSize(event.data.length),
  )
  writeUuid(to, event.id)
  writeDelimited(to, 2, shared.identifier)
  if (isTombstone) {
    to.bytes[to.at++] = 3 << 3
    to.bytes.set(LARGEST_INT64, to.at)
    to.at += LARGEST_INT64.length
  } else writeNumber(to, 3, revision)
  writeNumber(to, 4, position)
  writeNumber(to, 5, position)
  writeDelimited(to, 6, type)
  writeDelimited(to, 6, contentType)
  writeDelimited(to, 6, shared.created)
  writeDelimited(to, 7, event.customMetadata)
  writeDelimited(to, 8, event.data)
  return to.bytes
}

function writeUuid(to: Sink, id: string): void {
  to.bytes[to.at++] = bytesTag(1)
  writeVarint(to, UUID_LENGTH + 2)
  to.bytes[to.at++] = bytesTag(2)
  writeVarint(to, UUID_LENGTH)
  to.at += to.bytes.write(id, to.at, UUID_LENGTH, 'latin1')
}

/** The data of an encoded RecordedEvent. */
export function dataOf(record: Uint8Array): Buffer {
  const from = cursor(record)
  while (hasMore(from)) {
    const tag = readVarint(from)
    if (tag === bytesTag(8)) return readDelimited(from)
    skip(from, tag)
  }
  return NO_BYTES
}

/**
 * Encodes ReadResp{event=1 ReadEvent{event=1, link=2, commit_position=3}} around stored records.
 * `event` is absent when a link leads nowhere.
 */
export function encodeReadEvent(
  event: Uint8Array | undefined,
  link: Uint8Array | undefined,
  position: number,
): Buffer {
  const size =
    (event ? delimitedSize(event.length) : 0) +
    (link ? delimitedSize(link.length) : 0) +
    1 +
    varintSize(position)
  const to = sink(delimitedSize(size))
  to.bytes[to.at++] = bytesTag(1)
  writeVarint(to, size)
  if (event) writeDelimited(to, 1, event)
  if (link) writeDelimited(to, 2, link)
  writeNumber(to, 3, position)
  return to.bytes
}

/** ReadResp{confirmation=2}, {checkpoint=3}, {stream_not_found=4}, {caught_up=8}. */
export const readResponses = {
  confirmation: (subscriptionId: string): Buffer => nested(2, [text(1, subscriptionId)]),
  checkpoint: (position: number): Buffer => {
    const to = sink(2 * (1 + varintSize(position)))
    writeNumber(to, 1, position)
    writeNumber(to, 2, position)
    return delimited(3, to.bytes)
  },
  streamNotFound: (stream: string): Buffer => nested(4, [nested(1, [text(3, stream)])]),
  caughtUp: (): Buffer => delimited(8, NO_BYTES),
}
