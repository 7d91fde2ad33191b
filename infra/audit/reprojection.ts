import type { Recorded } from '../../domain/log.ts'
import type { Build } from '../../projections/builds.ts'
import { type Projection, project } from '../../projections/kernel.ts'
import { physicalName } from '../../projections/table.ts'
import { compareTables } from './compare.ts'
import { type Follower, later } from './follower.ts'
import type { Findings } from './report.ts'
import { type Scratch, scratchName } from './scratch.ts'

/** A projection done once more, beside the live one. */
export type Reprojection = Follower & {
  readonly projection: Projection
  /** The live one; undefined: there is none of this version. */
  build: Build | undefined
}

const describeEvent = ({ type, stream, revision }: Recorded): string =>
  `${type} at ${stream}@${revision}`

export const createReprojection = (
  projection: Projection,
  scratch: Scratch,
  findings: Findings,
): Reprojection => ({
  projection,
  build: undefined,
  at: undefined,
  until: 0n,
  take: async (events) => {
    for (let next = 0; next < events.length; ) {
      const { changes, handled, poison } = project(projection, events.slice(next))
      await scratch.write(changes)
      next += handled
      if (!poison) continue
      // The live one went past it, so what it wrote there has no reason in the log.
      const where = describeEvent(poison.event)
      const expected = 'an event that can be handled'
      findings.add({ what: projection.name, where, expected, actual: poison.error.message })
      next += 1
    }
  },
})

/** Where this is to stand, after the live one. Answers what is in the way of a comparison. */
export const aim = (target: Reprojection, builds: readonly Build[]): string | undefined => {
  const { name, version } = target.projection
  const build = builds.find((candidate) => candidate.name === name)
  const current = build?.version === version
  target.build = current ? build : undefined
  target.until = current ? build.position.commit : 0n
  if (!build) return 'no tables'
  if (!current) return `version ${build.version}, not built anew yet`
  if (build.status === 'stopped') return `stopped at ${build.position.commit}: ${build.error}`
  return undefined
}

const isEmpty = async (scratch: Scratch, name: string): Promise<boolean> => {
  const { rows } = await scratch.sql.query<{ any: boolean }>(
    `select exists (select from ${name}) as any`,
  )
  return rows[0]?.any === false
}

/** Compares every table of the projection; answers the rows by table. */
export const compareProjection = async (
  { projection, build }: Reprojection,
  scratch: Scratch,
  findings: Findings,
): Promise<Record<string, number>> => {
  const rows: Record<string, number> = {}
  if (!build) return rows
  for (const table of projection.tables) {
    const expected = scratchName(table)
    const actual = physicalName(table, build.build)
    if (!scratch.has(table) && (await isEmpty(scratch, actual))) {
      rows[table.name] = 0
      continue
    }
    await scratch.need([table])
    const columns = { ...table.columns, position: 'numeric' as const }
    await scratch.sql.query(`analyze ${expected}`)
    rows[table.name] = await compareTables(
      scratch.sql,
      {
        name: table.name,
        table: { key: table.key, columns },
        expected,
        actual,
      },
      findings,
    )
  }
  return rows
}

/** The furthest log position that any of the live ones has reached. */
export const furthest = (targets: readonly Reprojection[]): bigint =>
  targets.reduce((most, { build }) => later(most, build?.position.commit ?? 0n), 0n)
