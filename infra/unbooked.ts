import type { Pool } from 'pg'
import { type Context, execute } from '../commands/kernel.ts'
import type { Ports } from '../commands/ports.ts'
import { processRefund } from '../commands/refunds.ts'

const AT_ONCE = 500

/** Whoever was to have the ledger book it has ended, when it is not booked so long after. */
const LEFT_BEHIND_MS = 10_000

/** Has the ledger book what was decided on and left behind. Answers whether there was any. */
export const bookUnbooked = async (
  { ports, database }: { readonly ports: Ports; readonly database: Pool },
  context: Context,
): Promise<boolean> => {
  const { rows } = await database.query<{ payment: string; refund: string }>(
    `select payment, refund from refunds where status = 'approved' and decided_at <= $1
       order by number limit ${AT_ONCE}`,
    [new Date(context.at.getTime() - LEFT_BEHIND_MS)],
  )
  for (const left of rows) await execute(ports, processRefund, left, context)
  return rows.length > 0
}
