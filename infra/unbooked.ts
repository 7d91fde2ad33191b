import type { Pool } from 'pg'
import { bookCashAdvance } from '../commands/cash_advances.ts'
import { bookCheckDeposit } from '../commands/check_deposits.ts'
import { earnCommission, payOut } from '../commands/commissions.ts'
import { type Context, execute } from '../commands/kernel.ts'
import type { Ports } from '../commands/ports.ts'
import { processRefund } from '../commands/refunds.ts'
import { bookTill } from '../commands/tills.ts'
import { isRefusal } from '../domain/kernel.ts'
import { findLeftBehind } from './left_behind.ts'

const AT_ONCE = 500

type Options = { readonly ports: Ports; readonly database: Pool }

/** One after another. Answers whether there was any that is booked now. */
const bookAll = async <Left>(
  left: readonly Left[],
  book: (one: Left) => Promise<unknown>,
): Promise<boolean> => {
  let booked = 0
  for (const one of left) if (!isRefusal(await book(one))) booked += 1
  return booked > 0
}

/** At once: nothing but the clock books what collecting has earned. */
const earnCommissions = async (options: Options, context: Context): Promise<boolean> => {
  const { rows } = await options.database.query<{ payment: string }>(
    `select payment from commissions where status = 'due' order by payment limit ${AT_ONCE}`,
  )
  return bookAll(rows, (due) => execute(options.ports, earnCommission, due, context))
}

/** Has the ledger book what was decided on and left behind. Answers whether there was any. */
export const bookUnbooked = async (options: Options, context: Context): Promise<boolean> => {
  const { ports, database } = options
  const refunds = await findLeftBehind<{ payment: string; refund: string }>(
    database,
    context,
    `select payment, refund from refunds
       where status = 'approved' and decided_at <= $1 order by number`,
  )
  const advances = await findLeftBehind<{ advance: string }>(
    database,
    context,
    `select advance from cash_advances
       where unbooked is not null and changed_at <= $1 order by number`,
  )
  const checks = await findLeftBehind<{ check: string }>(
    database,
    context,
    `select check_id as "check" from check_deposits
       where unbooked is not null and changed_at <= $1 order by number`,
  )
  const tills = await findLeftBehind<{ teller: string }>(
    database,
    context,
    'select teller from tills where unbooked is not null and changed_at <= $1 order by till',
  )
  const payouts = await findLeftBehind<{ payout: string }>(
    database,
    context,
    `select payout from commission_payouts
       where status = 'ordered' and ordered_at <= $1 order by payout`,
  )
  const done = [
    await earnCommissions(options, context),
    await bookAll(payouts, (left) => execute(ports, payOut, left, context)),
    await bookAll(tills, (left) => execute(ports, bookTill, left, context)),
    await bookAll(refunds, (left) => execute(ports, processRefund, left, context)),
    await bookAll(advances, (left) => execute(ports, bookCashAdvance, left, context)),
    await bookAll(checks, (left) => execute(ports, bookCheckDeposit, left, context)),
  ]
  return done.includes(true)
}
