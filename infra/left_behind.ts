import { setTimeout as wait } from 'node:timers/promises'
import type { Pool } from 'pg'
import type { Context } from '../commands/kernel.ts'
import type { Ports } from '../commands/ports.ts'
import type { Freshness } from '../projections/freshness.ts'
import type { Log } from './log.ts'

/** Whoever was to go on with a thing has ended, when nothing has come of it so long after. */
const LEFT_BEHIND_MS = 10_000
const AT_ONCE = 500

/**
 * By a read model: what was decided so long ago, and nobody went on with. `$1` in the text, which
 * has no limit of its own, is the time up to which that is so.
 */
export const findLeftBehind = async <Left extends object>(
  database: Pool,
  { at }: Pick<Context, 'at'>,
  text: string,
): Promise<readonly Left[]> => {
  const by = new Date(at.getTime() - LEFT_BEHIND_MS)
  return (await database.query<Left>(`${text} limit ${AT_ONCE}`, [by])).rows
}

export type Finding = {
  readonly ports: Pick<Ports, 'store'>
  readonly freshness: Freshness
  readonly log: Log
  readonly signal: AbortSignal
}

const FRESHNESS_TIMEOUT_MS = 20_000
const PAUSE_MS = 1000

/**
 * Goes on with what an earlier process was asked for and did not do, once a read model shows all
 * that had been asked for by now. A failure is logged: what is left stays for the next start.
 */
export const goOnWith = (
  projection: string,
  { ports, freshness, log, signal }: Finding,
  goOn: () => Promise<void>,
): void => {
  const run = async (): Promise<void> => {
    const position = (await ports.store.head())?.commit ?? 0n
    while (!(await freshness.waitFor([projection], position, FRESHNESS_TIMEOUT_MS))) {
      await wait(PAUSE_MS, undefined, { signal })
    }
    if (!signal.aborted) await goOn()
  }
  run().catch((error: unknown) => {
    if (signal.aborted) return
    log.error({ projection, error: String(error) }, 'what an earlier process left was not done')
  })
}
