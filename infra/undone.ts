/** Openings and closures that were approved by a process which ended before it carried them out. */
import type { Pool } from 'pg'
import { carryOutClosure } from '../commands/closures.ts'
import { type Context, execute } from '../commands/kernel.ts'
import { fulfilOpening } from '../commands/openings_decisions.ts'
import type { Ports } from '../commands/ports.ts'
import { findLeftBehind } from './left_behind.ts'

const LEFT = `status = 'accepted' and decided_at <= $1 order by number`

/** Carries out what was left behind, and answers whether there was any. */
export const finishUndone = async (
  { ports, database }: { readonly ports: Ports; readonly database: Pool },
  context: Context,
): Promise<boolean> => {
  const openings = await findLeftBehind<{ opening: string }>(
    database,
    context,
    `select opening from openings where ${LEFT}`,
  )
  for (const left of openings) await execute(ports, fulfilOpening, left, context)
  const closures = await findLeftBehind<{ closure: string }>(
    database,
    context,
    `select closure from closures where ${LEFT}`,
  )
  for (const left of closures) await execute(ports, carryOutClosure, left, context)
  return openings.length + closures.length > 0
}
