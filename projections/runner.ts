import { setTimeout as wait } from 'node:timers/promises'
import type { EventStore } from '../domain/log.ts'
import {
  abandonBuild,
  activateBuild,
  type Build,
  createBuildsTable,
  NOWHERE,
  passOver,
  readBuilds,
  startBuild,
} from './builds.ts'
import { CheckpointLost } from './checkpoints.ts'
import type { Log, Running } from './flush.ts'
import type { Projection } from './kernel.ts'
import { runLane } from './lane.ts'
import type { Database } from './table.ts'

export type ProjectorOptions = {
  readonly store: EventStore
  readonly database: Database
  readonly projections: readonly Projection[]
  readonly log: Log
  readonly signal: AbortSignal
  /** Called once, when the active builds have handled the history that was there at the start. */
  readonly onCaughtUp?: () => void
}

const RETRY_AFTER_MS = [100, 500, 1000, 2000, 5000] as const

const currentBuild = (builds: readonly Build[], { name }: Projection): Build | undefined =>
  builds.find((build) => build.name === name && build.status !== 'building')

/** Every projection has tables, and every view points somewhere, before anybody asks. */
export const prepareProjections = async (
  database: Database,
  projections: readonly Projection[],
): Promise<void> => {
  await createBuildsTable(database)
  const builds = await readBuilds(database)
  for (const projection of projections) {
    if (!currentBuild(builds, projection)) await startBuild(database, projection)
  }
}

type RebuildOptions = Omit<ProjectorOptions, 'projections' | 'onCaughtUp'> & {
  readonly projection: Projection
  readonly onProgress?: (build: Build) => void
}

/**
 * Builds a projection from the beginning beside the active one and puts it in its place. Throws
 * when an event cannot be handled: then the old one stays.
 */
export const rebuild = async (options: RebuildOptions): Promise<Build> => {
  const { database, projection, store, signal } = options
  const running: Running = { projection, build: await startBuild(database, projection) }
  const { build } = running.build
  let activated = running.build.status === 'active'
  try {
    do {
      const handled = (await store.head()) ?? NOWHERE
      await catchUp(options, running)
      if (running.build.status === 'stopped') {
        throw new Error(`${projection.name} cannot be rebuilt: ${running.build.error}`)
      }
      signal.throwIfAborted()
      activated = activated || (await activateBuild(database, projection, build, handled))
      // What came meanwhile is little, and so is what may come while that is handled.
    } while (!activated)
    return running.build
  } finally {
    if (!activated) await abandonBuild(database, projection, build)
  }
}

/** Handles all that is in the log now, then ends. */
const catchUp = (options: RebuildOptions, running: Running): Promise<void> =>
  runLane({
    ...options,
    lane: [running],
    onProgress: () => options.onProgress?.(running.build),
    onCaughtUp: () => false,
  })

/** A build left behind by a process that ended in the middle of it. */
const clearUnfinished = async (options: ProjectorOptions): Promise<void> => {
  for (const build of await readBuilds(options.database)) {
    const projection = options.projections.find(({ name }) => name === build.name)
    if (build.status === 'building' && projection) {
      await abandonBuild(options.database, projection, build.build)
    }
  }
}

/** Builds new versions one after another. Answers whether any of them took its place. */
const upgrade = async (
  options: ProjectorOptions,
  outdated: readonly Projection[],
): Promise<boolean> => {
  let upgraded = false
  for (const projection of outdated) {
    const { name, version } = projection
    if (options.signal.aborted) return upgraded
    options.log.info({ projection: name, version }, 'building its new version')
    try {
      await rebuild({ ...options, projection })
      upgraded = true
    } catch (error) {
      options.log.error({ projection: name, error: String(error) }, 'the old version stays')
    }
  }
  return upgraded
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

type Plan = {
  /** Those that are about where the log ends. */
  readonly settled: Running[]
  /** New ones, with all of the log before them. */
  readonly fresh: Running[]
  /** Those whose code is newer than their tables. */
  readonly outdated: Projection[]
}

/** A stopped build is tried again once in the life of a process, at its start. */
const planTurn = async (
  { database, projections }: ProjectorOptions,
  atStart: boolean,
): Promise<Plan> => {
  const builds = await readBuilds(database)
  const begun = builds.some(({ status, position }) => status !== 'building' && position.commit > 0n)
  const plan: Plan = { settled: [], fresh: [], outdated: [] }
  for (const projection of projections) {
    const build = currentBuild(builds, projection)
    if (!build) throw new Error(`projection ${projection.name} has no tables`)
    if (build.version !== projection.version) plan.outdated.push(projection)
    else if (build.status === 'stopped' && !atStart) continue
    else if (begun && build.position.commit === 0n) plan.fresh.push({ projection, build })
    else plan.settled.push({ projection, build })
  }
  return plan
}

/** Brings new builds to where the log ends now; those that meet nothing there are there too. */
const arrive = async (options: ProjectorOptions, fresh: Running[]): Promise<void> => {
  const { store, database } = options
  const handled = (await store.head()) ?? NOWHERE
  await runLane({ ...options, lane: fresh, onCaughtUp: () => false })
  if (options.signal.aborted) return
  await passOver(
    database,
    fresh.map(({ build }) => build).filter(({ status }) => status !== 'stopped'),
    handled,
  )
}

/**
 * One turn: the settled builds in one lane, while new and outdated ones come from the beginning
 * beside it. When some of those have caught up, the turn ends, so that the next has them along.
 */
const travel = async (
  options: ProjectorOptions,
  { settled, fresh, outdated }: Plan,
  onCaughtUp: () => void,
): Promise<void> => {
  const turn = new AbortController()
  const signal = AbortSignal.any([options.signal, turn.signal])
  const upgrading = upgrade({ ...options, signal }, outdated).then((upgraded) => {
    if (upgraded) turn.abort()
  })
  const arriving =
    fresh.length > 0 ? arrive({ ...options, signal }, fresh).finally(() => turn.abort()) : undefined
  const beside = Promise.all([upgrading, arriving])
  beside.catch(() => turn.abort())
  const caughtUp = (): boolean => {
    onCaughtUp()
    return true
  }
  try {
    await runLane({ ...options, lane: settled, signal, onCaughtUp: caughtUp })
    // Every build has stopped; only a restart or an upgrade can change that.
    await aborted(signal)
  } finally {
    turn.abort()
    await beside
  }
}

/**
 * Keeps all read models up with the log until aborted. Postgres out of reach, or another projector
 * at work, is waited out; a build stopped by an event is tried again at the next start.
 */
export const runProjector = async (options: ProjectorOptions): Promise<void> => {
  const { signal, log } = options
  await prepareProjections(options.database, options.projections)
  await clearUnfinished(options)
  let told = false
  const onCaughtUp = (): void => {
    if (!told) options.onCaughtUp?.()
    told = true
  }
  let turns = 0
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await travel(options, await planTurn(options, turns === 0), onCaughtUp)
      failures = -1
    } catch (error) {
      if (signal.aborted) return
      const lost = error instanceof CheckpointLost
      log.error({ error: String(error) }, lost ? 'checkpoint moved by another' : 'projector failed')
    }
    turns += 1
    const pause = RETRY_AFTER_MS[Math.min(Math.max(failures, 0), RETRY_AFTER_MS.length - 1)]
    await wait(pause, undefined, { signal }).catch(() => undefined)
  }
}
