import { randomUUID } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ProblemError, problem } from '../../api/problems.ts'

/** A million rows of a bank's customers. */
const MOST_BYTES = 64 * 1024 * 1024

export const uploadsIn = (directory: string): string => join(directory, 'uploads')

/** Writes an upload into the data directory and answers its name. */
export const keepUpload = async (
  directory: string,
  body: ReadableStream<Uint8Array> | null,
): Promise<string> => {
  await mkdir(uploadsIn(directory), { recursive: true, mode: 0o700 })
  const file = `${randomUUID()}.csv`
  const path = join(uploadsIn(directory), file)
  const handle = await open(path, 'wx', 0o600)
  let size = 0
  try {
    for await (const chunk of body ?? []) {
      size += chunk.byteLength
      if (size > MOST_BYTES) {
        throw new ProblemError(problem('BODY_TOO_LARGE', `An upload may have ${MOST_BYTES} bytes.`))
      }
      await handle.appendFile(chunk)
    }
    return file
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await handle.close()
  }
}
