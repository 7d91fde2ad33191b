import { randomFillSync } from 'node:crypto'
import { ulid } from 'ulid'

const POOL = Buffer.alloc(4096)
let used = POOL.length

/** A number from 0 to 1 of 8 random bits, of which a character of a ULID needs 5. */
const random = (): number => {
  if (used === POOL.length) {
    // By the thousand: the library asks for one byte at a time, which was a seventh of all work.
    randomFillSync(POOL)
    used = 0
  }
  const byte = POOL[used] ?? 0
  used += 1
  return byte / 256
}

/** A new id in the order of time. */
export const newUlid = (at_ms: number = Date.now()): string => ulid(at_ms, random)
