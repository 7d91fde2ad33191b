import type { Position } from '../domain/log.ts'
import type { Projection } from './kernel.ts'
import {
  type Connection,
  createTableSql,
  type Database,
  dropTableSql,
  pointViewSql,
} from './table.ts'

/**
 * One materialisation of a projection: its own tables and its own place in the log. `active` is the
 * one that queries see; `building` catches up beside it; `stopped` met an event it cannot handle.
 */
export type Build = {
  readonly name: string
  readonly build: number
  readonly version: number
  readonly status: 'building' | 'active' | 'stopped'
  readonly position: Position
  readonly events: number
  readonly error: string | null
  readonly lastEventAt: Date | null
}

export const NOWHERE: Position = { commit: 0n, prepare: 0n }
export const CHANNEL = 'daybook_projections'

export const createBuildsTable = async (database: Connection): Promise<void> => {
  await database.query(`
    create table if not exists projection_builds (
      name text not null,
      build integer not null,
      version integer not null,
      status text not null,
      commit_position numeric(20) not null default 0,
      prepare_position numeric(20) not null default 0,
      events bigint not null default 0,
      last_event_at timestamptz,
      error text,
      updated_at timestamptz not null default now(),
      primary key (name, build)
    )`)
}

type Stored = {
  name: string
  build: number
  version: number
  status: Build['status']
  commit_position: string
  prepare_position: string
  events: string
  error: string | null
  last_event_at: Date | null
}

const buildOf = (row: Stored): Build => ({
  name: row.name,
  build: row.build,
  version: row.version,
  status: row.status,
  position: { commit: BigInt(row.commit_position), prepare: BigInt(row.prepare_position) },
  events: Number(row.events),
  error: row.error,
  lastEventAt: row.last_event_at,
})

export const readBuilds = async (database: Connection): Promise<Build[]> => {
  const { rows } = await database.query<Stored>(
    'select * from projection_builds order by name, build',
  )
  return rows.map(buildOf)
}

/** Runs `work` in one transaction; any error rolls all of it back. */
export const inTransaction = async <Result>(
  database: Database,
  work: (sql: Connection) => Promise<Result>,
): Promise<Result> => {
  const client = await database.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch((lost: Error) => {
      broken = lost
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/** Makes empty tables for a new build. The first build of all is active at once. */
export const startBuild = (database: Database, projection: Projection): Promise<Build> =>
  inTransaction(database, async (sql) => {
    await sql.query('lock table projection_builds in share row exclusive mode')
    const { rows } = await sql.query<{ last: number | null }>(
      'select max(build) as last from projection_builds where name = $1',
      [projection.name],
    )
    const last = rows[0]?.last ?? null
    const build = (last ?? 0) + 1
    const status = last === null ? 'active' : 'building'
    for (const table of projection.tables) {
      await sql.query(createTableSql(table, build))
      if (status === 'active') await sql.query(pointViewSql(table, build))
    }
    const { rows: inserted } = await sql.query<Stored>(
      `insert into projection_builds (name, build, version, status)
       values ($1, $2, $3, $4) returning *`,
      [projection.name, build, projection.version, status],
    )
    const [row] = inserted
    if (!row) throw new Error('a build was not recorded')
    return buildOf(row)
  })

/** Drops a build that never became active. */
export const abandonBuild = (
  database: Database,
  projection: Projection,
  build: number,
): Promise<void> =>
  inTransaction(database, async (sql) => {
    for (const table of projection.tables) await sql.query(dropTableSql(table, build))
    await sql.query(`delete from projection_builds where name = $1 and build = $2`, [
      projection.name,
      build,
    ])
  })

const latest = (one: Position, other: Position): Position =>
  one.commit > other.commit ? one : other

/**
 * Puts a build in the place of the active one, unless that is further on; then answers false.
 * `handled` is a position up to which the build has seen all that concerns it, though its last own
 * event may lie before. Readers see the old tables until the moment they see the new ones.
 */
export const activateBuild = (
  database: Database,
  projection: Projection,
  build: number,
  handled: Position,
): Promise<boolean> =>
  inTransaction(database, async (sql) => {
    const { rows } = await sql.query<Stored>(
      'select * from projection_builds where name = $1 order by build for update',
      [projection.name],
    )
    const builds = rows.map(buildOf)
    const next = builds.find((candidate) => candidate.build === build)
    if (!next) throw new Error(`${projection.name} has no build ${build} any more`)
    const others = builds.filter((candidate) => candidate.build !== build)
    const reached = latest(next.position, handled)
    const ahead = others.some(
      ({ status, position }) => status !== 'building' && position.commit > reached.commit,
    )
    if (ahead) return false
    for (const table of projection.tables) {
      await sql.query(pointViewSql(table, build))
      for (const other of others) await sql.query(dropTableSql(table, other.build))
    }
    await sql.query('delete from projection_builds where name = $1 and build <> $2', [
      projection.name,
      build,
    ])
    await sql.query(
      `update projection_builds
       set status = 'active', commit_position = $3, prepare_position = $4
       where name = $1 and build = $2`,
      [projection.name, build, reached.commit.toString(), reached.prepare.toString()],
    )
    return true
  })

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
