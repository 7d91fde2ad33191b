import type { EventStore } from '../../domain/log.ts'
import { type Build, readBuilds } from '../../projections/builds.ts'
import { projections } from '../../projections/index.ts'
import { prepareProjections } from '../../projections/runner.ts'
import type { Config } from '../config.ts'
import { withStores } from './premises.ts'
import { grouped, table } from './print.ts'

const COUNTED_AT_MOST = 10_000
const MS = 1000

/** How many events lie after a position, and how long the first of them has waited. */
const behind = async (
  store: EventStore,
  { position }: Build,
): Promise<{ readonly events: number; readonly seconds: number }> => {
  let events = 0
  let since: Date | undefined
  const from = position.commit === 0n ? {} : { from: position }
  for await (const event of store.readAll({ ...from, limit: COUNTED_AT_MOST + 1 })) {
    if (event.position.commit <= position.commit) continue
    since ??= event.recordedAt
    events += 1
  }
  return { events, seconds: since ? Math.max(0, Date.now() - since.getTime()) / MS : 0 }
}

const rowOf = async (store: EventStore, build: Build): Promise<string[]> => {
  const lag = await behind(store, build)
  const more = lag.events >= COUNTED_AT_MOST ? ' or more' : ''
  return [
    build.name,
    String(build.version),
    build.status,
    build.position.commit.toString(),
    grouped(build.events),
    `${grouped(lag.events)}${more}`,
    lag.seconds.toFixed(1),
    build.error ?? '',
  ]
}

const HEADER = [
  'read model',
  'version',
  'status',
  'position',
  'events',
  'behind',
  'seconds',
  'error',
] as const

/** Answers the exit code: 1 when a read model has been stopped by an event. */
export const runStatus = (config: Config): Promise<number> =>
  withStores(config, { projector: false }, async ({ store, database }) => {
    await prepareProjections(database, projections)
    const builds = await readBuilds(database)
    const rows: string[][] = []
    for (const build of builds) rows.push(await rowOf(store, build))
    const numbers = ['version', 'position', 'events', 'behind', 'seconds']
    const head = await store.head()
    const end = head ? `position ${head.commit}` : 'its beginning: it is empty'
    console.log(`${table(HEADER, rows, numbers)}\n\nThe log ends at ${end}.`)
    return builds.some(({ status }) => status === 'stopped') ? 1 : 0
  })
