/** How the machine and the stores are doing, as it is measured the moment that somebody asks. */
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import type { Pool } from 'pg'
import type { Lagging, Readings } from '../api/health.ts'
import type { EventStore } from '../domain/log.ts'
import { type Build, readBuilds } from '../projections/builds.ts'

/** A part that has not answered by then is taken to be away. */
const PATIENCE_MS = 2000

const tooLate = (): Promise<never> =>
  new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error('no answer in time')), PATIENCE_MS).unref()
  })

type Timed<Answer> = { readonly ms: number; readonly answer: Answer }

/** How long an answer took; undefined: there was none. */
const timed = async <Answer>(ask: () => Promise<Answer>): Promise<Timed<Answer> | undefined> => {
  const began = performance.now()
  try {
    const answer = await Promise.race([ask(), tooLate()])
    return { ms: performance.now() - began, answer }
  } catch {
    return undefined
  }
}

/** Each read model against the newest event. */
const laggingOf = (builds: readonly Build[], head: bigint, at: Date): Lagging[] =>
  builds.map(({ name, status, position, lastEventAt }) => {
    const isBehind = position.commit < head
    const since = isBehind && lastEventAt ? at.getTime() - lastEventAt.getTime() : 0
    return {
      projection: name,
      status,
      position: position.commit.toString(),
      lag_seconds: Math.max(0, since) / 1000,
    }
  })

const usedMemory = () => {
  const total_bytes = totalmem()
  const used_bytes = total_bytes - freemem()
  return { total_bytes, used_bytes, process_bytes: process.memoryUsage.rss() }
}

export const createReadings =
  (database: Pool, store: EventStore) => async (): Promise<Readings> => {
    const [[load_1m = 0], cores] = [loadavg(), availableParallelism()]
    const [answered, head, builds] = await Promise.all([
      timed(() => database.query('select 1')),
      timed(() => store.head()),
      timed(() => readBuilds(database)),
    ])
    const newest = head?.answer?.commit ?? 0n
    return {
      cpu: { load_1m, cores },
      memory: usedMemory(),
      database_ms: answered?.ms ?? null,
      event_store_ms: head?.ms ?? null,
      head: head ? newest.toString() : null,
      projections: laggingOf(builds?.answer ?? [], newest, new Date()),
    }
  }
