import { hash } from 'node:crypto'

// A constant of this product: the namespace in which its names become UUIDs.
const NAMESPACE = Buffer.from('6f1c1d2e5c0b4f0e9d63a1b2c3d4e5f6', 'hex')

/** RFC 9562 version 5: the same name always gives the same UUID. Retries rest on this. */
export const uuidv5 = (name: string): string => {
  const digest = hash('sha1', Buffer.concat([NAMESPACE, Buffer.from(name)]), 'hex')
  const variant = ((Number.parseInt(digest.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  const third = `5${digest.slice(13, 16)}`
  const fourth = `${variant}${digest.slice(18, 20)}`
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-${third}-${fourth}-${digest.slice(20, 32)}`
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** An id in the form of a ULID that follows from a name, for requests that may be repeated. */
export const idFrom = (name: string): string => {
  const digest = hash('sha256', name, 'buffer')
  // 26 characters of 5 bits hold 130; the first holds only 3, as a ULID's does.
  let id = CROCKFORD.charAt((digest[0] ?? 0) & 7)
  for (let index = 1; index < 26; index += 1) id += CROCKFORD.charAt((digest[index] ?? 0) & 31)
  return id
}
