import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { createBuildsTable } from '../../projections/builds.ts'
import type { Parts } from '../parts.ts'

/** The key of the tokens too: one that was given out before must not be good after. */
const FILES = [
  ...['bus.db', 'bus.db-wal', 'bus.db-shm', 'secrets/tokens'],
  ...['exports', 'statements', 'models', 'uploads', 'attachments'],
]

/** Empties every table; the builds of the read models begin anew on their empty tables. */
const emptyTables = async (database: Pool): Promise<void> => {
  await createBuildsTable(database)
  const { rows } = await database.query<{ name: string }>(
    `select quote_ident(tablename) as name from pg_tables
     where schemaname = 'public' and tablename <> 'projection_builds'`,
  )
  const emptied = rows.map(({ name }) => `delete from ${name};`).join('\n')
  await database.query(
    `begin; ${emptied}
     update projection_builds set commit_position = 0, prepare_position = 0, events = 0,
       last_event_at = null, error = null, status = 'active' where status <> 'building';
     commit`,
  )
}

/** Leaves nothing of what happened. Nobody may be at work on the stores. */
export const wipe = async (
  database: Pool,
  { directory, wipeEvents }: Pick<Parts, 'directory' | 'wipeEvents'>,
): Promise<void> => {
  if (!wipeEvents) throw new Error('a real event store is not emptied')
  const removing = FILES.map((name) =>
    rm(join(directory.path, name), { recursive: true, force: true }),
  )
  await Promise.all([wipeEvents(), emptyTables(database), ...removing])
}
