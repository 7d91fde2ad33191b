import type { Position, Recorded } from '../domain/log.ts'
import { type Build, inTransaction } from './builds.ts'
import { CheckpointLost, moveCheckpoints, recordPoison } from './checkpoints.ts'
import { type Projected, type Projection, project } from './kernel.ts'
import { writeChanges } from './rows.ts'
import { type Database, physicalName } from './table.ts'

/** A build at work, with its place in the log as this process knows it. */
export type Running = { readonly projection: Projection; build: Build }

export type Log = {
  info(facts: object, message: string): void
  error(facts: object, message: string): void
}

type Work = { readonly running: Running; readonly projected: Projected; readonly until: Position }

const workOn = (running: Running, events: readonly Recorded[]): Work | undefined => {
  const { commit } = running.build.position
  const news = events.filter((event) => event.position.commit > commit)
  if (news.length === 0) return undefined
  const projected = project(running.projection, news)
  const last = news[projected.handled - 1]
  return { running, projected, until: last?.position ?? running.build.position }
}

const LEAST_ANALYZED = 1000

/** The largest of 1,000, 2,000, 4,000 ... that so many events reach. */
const magnitudeOf = (events: number): number =>
  events < LEAST_ANALYZED ? 0 : 2 ** Math.floor(Math.log2(events / LEAST_ANALYZED))

/**
 * Counts the rows anew whenever their number has about doubled: a plan that was made while a table
 * was nearly empty would walk all of it until the server thinks of that by itself.
 */
const analyzeGrown = async (database: Database, works: readonly Work[]): Promise<void> => {
  for (const { running, projected } of works) {
    const { events, build } = running.build
    if (magnitudeOf(events) === magnitudeOf(events - projected.handled)) continue
    for (const table of running.projection.tables) {
      await database.query(`analyze ${physicalName(table, build)}`)
    }
  }
}

const write = async (database: Database, works: readonly Work[], lastAt: Date): Promise<void> => {
  const moving = works.filter(({ projected }) => projected.handled > 0)
  if (moving.length === 0) return
  await inTransaction(database, async (sql) => {
    for (const { running, projected } of moving) {
      await writeChanges(sql, running.build.build, projected.changes)
    }
    const steps = moving.map(({ running, projected, until }) => ({
      from: running.build,
      position: until,
      events: projected.handled,
    }))
    await moveCheckpoints(sql, steps, lastAt)
  })
  for (const { running, projected, until } of moving) {
    const events = running.build.events + projected.handled
    running.build = { ...running.build, position: until, events, status: settled(running.build) }
  }
  await analyzeGrown(database, moving)
}

const settled = ({ status }: Build): Build['status'] => (status === 'stopped' ? 'active' : status)

// Classes 22 and 23: the data itself is at fault, not the connection, and trying again is no use.
const isDataFault = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^2[23]/.test(String(error.code))

const stop = async (
  database: Database,
  { running }: Pick<Work, 'running'>,
  event: Recorded,
  error: Error,
  log: Log,
): Promise<void> => {
  const where = `${event.type} at ${event.stream}@${event.revision}`
  const { name, build } = running.build
  log.error(
    { projection: name, build, event: event.id, error: error.message },
    `stopped at ${where}`,
  )
  await recordPoison(database, running.build, `${where}: ${error.message}`.slice(0, 2000))
  running.build = { ...running.build, status: 'stopped', error: error.message }
}

/** One projection alone, event by event, until the one that Postgres refuses. */
const writeOneByOne = async (
  database: Database,
  running: Running,
  events: readonly Recorded[],
  log: Log,
): Promise<boolean> => {
  for (const event of events) {
    const work = workOn(running, [event])
    if (!work) continue
    if (work.projected.poison) {
      await stop(database, work, event, work.projected.poison.error, log)
      return false
    }
    try {
      await write(database, [work], event.recordedAt)
    } catch (error) {
      if (!isDataFault(error)) throw error
      await stop(database, work, event, error as Error, log)
      return false
    }
  }
  return true
}

/**
 * Brings a batch of events into the tables of several builds: rows and checkpoints in one
 * transaction. A build that cannot handle an event is stopped there; the others go on. Answers
 * the builds that are still running. Throws when Postgres is out of reach or a checkpoint is lost.
 */
export const flush = async (
  database: Database,
  lane: readonly Running[],
  events: readonly Recorded[],
  log: Log,
): Promise<Running[]> => {
  const last = events.at(-1)
  if (!last) return [...lane]
  const works = lane.flatMap((running) => workOn(running, events) ?? [])
  const stopped = new Set<Running>()
  try {
    await write(database, works, last.recordedAt)
    for (const work of works) {
      const { poison } = work.projected
      if (!poison) continue
      await stop(database, work, poison.event, poison.error, log)
      stopped.add(work.running)
    }
  } catch (error) {
    if (error instanceof CheckpointLost || !isDataFault(error)) throw error
    for (const { running } of works) {
      if (!(await writeOneByOne(database, running, events, log))) stopped.add(running)
    }
  }
  return lane.filter((running) => !stopped.has(running))
}
