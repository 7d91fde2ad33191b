import { setTimeout as wait } from 'node:timers/promises'
import type { Ports } from '../commands/ports.ts'
import type { Freshness } from '../projections/freshness.ts'
import type { Log } from './log.ts'

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
