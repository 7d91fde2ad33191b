import { createHash } from 'node:crypto'

// A constant of this product: the namespace in which its names become UUIDs.
const NAMESPACE = Buffer.from('6f1c1d2e5c0b4f0e9d63a1b2c3d4e5f6', 'hex')

/** RFC 9562 version 5: the same name always gives the same UUID. Retries rest on this. */
export const uuidv5 = (name: string): string => {
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** An id in the form of a ULID that follows from a name, for requests that may be repeated. */
export const idFrom = (name: string): string => {
  let value = BigInt(`0x${createHash('sha256').update(name).digest('hex').slice(0, 32)}`)
  let id = ''
  for (let index = 0; index < 26; index += 1) {
    id = CROCKFORD[Number(value & 31n)] + id
    value >>= 5n
  }
  return id
}
