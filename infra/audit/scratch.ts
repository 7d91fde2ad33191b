import { type Build, readBuilds } from '../../projections/builds.ts'
import { type Changes, writeChanges } from '../../projections/rows.ts'
import {
  type Connection,
  createTableSql,
  type Database,
  physicalName,
  type Table,
} from '../../projections/table.ts'

/** Builds are numbered from 1, so these names are free. */
const SCRATCH_BUILD = 0

/**
 * A connection of its own with temporary tables, which shadow nothing and vanish with it, however
 * this process ends.
 */
export type Scratch = {
  readonly sql: Connection
  /** Makes the twins that are not there yet: most are never needed, and each takes its time. */
  need(tables: Iterable<Table>): Promise<void>
  /** Whether the twin is there. */
  has(table: Table): boolean
  write(changes: Changes): Promise<void>
  close(): void
}

/** The name of a table's temporary twin. */
export const scratchName = (table: Table): string => `pg_temp.${physicalName(table, SCRATCH_BUILD)}`

export const openScratch = async (database: Database): Promise<Scratch> => {
  const client = await database.connect()
  const made = new Set<Table>()
  // Destroyed, not given back: the temporary tables go, and so does the search path.
  const close = (): void => client.release(true)
  try {
    // New tables are made in the first schema of the path, and their names are found there first.
    await client.query(
      `select set_config('search_path', 'pg_temp, ' || current_setting('search_path'), false)`,
    )
  } catch (error) {
    close()
    throw error
  }
  const need = async (tables: Iterable<Table>): Promise<void> => {
    for (const table of tables) {
      if (made.has(table)) continue
      await client.query(createTableSql({ ...table, indexes: [] }, SCRATCH_BUILD))
      made.add(table)
    }
  }
  const write = async (changes: Changes): Promise<void> => {
    await need(changes.keys())
    await writeChanges(client, SCRATCH_BUILD, changes)
  }
  return { sql: client, close, need, has: (table) => made.has(table), write }
}

const MAX_ATTEMPTS = 5
const UNDEFINED_TABLE = '42P01'

export const readBuildsIfAny = async (sql: Connection): Promise<Build[]> => {
  const { rows } = await sql.query<{ found: boolean }>(
    `select to_regclass('projection_builds') is not null as found`,
  )
  return rows[0]?.found ? readBuilds(sql) : []
}

/**
 * Freezes what this connection sees of the read models, positions and rows alike, and keeps their
 * tables from being dropped until `release`. The builds are those whose rows queries show.
 */
export const openSnapshot = async (
  sql: Connection,
  tablesOf: (build: Build) => readonly Table[],
): Promise<{ builds: Build[]; release: () => Promise<void> }> => {
  const release = async (): Promise<void> => void (await sql.query('rollback'))
  for (let attempt = 1; ; attempt += 1) {
    await sql.query('begin isolation level repeatable read')
    try {
      const builds = (await readBuildsIfAny(sql)).filter(({ status }) => status !== 'building')
      const names = builds.flatMap((build) =>
        tablesOf(build).map((table) => physicalName(table, build.build)),
      )
      if (names.length > 0) await sql.query(`lock table ${names.join(', ')} in access share mode`)
      return { builds, release }
    } catch (error) {
      await release()
      // A rebuilt projection took its place between the two statements: look again.
      const swapped = error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE
      if (!swapped || attempt === MAX_ATTEMPTS) throw error
    }
  }
}
