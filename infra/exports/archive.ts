import { createWriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { createScale } from '../files.ts'

export type Content = { readonly name: string; readonly from: string | Buffer }

/** Zip keeps times as local clocks show them, so this is noon everywhere. */
const alwaysTheSame = () => ({
  mtime: new Date(2000, 0, 1, 12),
  forceDosTimestamp: true,
  mode: 0o100644,
  compress: true,
  compressionLevel: 6,
})

/**
 * Packs files, in this order, into a zip at `path`, flushed to the disk. The same content gives
 * the same bytes, under the same version of zlib. Rejects with the file system's error or when aborted.
 */
export const packZip = async (
  path: string,
  contents: readonly Content[],
  signal: AbortSignal,
): Promise<{ sha256: string; bytes: number }> => {
  const zip = new ZipFile()
  const scale = createScale()
  // Typed as an older kind of stream than it is.
  const packed = zip.outputStream as Readable
  zip.on('error', (error: Error) => packed.destroy(error))
  for (const { name, from } of contents) {
    if (typeof from === 'string') zip.addFile(from, name, alwaysTheSame())
    else zip.addBuffer(from, name, alwaysTheSame())
  }
  zip.end()
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true })
  await pipeline(packed, scale.through, file, { signal })
  return scale.weight()
}
