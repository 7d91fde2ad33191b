import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pathOfExport } from './make.ts'

/** The finished file of an export, to be read at the reader's pace; undefined when it is not here. */
export const openExportFile = async (
  directory: string,
  id: string,
): Promise<ReadableStream<Uint8Array> | undefined> => {
  const path = pathOfExport(directory, id)
  try {
    await access(path)
  } catch {
    return undefined
  }
  return Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>
}
