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

/** Puts builds that met no event of theirs where the log has been read to, as if they had. */
export const passOver = async (
  database: Connection,
  builds: readonly Build[],
  { commit, prepare }: Position,
): Promise<void> => {
  for (const { name, build } of builds) {
    await database.query(
      `update projection_builds set commit_position = $3, prepare_position = $4
       where name = $1 and build = $2 and commit_position = 0`,
      [name, build, commit.toString(), prepare.toString()],
    )
  }
}

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * The old tables for this transaction alone, in the order in which others take their locks: readers
 * a view and then its table, the projector a table and then its checkpoint. It gives up long before
 * Postgres looks for deadlocks, after a second, so that nobody else's work is ever the victim.
 */
const lockViews = async (sql: Connection, { tables }: Projection): Promise<void> => {
  await sql.query("set local lock_timeout = '100ms'")
  const views = tables.map(({ name }) => name).join(', ')
  await sql.query(`lock table ${views} in access exclusive mode`)
}

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE

/**
 * Puts a build in the place of the active one, unless that is further on or in use just now; then
 * answers false, and is to be tried again. `handled` is a position up to which the build has seen
 * all that concerns it, though its last own event may lie before. Readers see the old tables until
 * the moment they see the new ones.
 */
export const activateBuild = async (
  database: Database,
  projection: Projection,
  build: number,
  handled: Position,
): Promise<boolean> => {
  try {
    return await takePlace(database, projection, build, handled)
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}

const takePlace = (
  database: Database,
  projection: Projection,
  build: number,
  handled: Position,
): Promise<boolean> =>
  inTransaction(database, async (sql) => {
    await lockViews(sql, projection)
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
