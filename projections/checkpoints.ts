import type { Position } from '../domain/log.ts'
import type { Build } from './builds.ts'
import type { Connection } from './table.ts'

/** Where every move of a checkpoint is told to whoever waits for one. */
export const CHANNEL = 'daybook_projections'

export type Step = { readonly from: Build; readonly position: Position; readonly events: number }

/** Somebody else moved a checkpoint that was thought to be ours. */
export class CheckpointLost extends Error {}

const MOVE_SQL = `
  with moved as (
    update projection_builds b
    set commit_position = r.commit_position, prepare_position = r.prepare_position,
        events = b.events + r.events, last_event_at = $2, updated_at = now(),
        status = r.status, error = null
    from json_to_recordset($1) as r(name text, build integer, was numeric,
      commit_position numeric, prepare_position numeric, events integer, status text)
    where b.name = r.name and b.build = r.build and b.commit_position = r.was
    returning b.name)
  select count(*)::integer as moved, pg_notify('${CHANNEL}', $3) from moved`

/** Moves checkpoints on, each only if it still stands where it was read: compare and set. */
export const moveCheckpoints = async (
  sql: Connection,
  steps: readonly Step[],
  lastEventAt: Date,
): Promise<void> => {
  const moves = steps.map(({ from, position, events }) => ({
    name: from.name,
    build: from.build,
    was: from.position.commit.toString(),
    commit_position: position.commit.toString(),
    prepare_position: position.prepare.toString(),
    events,
    status: from.status === 'stopped' ? 'active' : from.status,
  }))
  const note = Object.fromEntries(moves.map((move) => [move.name, move.commit_position]))
  const { rows } = await sql.query<{ moved: number }>({
    name: 'move_checkpoints',
    text: MOVE_SQL,
    values: [JSON.stringify(moves), lastEventAt, JSON.stringify(note)],
  })
  if (rows[0]?.moved !== steps.length) {
    throw new CheckpointLost('another projector moved a checkpoint')
  }
}

/** Writes down that a build met an event it cannot handle. */
export const recordPoison = async (sql: Connection, build: Build, error: string): Promise<void> => {
  await sql.query(
    `update projection_builds set status = 'stopped', error = $3, updated_at = now()
     where name = $1 and build = $2`,
    [build.name, build.build, error],
  )
}
