import { setTimeout as wait } from 'node:timers/promises'
import type { Pool } from 'pg'
import { newUlid } from '../commands/ids.ts'
import { execute, type Ports } from '../commands/kernel.ts'
import { expireHolds } from '../commands/ledger/index.ts'
import type { Log } from './log.ts'
import { SYSTEM } from './ports.ts'

const TICK_MS = 1000

/** The clock's own work: ends the holds whose time has come, a second or so after it has. */
export const runSchedule = async (
  ports: Ports,
  database: Pool,
  log: Log,
  signal: AbortSignal,
): Promise<void> => {
  const tick = async (): Promise<void> => {
    const at = ports.clock()
    const { rows } = await database.query<{ book: string }>(
      `select distinct book from holds where status = 'open' and expires_at <= $1`,
      [at],
    )
    for (const { book } of rows) {
      await execute(ports, expireHolds, { book }, { actor: SYSTEM, at, correlation: newUlid() })
    }
  }
  while (!signal.aborted) {
    await tick().catch((error: unknown) => log.error({ error: String(error) }, 'the clock failed'))
    await wait(TICK_MS, undefined, { signal }).catch(() => undefined)
  }
}
