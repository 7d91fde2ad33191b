import { findCommands } from './catalogue.ts'
import { createHistory, type History } from './histories.ts'

/** Fixed ones, so that every event type is sure to happen; and one more that is new each time. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
const REQUESTS = 5000
/** For a machine that does much else at the same time. */
export const HISTORIES_TIMEOUT_MS = 300_000

/** `LAWS_SEED` replays the one that was new. */
export const freshSeed = Number(process.env.LAWS_SEED ?? Math.floor(Date.now() / 1000) % 1_000_000)

export const createHistories = async (
  seeds: readonly number[] = [...SEEDS, freshSeed],
): Promise<readonly History[]> => {
  const commands = await findCommands()
  const histories: History[] = []
  for (const seed of seeds) histories.push(await createHistory(seed, REQUESTS, commands))
  return histories
}
