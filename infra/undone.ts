/** Openings and closures that were approved by a process which ended before it carried them out. */
import type { Pool } from 'pg'
import { carryOutClosure } from '../commands/closures.ts'
import { type Context, execute } from '../commands/kernel.ts'
import { fulfilOpening } from '../commands/openings_decisions.ts'
import type { Ports } from '../commands/ports.ts'

const AT_ONCE = 500

/** Whoever was to do it has ended, when it is not done so long after. */
const LEFT_BEHIND_MS = 10_000

const LEFT = `status = 'accepted' and decided_at <= $1 order by number limit ${AT_ONCE}`

/** Carries out what was left behind, and answers whether there was any. */
export const finishUndone = async (
  { ports, database }: { readonly ports: Ports; readonly database: Pool },
  context: Context,
): Promise<boolean> => {
  const by = [new Date(context.at.getTime() - LEFT_BEHIND_MS)]
  const openings = await database.query<{ opening: string }>(
    `select opening from openings where ${LEFT}`,
    by,
  )
  for (const left of openings.rows) await execute(ports, fulfilOpening, left, context)
  const closures = await database.query<{ closure: string }>(
    `select closure from closures where ${LEFT}`,
    by,
  )
  for (const left of closures.rows) await execute(ports, carryOutClosure, left, context)
  return openings.rows.length + closures.rows.length > 0
}
