import { z } from 'zod'

/** A file that belongs to somebody, kept sealed beside the log; events name it so. */
export const Attachment = z.strictObject({
  /** The same for the same file of the same person, and says nothing about what is in it. */
  attachment: z.string().regex(/^[\w-]{43}$/),
  media_type: z.string(),
  bytes: z.int().positive(),
})
export type Attachment = z.infer<typeof Attachment>

/** What somebody sends. `type` is what its first bytes say that it is. */
export type Upload = {
  readonly name: string
  readonly type: string
  readonly bytes: Uint8Array
}
