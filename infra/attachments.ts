/** Persons' files in the data directory, each sealed under its owner's key. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Attachments } from '../api/services.ts'
import type { Ports } from '../commands/ports.ts'
import type { Upload } from '../domain/attachments.ts'
import { saveBytes } from './files.ts'

const NEW_LINE = 0x0a

/** What the file is called and is, on a line before it: sealed with it. */
const pack = ({ name, type, bytes }: Upload): Uint8Array =>
  Buffer.concat([Buffer.from(`${JSON.stringify({ name, type })}\n`), bytes])

const unpack = (packed: Uint8Array): Upload => {
  const end = packed.indexOf(NEW_LINE)
  const { name, type } = JSON.parse(Buffer.from(packed.subarray(0, end)).toString())
  return { name, type, bytes: packed.subarray(end + 1) }
}

const readIfThere = (path: string): Promise<Uint8Array | undefined> =>
  readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })

/**
 * A file's name follows from its owner and what is in it, so that what is sent again is kept once;
 * it is one that only this server can work out.
 */
export const createAttachments = ({
  ports: { vault, secrets },
  directory,
}: {
  readonly ports: Pick<Ports, 'vault' | 'secrets'>
  readonly directory: string
}): Attachments => {
  const pathOf = (attachment: string): string => join(directory, attachment.slice(0, 2), attachment)
  return {
    keep: async (subject, file) => {
      const digest = createHash('sha256').update(file.bytes).digest('hex')
      const attachment = secrets.claim('attachment', `${subject}\n${file.type}\n${digest}`)
      await saveBytes(pathOf(attachment), await vault.sealBytes(subject, pack(file)))
      return { attachment, media_type: file.type, bytes: file.bytes.byteLength }
    },
    open: async (subject, attachment) => {
      const sealed = await readIfThere(pathOf(attachment))
      const packed = sealed && (await vault.openBytes(subject, sealed))
      return packed ? unpack(packed) : undefined
    },
  }
}
