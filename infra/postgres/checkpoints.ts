import type { Pool } from 'pg'
import type { Position } from '../../domain/log.ts'

export type Checkpoints = {
  load(): Promise<Position | undefined>
  save(position: Position): Promise<void>
}

/** Where a reader of the log has come to, when the place it writes to cannot remember that. */
export const relayCheckpoints = async (database: Pool, name: string): Promise<Checkpoints> => {
  await database.query(`
    create table if not exists relay_checkpoints (
      name text primary key,
      commit_position numeric(20) not null,
      prepare_position numeric(20) not null
    )`)
  return {
    load: async () => {
      const { rows } = await database.query<{ commit_position: string; prepare_position: string }>(
        'select commit_position, prepare_position from relay_checkpoints where name = $1',
        [name],
      )
      const [row] = rows
      if (!row) return undefined
      return { commit: BigInt(row.commit_position), prepare: BigInt(row.prepare_position) }
    },
    save: async ({ commit, prepare }) => {
      await database.query(
        `insert into relay_checkpoints values ($1, $2, $3) on conflict (name) do update
         set commit_position = excluded.commit_position,
             prepare_position = excluded.prepare_position`,
        [name, commit.toString(), prepare.toString()],
      )
    },
  }
}
