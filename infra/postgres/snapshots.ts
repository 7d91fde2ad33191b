import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Pool } from 'pg'
import type { Snapshots } from '../../commands/resident.ts'

const compress = promisify(gzip)
const expand = promisify(gunzip)

/** States kept in Postgres so that a start need not fold the whole log. Deleting them is safe. */
export const createSnapshots = async (database: Pool): Promise<Snapshots> => {
  await database.query(`
    create table if not exists snapshots (
      stream text primary key,
      version integer not null,
      revision bigint not null,
      saved bytea not null
    )`)
  return {
    load: async (stream, version) => {
      const { rows } = await database.query<{ revision: string; saved: Buffer }>(
        'select revision, saved from snapshots where stream = $1 and version = $2',
        [stream, version],
      )
      const [row] = rows
      if (!row) return undefined
      const saved: unknown = JSON.parse((await expand(row.saved)).toString())
      return { revision: Number(row.revision), saved }
    },
    save: async (stream, version, revision, saved) => {
      await database.query(
        `insert into snapshots (stream, version, revision, saved) values ($1, $2, $3, $4)
         on conflict (stream) do update
         set version = excluded.version, revision = excluded.revision, saved = excluded.saved`,
        [stream, version, revision, await compress(JSON.stringify(saved))],
      )
    },
  }
}
