/** What time brings about in loans: instalments that are not paid, and what was left behind. */
import type { Pool } from 'pg'
import { type Context, execute } from '../commands/kernel.ts'
import { ageLoan, carryOutLoan } from '../commands/loans/index.ts'
import type { Ports } from '../commands/ports.ts'
import { isRefusal } from '../domain/kernel.ts'
import { findLeftBehind } from './left_behind.ts'

type LoanOptions = { readonly ports: Ports; readonly database: Pool }

const AT_ONCE = 500

const bookLeftBehind = async ({ ports, database }: LoanOptions, context: Context) => {
  const left = await findLeftBehind<{ loan: string; step: string }>(
    database,
    context,
    'select loan, step from loans where step_since <= $1 order by number',
  )
  for (const one of left) await execute(ports, carryOutLoan, one, context)
  return left.length > 0
}

const recordArrears = async ({ ports, database }: LoanOptions, context: Context) => {
  const { rows } = await database.query<{ loan: string }>(
    `select l.loan from loans l join books b on b.book = l.book
     where l.next_check_on <= ($1::timestamptz + interval '1 day')::date
       and l.next_check_on <= ($1::timestamptz at time zone b.time_zone)::date
     order by l.next_check_on, l.number limit ${AT_ONCE}`,
    [context.at],
  )
  let recorded = 0
  for (const due of rows) {
    const receipt = await execute(ports, ageLoan, due, context)
    // Nothing, where the read model has not seen what was recorded before.
    if (!isRefusal(receipt)) recorded += receipt.answer.recorded
  }
  return recorded > 0
}

/** Does what is due, by the read model, and answers whether there was anything. */
export const workOnLoans = async (options: LoanOptions, context: Context): Promise<boolean> => {
  const booked = await bookLeftBehind(options, context)
  return (await recordArrears(options, context)) || booked
}
