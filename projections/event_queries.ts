import { z } from 'zod'
import { query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { conditions } from './select.ts'

export type IndexedEvent = {
  stream: string
  revision: number
  position: string
  type: string
  correlation: string | null
  actor: string | null
  recorded_at: Date
}

/** The trail of one request or one actor through all streams, oldest first. */
export const listTrail = query({
  name: 'audit.trail',
  permission: 'events:read',
  input: z.strictObject({
    correlation: z.string().max(128).optional(),
    actor: z.string().max(128).optional(),
    type: z.string().max(128).optional(),
    ...paging,
  }),
  reads: ['event_index'],
  run: async (sql, input) => {
    const where = conditions()
    where.addIf('correlation = ?', input.correlation)
    where.addIf('actor = ?', input.actor)
    where.addIf('type = ?', input.type)
    const after = decodeCursor(input.cursor, 1)
    if (after) where.add('position > ?::numeric', after[0])
    const { rows } = await sql.query<IndexedEvent>(
      `select stream, revision, position, type, correlation, actor, recorded_at
       from event_index${where.where()} order by position limit ${input.limit + 1}`,
      where.values,
    )
    const page = pageOf(rows, input.limit, ({ position }) => [position])
    return { ...page, items: page.items.map((e) => ({ ...e, revision: Number(e.revision) })) }
  },
})
