import { setTimeout as wait } from 'node:timers/promises'
import type { EventStore } from '../domain/log.ts'
import {
  abandonBuild,
  activateBuild,
  type Build,
  CheckpointLost,
  createBuildsTable,
  readBuilds,
  startBuild,
} from './builds.ts'
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

/**
 * Builds a projection from the beginning beside the active one and puts it in its place. Throws
 * when an event cannot be handled: then the old one stays.
 */
export const rebuild = async (
  options: Omit<ProjectorOptions, 'projections' | 'onCaughtUp'> & {
    readonly projection: Projection
    readonly onProgress?: (build: Build) => void
  },
): Promise<Build> => {
  const { database, projection, onProgress } = options
  const running: Running = { projection, build: await startBuild(database, projection) }
  const { build } = running.build
  let activated = running.build.status === 'active'
  try {
    await runLane({
      ...options,
      lane: [running],
      onProgress: () => onProgress?.(running.build),
      onCaughtUp: async () => {
        activated = activated || (await activateBuild(database, projection, build))
        return !activated
      },
    })
    if (running.build.status === 'stopped') {
      throw new Error(`${projection.name} cannot be rebuilt: ${running.build.error}`)
    }
    return running.build
  } finally {
    if (!activated) await abandonBuild(database, projection, build)
  }
}

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

/** One turn: all active builds in one lane, outdated ones growing beside it. */
const travel = async (options: ProjectorOptions, onCaughtUp: () => void): Promise<void> => {
  const { database, projections, signal } = options
  const builds = await readBuilds(database)
  const lane: Running[] = []
  const outdated: Projection[] = []
  for (const projection of projections) {
    const build = currentBuild(builds, projection)
    if (!build) throw new Error(`projection ${projection.name} has no tables`)
    if (build.version === projection.version) lane.push({ projection, build })
    else outdated.push(projection)
  }
  const turn = new AbortController()
  const both = AbortSignal.any([signal, turn.signal])
  const upgrading = upgrade({ ...options, signal: both }, outdated).then((upgraded) => {
    // The new builds have to join the lane: begin another turn.
    if (upgraded) turn.abort()
  })
  const caughtUp = (): boolean => {
    onCaughtUp()
    return true
  }
  try {
    await runLane({ ...options, lane, signal: both, onCaughtUp: caughtUp })
    // Every build has stopped; only a restart or an upgrade can change that.
    await aborted(both)
  } finally {
    turn.abort()
    await upgrading
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
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      await travel(options, onCaughtUp)
      failures = -1
    } catch (error) {
      if (signal.aborted) return
      const lost = error instanceof CheckpointLost
      log.error({ error: String(error) }, lost ? 'checkpoint moved by another' : 'projector failed')
    }
    const pause = RETRY_AFTER_MS[Math.min(Math.max(failures, 0), RETRY_AFTER_MS.length - 1)]
    await wait(pause, undefined, { signal }).catch(() => undefined)
  }
}
