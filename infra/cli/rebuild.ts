import type { Build } from '../../projections/builds.ts'
import { projections } from '../../projections/index.ts'
import type { Projection } from '../../projections/kernel.ts'
import { prepareProjections, rebuild } from '../../projections/runner.ts'
import type { Config } from '../config.ts'
import { type Stores, withStores } from './premises.ts'
import { grouped, progressBar, table } from './print.ts'

const MS = 1000
const quiet = { info: () => undefined, error: () => undefined }

/** The projections of this name, or all; none when there is no such name. */
export const chooseProjections = (name: string): readonly Projection[] =>
  name === 'all' ? projections : projections.filter((projection) => projection.name === name)

export const projectionNames = (): string => projections.map(({ name }) => name).join(', ')

const rebuildOne = async (
  { store, database }: Stores,
  projection: Projection,
  signal: AbortSignal,
): Promise<string[]> => {
  const bar = progressBar(projection.name)
  const head = Number((await store.head())?.commit ?? 0n)
  const began = performance.now()
  const rate = ({ events }: Build): string => {
    const seconds = Math.max(performance.now() - began, 1) / MS
    return `${grouped(Math.round(events / seconds))} events/s`
  }
  const onProgress = (build: Build): void => {
    const place = Number(build.position.commit)
    bar.show(place, Math.max(place, head), `${grouped(build.events)} events, ${rate(build)}`)
  }
  try {
    const build = await rebuild({ store, database, projection, log: quiet, signal, onProgress })
    signal.throwIfAborted()
    const seconds = ((performance.now() - began) / MS).toFixed(1)
    return [projection.name, grouped(build.events), seconds, rate(build)]
  } finally {
    bar.end()
  }
}

/** Builds each one beside the present one and puts it in its place. Answers the exit code. */
export const runRebuild = (
  config: Config,
  chosen: readonly Projection[],
  signal: AbortSignal,
): Promise<number> =>
  withStores(config, { projector: false }, async (stores) => {
    await prepareProjections(stores.database, projections)
    const rows: string[][] = []
    for (const projection of chosen) rows.push(await rebuildOne(stores, projection, signal))
    const header = ['rebuilt', 'events', 'seconds', 'rate']
    console.log(table(header, rows, ['events', 'seconds', 'rate']))
    return 0
  })
