/** Bodies with files in them. */
import { z } from '@hono/zod-openapi'
import { fileTypeFromBuffer } from 'file-type'
import type { Upload } from '../domain/attachments.ts'
import { isUnreadable } from './json.ts'
import { invalidField, ProblemError, problem } from './problems.ts'
import type { Answer } from './route.ts'

/** The most that a file may have, in bytes. */
export const UPLOAD_BYTES = 5 * 1024 * 1024

/** The most that a whole form may have: two files, and what is said about them. */
export const FORM_BYTES = 2 * UPLOAD_BYTES + 64 * 1024

const MOST_FIELDS = 64

export const pictures = ['image/jpeg', 'image/png', 'image/webp']

const isUpload = (value: unknown): value is Upload =>
  (value as Upload | undefined)?.bytes instanceof Uint8Array

/** A file of one of these types, which its first bytes decide, whatever it calls itself. */
export const upload = (types: readonly string[]) =>
  z
    .custom<Upload>(isUpload, 'must be a file')
    .refine((file) => !isUpload(file) || file.bytes.byteLength > 0, 'is empty')
    .refine(
      (file) => !isUpload(file) || file.bytes.byteLength <= UPLOAD_BYTES,
      `may have ${UPLOAD_BYTES} bytes`,
    )
    .refine(
      (file) => !isUpload(file) || types.includes(file.type),
      `must be one of ${types.join(', ')}`,
    )
    .openapi({ type: 'string', format: 'binary' })

const parseForm = async (bytes: Uint8Array<ArrayBuffer>, contentType: string) => {
  try {
    return await new Response(bytes, { headers: { 'Content-Type': contentType } }).formData()
  } catch {
    throw new ProblemError(
      problem('MALFORMED_FORM', 'The body is not the form that it says it is.'),
    )
  }
}

const fileOf = async (file: File): Promise<Upload> => {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const found = await fileTypeFromBuffer(bytes)
  return { name: file.name.slice(0, 255), type: found?.mime ?? 'application/octet-stream', bytes }
}

/** A form's fields, the last of each name; files as Upload. Throws a problem. */
export const readForm = async (
  bytes: Uint8Array<ArrayBuffer>,
  contentType: string,
): Promise<Record<string, unknown>> => {
  const form = await parseForm(bytes, contentType)
  const entries = [...form]
  if (entries.length > MOST_FIELDS) {
    throw new ProblemError(invalidField('(body)', `may have ${MOST_FIELDS} fields`))
  }
  const fields: Record<string, unknown> = {}
  for (const [name, value] of entries) {
    const text = typeof value === 'string' ? value : value.name
    if (isUnreadable(name) || isUnreadable(text)) {
      throw new ProblemError(invalidField(isUnreadable(name) ? '(body)' : name, 'holds a NUL'))
    }
    fields[name] = typeof value === 'string' ? value : await fileOf(value)
  }
  return fields
}

/** RFC 8187: what encodeURIComponent leaves as it is and the header does not allow. */
const encodeName = (name: string): string =>
  encodeURIComponent(name).replace(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** Answers with a file that somebody uploaded: saved, never shown as a page of this site's. */
export const fileAnswer = ({ name, type, bytes }: Upload): Answer => ({
  stream: new Blob([new Uint8Array(bytes)]).stream(),
  headers: {
    'Content-Type': type,
    'Content-Length': String(bytes.byteLength),
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeName(name)}`,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'private, no-store',
  },
})
