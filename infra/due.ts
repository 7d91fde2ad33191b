/** What time brings about in savings: standing orders and interest, in the order of their days. */
import type { Pool } from 'pg'
import { capitaliseInterest } from '../commands/interest.ts'
import { type Context, execute } from '../commands/kernel.ts'
import type { Ports } from '../commands/ports.ts'
import { carryOutStandingOrder } from '../commands/standing_orders.ts'
import { isRefusal } from '../domain/kernel.ts'
import type { Freshness } from '../projections/freshness.ts'
import { getDayBalances } from '../projections/interest_queries.ts'
import type { Log } from './log.ts'

export type DueOptions = {
  readonly ports: Ports
  readonly database: Pool
  readonly freshness: Freshness
  readonly log: Log
  readonly signal: AbortSignal
}

/** In one look; what is over comes with the next. */
const AT_ONCE = 500
/** Fewer than there are connections to the read models. */
const SIDE_BY_SIDE = 8
const FRESHNESS_TIMEOUT_MS = 20_000

/** Due on a day of its book that has come; the first condition is one that an index knows. */
const isDue = (day: string): string =>
  `${day} <= ($1::timestamptz + interval '1 day')::date
   and ${day} <= ($1::timestamptz at time zone b.time_zone)::date`

type DueOrder = { readonly order: string; readonly due: string }

const placeOf = ({ due, order }: DueOrder): string => `${due} ${order}`

/** Puts an order that is due again where it belongs in the queue. */
const queueAgain = (queue: DueOrder[], again: DueOrder): void => {
  const behind = queue.findIndex((one) => placeOf(one) > placeOf(again))
  queue.splice(behind < 0 ? queue.length : behind, 0, again)
}

/** Active orders with the due date that comes next, the earliest first. */
const dueOrders = async (database: Pool, at: Date): Promise<DueOrder[]> => {
  const { rows } = await database.query<DueOrder>(
    `select s.order_id as "order", s.next_due::text as due
     from standing_orders s join books b on b.book = s.book
     where s.status = 'active' and ${isDue('s.next_due')}
     order by s.next_due, s.order_id limit ${AT_ONCE}`,
    [at],
  )
  return rows
}

/**
 * One due date after another, over all orders, because what one pays in may be what another pays
 * out. An order that is due again at once waits for its next turn in the same queue.
 */
const carryOutOrders = async (
  { ports, database, signal }: DueOptions,
  context: Context,
  before: string | undefined,
): Promise<boolean> => {
  const queue = await dueOrders(database, context.at)
  // Behind what was read there may be others that are due earlier than what an order makes anew.
  const last = queue.length === AT_ONCE ? queue.at(-1)?.due : undefined
  const isInReach = ({ due }: DueOrder): boolean =>
    (before === undefined || due < before) && (last === undefined || due <= last)
  let paid = 0
  for (let next = queue.shift(); next && paid < AT_ONCE; next = queue.shift()) {
    if (!isInReach(next) || signal.aborted) break
    const receipt = await execute(ports, carryOutStandingOrder, { order: next.order }, context)
    // Done before, which the read model had not seen.
    if (isRefusal(receipt)) continue
    paid += 1
    const { order, next_due } = receipt.answer
    if (next_due !== null) queueAgain(queue, { order, due: next_due })
  }
  return paid > 0
}

type DueAccount = { readonly book: string; readonly account: string; readonly due: string }

/** Those whose month is over; a frozen account waits until it is not, a closed one for ever. */
const dueAccounts = async (database: Pool, at: Date): Promise<DueAccount[]> => {
  const { rows } = await database.query<DueAccount>(
    `select i.book, i.account, i.due_on::text as due
     from interest i join books b on b.book = i.book
       join accounts a on a.book = i.book and a.account = i.account and a.status = 'active'
     where ${isDue('i.due_on')} order by i.due_on, i.book, i.account limit ${AT_ONCE}`,
    [at],
  )
  return rows
}

/** The read models as they are behind all that was booked until now. */
const caughtUp = async ({ ports, freshness }: DueOptions): Promise<void> => {
  const position = (await ports.store.head())?.commit ?? 0n
  const read = getDayBalances.reads
  if (await freshness.waitFor(read, position, FRESHNESS_TIMEOUT_MS)) return
  throw new Error('the read models are too far behind')
}

/** Pays an account what its month has borne, and answers whether it did. */
const capitalise = async (
  { ports, database, log }: DueOptions,
  context: Context,
  { book, account }: DueAccount,
): Promise<boolean> => {
  const of = { book, account }
  const asker = { id: context.actor.id, reach: 'all', at: context.at } as const
  const balances = await getDayBalances.run(database, of, asker, ports.vault)
  if (!balances) return false
  const receipt = await execute(ports, capitaliseInterest, { ...of, balances }, context)
  if (!isRefusal(receipt)) return receipt.answer.done
  if (receipt.refused !== 'INTEREST_NOT_DUE') {
    log.error({ ...of, refused: receipt.refused }, 'interest could not be paid')
  }
  return false
}

/** Of one month, over all accounts, some at once: what one is paid is nothing to another. */
const capitaliseAll = async (
  options: DueOptions,
  context: Context,
  due: readonly DueAccount[],
): Promise<boolean> => {
  let isAnyPaid = false
  for (let at = 0; at < due.length && !options.signal.aborted; at += SIDE_BY_SIDE) {
    const some = due.slice(at, at + SIDE_BY_SIDE)
    const paid = await Promise.all(some.map((account) => capitalise(options, context, account)))
    isAnyPaid ||= paid.includes(true)
  }
  return isAnyPaid
}

/**
 * Does what is due, and answers whether there was anything. The interest of a month is that of what
 * standing orders have left, and may be what the next ones pay from. What cannot be paid keeps
 * nothing else from it.
 */
export const carryOutDue = async (options: DueOptions, context: Context): Promise<boolean> => {
  const accounts = await dueAccounts(options.database, context.at)
  if (await carryOutOrders(options, context, accounts[0]?.due)) return true
  if (accounts.length === 0) return false
  await caughtUp(options)
  for (const [, ofMonth] of Map.groupBy(accounts, ({ due }) => due)) {
    if (await capitaliseAll(options, context, ofMonth)) return true
  }
  return carryOutOrders(options, context, undefined)
}
