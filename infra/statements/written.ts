/** Files that are there as a whole or not at all. */
import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createScale, syncDirectoryOf } from '../files.ts'

export type Written = { readonly bytes: number; readonly sha256: string }

/** How the files end that are not finished, or never will be. */
export const PART = '.part'

/** The next portion, or a rejection at an abort, which need not wait for rows that never come. */
const nextOf = <T>(rows: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    const over = () => signal.removeEventListener('abort', stop)
    rows.next().then(resolve, reject).finally(over)
  })

/** The same portions, until an abort. */
export const untilAborted = async function* <T>(rows: AsyncIterable<T>, signal: AbortSignal) {
  const iterator = rows[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await nextOf(iterator, signal)
      if (next.done) return
      yield next.value
    }
  } finally {
    // Not awaited, since it stands in line behind a portion that may never come.
    iterator.return?.().catch(() => undefined)
  }
}

const writePart = async (
  part: string,
  chunks: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<Written> => {
  // Opened before the stream is, so that an abort cannot come between the two and leave a file.
  const handle = await open(part, 'wx', 0o600)
  const scale = createScale()
  await pipeline(chunks, scale.through, handle.createWriteStream({ flush: true }), { signal })
  return scale.weight()
}

/**
 * Writes a file to `path`, at the pace of the disk. Under its name there is never half a file.
 * Rejects with what the chunks or the file system threw, or with the reason of an abort, and leaves
 * nothing then.
 */
export const writeWhole = async (
  path: string,
  chunks: () => AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<Written> => {
  signal.throwIfAborted()
  // Of its own: another statement of the same days may be on its way to the same name.
  const part = `${path}.${randomUUID()}${PART}`
  try {
    const written = await writePart(part, chunks(), signal)
    signal.throwIfAborted()
    await rename(part, path)
    await syncDirectoryOf(path)
    return written
  } catch (error) {
    await rm(part, { force: true })
    signal.throwIfAborted()
    throw error
  }
}
