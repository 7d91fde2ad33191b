import { projection } from './kernel.ts'
import type { Table } from './table.ts'

/** Where in the log to find what one request, or one actor, brought about. */
const eventIndex: Table = {
  name: 'event_index',
  columns: {
    stream: 'text',
    revision: 'bigint',
    type: 'text',
    correlation: 'text',
    actor: 'text',
    recorded_at: 'timestamptz',
  },
  key: ['position'],
  indexes: [
    ['correlation', 'position'],
    ['actor', 'position'],
  ],
}

export const eventIndexBook = projection({
  name: 'event_index',
  version: 1,
  tables: [eventIndex],
  schemas: {},
  on: {},
  every: ({ stream, revision, type, metadata, recordedAt }, rows) =>
    rows.put(eventIndex, {
      stream,
      revision,
      type,
      correlation: metadata.correlation ?? null,
      actor: metadata.actor ?? null,
      recorded_at: recordedAt.toISOString(),
    }),
})
