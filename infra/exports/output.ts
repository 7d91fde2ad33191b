import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExportedFile } from '../../domain/exports.ts'
import type { Encoding, ExportRow } from './rows.ts'

/** A file in the making. Rows are written in portions, so memory stays small, however many. */
export type Output = {
  write(row: ExportRow): Promise<void> | undefined
  /** Writes what is left and says what the file has become. */
  finish(): Promise<ExportedFile>
  /** Lets go of the file, finished or not. */
  close(): Promise<void>
}

const PORTION = 1000

/** Creates `<name>.<extension>` in the directory. Rejects with the file system's error. */
export const openOutput = async (
  directory: string,
  name: string,
  columns: readonly string[],
  encoding: Encoding,
): Promise<Output> => {
  const file = `${name}.${encoding.extension}`
  const handle = await open(join(directory, file), 'wx', 0o600)
  const hash = createHash('sha256')
  let waiting: ExportRow[] = []
  let rows = 0
  let bytes = 0

  const writeText = async (text: string): Promise<void> => {
    const chunk = Buffer.from(text)
    hash.update(chunk)
    bytes += chunk.length
    await handle.appendFile(chunk)
  }
  const flush = async (): Promise<void> => {
    const portion = waiting
    waiting = []
    await writeText(encoding.encode(columns, portion))
  }
  await writeText(encoding.header(columns))

  return {
    write: (row) => {
      waiting.push(row)
      rows += 1
      return waiting.length === PORTION ? flush() : undefined
    },
    finish: async () => {
      if (waiting.length > 0) await flush()
      return { name: file, rows, bytes, sha256: hash.digest('hex') }
    },
    close: () => handle.close(),
  }
}
