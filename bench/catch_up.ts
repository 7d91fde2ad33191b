import { randomBytes } from 'node:crypto'
import { connectEventStore } from '../infra/eventstore/client.ts'
import { connectPostgres } from '../infra/postgres/pool.ts'
import { findRunning } from '../infra/running.ts'
import { readBuilds } from '../projections/builds.ts'
import { projections } from '../projections/index.ts'
import { runProjector } from '../projections/runner.ts'
import type { Bank } from './bank.ts'
import { postHistory } from './batches.ts'
import type { Repetition } from './load.ts'
import { type Line, repeat } from './report.ts'
import type { Plan, Scenario } from './scenario.ts'

const AIM = { value: 10_000, better: 'more' } as const
const HISTORY = 20_000

const quiet = { info: () => undefined, error: () => undefined }

/** Builds every read model from the beginning of the log, in a database made for it. */
const buildAnew = async (stores: {
  readonly eventStoreUrl: string
  readonly databaseUrl: string
}): Promise<Repetition> => {
  const name = `bench_${randomBytes(6).toString('hex')}`
  const server = await connectPostgres({ url: stores.databaseUrl, name: 'bench', max: 1 })
  await server.query(`create database ${name}`)
  const url = new URL(stores.databaseUrl)
  url.pathname = `/${name}`
  const database = await connectPostgres({ url: url.href, name: 'bench', max: 3 })
  const store = connectEventStore({ url: stores.eventStoreUrl })
  const done = new AbortController()
  try {
    const began = performance.now()
    let seconds = Number.NaN
    await runProjector({
      store,
      database,
      projections,
      log: quiet,
      signal: done.signal,
      onCaughtUp: () => {
        seconds = (performance.now() - began) / 1000
        done.abort()
      },
    })
    const builds = await readBuilds(database)
    const stopped = builds.find(({ status }) => status === 'stopped')
    if (stopped) throw new Error(`${stopped.name} has stopped: ${stopped.error}`)
    return { done: Math.max(...builds.map(({ events }) => events)), seconds, latencies_ms: [] }
  } finally {
    await Promise.all([store.close(), database.end()])
    await server.query(`drop database ${name} with (force)`)
    await server.end()
  }
}

const catchUp = async (bank: Bank, { repetitions }: Plan): Promise<Line[]> => {
  await postHistory(bank, HISTORY)
  await bank.settle()
  const running = findRunning(bank.daybook.directory)
  if (!running) throw new Error('Daybook has not written down where its stores are')
  const once = (): Promise<Repetition> => buildAnew(running)
  await once()
  const described = { name: 'all read models from zero', unit: 'events/s', aim: AIM }
  return [await repeat(repetitions, described, once)]
}

export const catchUps: readonly Scenario[] = [{ name: 'catch-up', run: catchUp }]
