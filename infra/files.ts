/** What is kept in the data directory and read from it again: exports, statements, files. */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'

/** Passes bytes on; `weight`, asked once behind the last of them, is how many and their SHA-256. */
export const createScale = () => {
  const hash = createHash('sha256')
  let bytes = 0
  return {
    through: async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        bytes += chunk.length
        yield chunk
      }
    },
    weight: () => ({ bytes, sha256: hash.digest('hex') }),
  }
}

/** Makes sure that a rename in this directory survives a loss of power. */
export const syncDirectoryOf = async (path: string): Promise<void> => {
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Keeps bytes under a name, in a directory that is made if need be: whole, or not at all. */
export const saveBytes = async (path: string, bytes: Uint8Array): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const part = `${path}.${randomUUID()}.part`
  try {
    await writeFile(part, bytes, { mode: 0o600, flag: 'wx', flush: true })
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  await syncDirectoryOf(path)
}

/**
 * Creates a directory of this process alone, or clears it of what an earlier one was in the middle
 * of: that is of no use and is made anew.
 */
export const openWorkshop = async (directory: string, unfinished: string): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const name of await readdir(directory)) {
    if (name.endsWith(unfinished)) await rm(join(directory, name), { recursive: true, force: true })
  }
}

/** A finished file, to be read at the reader's pace; undefined when it is not here. */
export const openFile = async (path: string): Promise<ReadableStream<Uint8Array> | undefined> => {
  try {
    await access(path)
  } catch {
    return undefined
  }
  return Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>
}
