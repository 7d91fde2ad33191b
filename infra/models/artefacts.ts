import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { saveBytes } from '../files.ts'

/** Model files by the digest of their bytes: a name that cannot lie. */
export type Artefacts = {
  /** Answers the digest; the same bytes again are the same file. */
  save(bytes: Uint8Array): Promise<string>
  /** Throws when it is not there, or is no longer what its name says. */
  load(sha256: string): Promise<Uint8Array>
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const openArtefacts = (directory: string): Artefacts => {
  const pathOf = (sha256: string): string => join(directory, `${sha256}.onnx`)
  return {
    save: async (bytes) => {
      const sha256 = digestOf(bytes)
      await saveBytes(pathOf(sha256), bytes)
      return sha256
    },
    load: async (sha256) => {
      const bytes = await readFile(pathOf(sha256))
      if (digestOf(bytes) !== sha256) throw new Error(`the model file ${sha256} is damaged`)
      return bytes
    },
  }
}
