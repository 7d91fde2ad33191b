import { z } from 'zod'

/** A cursor that this server did not make, or made for another list. */
class BadCursor extends Error {
  readonly code = 'BAD_CURSOR'
  constructor() {
    super('The cursor is not one that this list gave out.')
  }
}

/** The input that every list takes. */
export const paging = {
  cursor: z.string().max(1024).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
}

export type Page<Item> = { readonly items: readonly Item[]; readonly next_cursor: string | null }

/** A page out of numbered ones, of a list that has so many items in all. */
export type NumberedPage<Item> = { readonly count: number; readonly results: readonly Item[] }

const encodeCursor = (parts: readonly string[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url')

/** The key values behind a cursor; undefined at the beginning. Throws BadCursor. */
export const decodeCursor = (cursor: string | undefined, parts: number): string[] | undefined => {
  if (cursor === undefined) return undefined
  const shape = z.array(z.string().max(256)).length(parts)
  try {
    return shape.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
  } catch {
    throw new BadCursor()
  }
}

/** A page out of `limit + 1` rows, of which the last only shows that there is more. */
export const pageOf = <Item>(
  rows: readonly Item[],
  limit: number,
  keyOf: (item: Item) => readonly string[],
): Page<Item> => {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items, next_cursor: more ? encodeCursor(keyOf(last)) : null }
}
