import type { Pool } from 'pg'
import { bookCashAdvance } from '../commands/cash_advances.ts'
import { bookCheckDeposit } from '../commands/check_deposits.ts'
import { type Context, execute } from '../commands/kernel.ts'
import type { Ports } from '../commands/ports.ts'
import { processRefund } from '../commands/refunds.ts'

const AT_ONCE = 500

/** Whoever was to have the ledger book it has ended, when it is not booked so long after. */
const LEFT_BEHIND_MS = 10_000

type Options = { readonly ports: Ports; readonly database: Pool }

const processRefunds = async ({ ports, database }: Options, context: Context, by: Date) => {
  const { rows } = await database.query<{ payment: string; refund: string }>(
    `select payment, refund from refunds where status = 'approved' and decided_at <= $1
       order by number limit ${AT_ONCE}`,
    [by],
  )
  for (const left of rows) await execute(ports, processRefund, left, context)
  return rows.length > 0
}

const bookCashAdvances = async ({ ports, database }: Options, context: Context, by: Date) => {
  const { rows } = await database.query<{ advance: string }>(
    `select advance from cash_advances where unbooked is not null and changed_at <= $1
       order by number limit ${AT_ONCE}`,
    [by],
  )
  for (const left of rows) await execute(ports, bookCashAdvance, left, context)
  return rows.length > 0
}

const bookCheckDeposits = async ({ ports, database }: Options, context: Context, by: Date) => {
  const { rows } = await database.query<{ check: string }>(
    `select check_id as "check" from check_deposits where unbooked is not null
       and changed_at <= $1 order by number limit ${AT_ONCE}`,
    [by],
  )
  for (const left of rows) await execute(ports, bookCheckDeposit, left, context)
  return rows.length > 0
}

/** Has the ledger book what was decided on and left behind. Answers whether there was any. */
export const bookUnbooked = async (options: Options, context: Context): Promise<boolean> => {
  const by = new Date(context.at.getTime() - LEFT_BEHIND_MS)
  const refunds = await processRefunds(options, context, by)
  const advances = await bookCashAdvances(options, context, by)
  return (await bookCheckDeposits(options, context, by)) || advances || refunds
}
