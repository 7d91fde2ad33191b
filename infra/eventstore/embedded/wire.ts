/**
 * The protocol buffer wire format, as far as the hot paths need it. Appends and reads go through
 * here instead of the generated classes, which copy every byte field several times.
 */

/** A place in a message that is being read. */
export type Cursor = { readonly bytes: Buffer; at: number }

/** A place in a message that is being written; `bytes` has its final length from the start. */
export type Sink = { readonly bytes: Buffer; at: number }

const VARINT = 0
const FIXED_64 = 1
const DELIMITED = 2
const FIXED_32 = 5

export function cursor(bytes: Uint8Array): Cursor {
  return { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), at: 0 }
}

export function hasMore(from: Cursor): boolean {
  return from.at < from.bytes.length
}

/** Reads an unsigned varint. Numbers from 2^53 lose their last digits. */
export function readVarint(from: Cursor): number {
  let value = 0
  let weight = 1
  while (from.at < from.bytes.length) {
    const byte = from.bytes[from.at++] ?? 0
    value += (byte & 0x7f) * weight
    if (byte < 0x80) return value
    weight *= 128
  }
  throw new RangeError('a message ended inside a number')
}

/** Reads a length and that many bytes, without copying them. */
export function readDelimited(from: Cursor): Buffer {
  const length = readVarint(from)
  const end = from.at + length
  if (end > from.bytes.length) throw new RangeError('a message ended inside a field')
  const slice = from.bytes.subarray(from.at, end)
  from.at = end
  return slice
}

/** Steps over a field that nobody asked for. */
export function skip(from: Cursor, tag: number): void {
  const type = tag & 7
  if (type === VARINT) readVarint(from)
  else if (type === DELIMITED) readDelimited(from)
  else if (type === FIXED_64) from.at += 8
  else if (type === FIXED_32) from.at += 4
  else throw new RangeError(`wire type ${type} is not in use`)
}

/** The tag of a varint field. */
export function numberTag(field: number): number {
  return (field << 3) | VARINT
}

/** The tag of a string, bytes or message field. */
export function bytesTag(field: number): number {
  return (field << 3) | DELIMITED
}

export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

/** The size of a delimited field with a tag below 16. */
export function delimitedSize(length: number): number {
  return 1 + varintSize(length) + length
}

export function sink(size: number): Sink {
  return { bytes: Buffer.allocUnsafe(size), at: 0 }
}

export function writeVarint(to: Sink, value: number): void {
  let rest = value
  while (rest >= 128) {
    to.bytes[to.at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  to.bytes[to.at++] = rest
}

export function writeNumber(to: Sink, field: number, value: number): void {
  to.bytes[to.at++] = numberTag(field)
  writeVarint(to, value)
}

export function writeDelimited(to: Sink, field: number, value: Uint8Array): void {
  to.bytes[to.at++] = bytesTag(field)
  writeVarint(to, value.length)
  to.bytes.set(value, to.at)
  to.at += value.length
}

/** One whole field: a tag below 16, a length, the bytes. */
export function delimited(field: number, value: Uint8Array): Buffer {
  const to = sink(delimitedSize(value.length))
  writeDelimited(to, field, value)
  return to.bytes
}

/** One whole numeric field. */
export function numeric(field: number, value: number): Buffer {
  const to = sink(1 + varintSize(value))
  writeNumber(to, field, value)
  return to.bytes
}

/** A message field made of fields which are encoded already. */
export function nested(field: number, parts: readonly Uint8Array[]): Buffer {
  return delimited(field, Buffer.concat(parts))
}

/** A string field. */
export function text(field: number, value: string): Buffer {
  return delimited(field, Buffer.from(value, 'utf8'))
}
