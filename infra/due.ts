/** What time brings about in savings: standing orders and interest, in the order of their days. */
import type { Pool } from 'pg'
import { type Context, execute } from '../commands/kernel.ts'
import type { Ports } from '../commands/ports.ts'
import { carryOutStandingOrder } from '../commands/standing_orders.ts'
import { isRefusal } from '../domain/kernel.ts'

export type DueOptions = { readonly ports: Ports; readonly database: Pool }

/** In one look; what is over comes with the next. */
const AT_ONCE = 500

/** The day of a book, of which it is asked what is due by then. */
const TODAY = `($1::timestamptz at time zone b.time_zone)::date`

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
     where s.status = 'active' and s.next_due <= ($1::timestamptz + interval '1 day')::date
       and s.next_due <= ${TODAY}
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
  { ports, database }: DueOptions,
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
    if (!isInReach(next)) break
    const receipt = await execute(ports, carryOutStandingOrder, { order: next.order }, context)
    // Done before, which the read model had not seen.
    if (isRefusal(receipt)) continue
    paid += 1
    const { order, next_due } = receipt.answer
    if (next_due !== null) queueAgain(queue, { order, due: next_due })
  }
  return paid > 0
}

/** Does what is due, and answers whether there was anything. */
export const carryOutDue = (options: DueOptions, context: Context): Promise<boolean> =>
  carryOutOrders(options, context, undefined)
