import { z } from 'zod'
import { dayOf } from '../domain/calendar.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { AccountCode, BookId, Identifier } from '../domain/ledger/events.ts'
import type { Account, Book } from '../domain/ledger/state.ts'
import { Amount } from '../domain/money.ts'
import {
  Recurrence,
  StandingOrder,
  type StandingOrderPlaced,
  type StandingOrderState,
} from '../domain/standing_orders.ts'
import { command, type Enrichment, execute, onExisting } from './kernel.ts'
import { bookAsItStands, dataOf, existingBook } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'
import { carryOutPayment, requestDuePayment } from './payments/index.ts'

const lookAtOrder = (ports: Looking, order: string): Promise<StandingOrderState> =>
  lookAt(ports, StandingOrder, order)

const noAccount = (account: string): Refusal =>
  refuse('ACCOUNT_NOT_FOUND', `There is no account ${account}.`, { account })

type Owned = Account & { readonly owner: string }

/** A customer's account: the bank's own have no standing orders. */
const customersAccount = (book: Book, code: string): Owned | Refusal => {
  const found = book.accounts.get(code)
  if (!found || found.owner === null) return noAccount(code)
  if (found.status === 'closed') {
    return refuse('ACCOUNT_CLOSED', `Account ${code} is closed.`, { account: code })
  }
  return found as Owned
}

type Between = { readonly book: string; readonly from: string; readonly to: string }

const sidesOf = async ({ book, from, to }: Between, { ports, reach, context, at }: Enrichment) => {
  if (from === to) return refuse('SAME_ACCOUNT', `Both are ${from}.`, { account: from })
  const state = await existingBook(ports, book)
  if (isRefusal(state)) return state
  const payer = customersAccount(state, from)
  if (isRefusal(payer)) return payer
  if (reach !== 'all' && payer.owner !== context.actor.id) return noAccount(from)
  const payee = customersAccount(state, to)
  if (isRefusal(payee)) return payee
  if (payee.asset !== payer.asset) return noAccount(to)
  const { asset, owner: from_owner } = payer
  return { asset, from_owner, to_owner: payee.owner, today: dayOf(at, state.timeZone) }
}

const recurring = Recurrence.shape

/** Of a customer's own account, or of anybody's by staff. */
export const placeStandingOrder = command({
  name: 'standing_orders.place',
  permission: 'transfers:post',
  input: z.strictObject({
    ...{ book: BookId, from: AccountCode, to: AccountCode, amount: Amount },
    description: z.string().trim().max(256).default(''),
    ...{ frequency: recurring.frequency, starts_on: recurring.starts_on },
    day_of_month: recurring.day_of_month.default(null),
    ...{ until: recurring.until.default(null), count: recurring.count.default(null) },
  }),
  decider: StandingOrder,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'STANDING_ORDER_EXISTS',
  ifMatch: 'stream',
  enrich: async (input, enrichment) => {
    const sides = await sidesOf(input, enrichment)
    if (isRefusal(sides)) return sides
    const { context, at, newId } = enrichment
    const placed = { placed_by: context.actor.id, placed_at: at }
    return { order: newId(), ...input, ...sides, ...placed }
  },
  decide: StandingOrder.decide.place,
  // Whose account the payee's is, is none of the payer's business.
  answer: (events) => {
    const {
      from_owner: _from,
      to_owner: _to,
      ...placed
    } = dataOf<StandingOrderPlaced>(events, 'StandingOrderPlaced')
    return placed
  },
})

const orderCommand = onExisting({
  decider: StandingOrder,
  field: 'order',
  otherwise: 'STANDING_ORDER_NOT_FOUND',
})
const ByOrder = z.strictObject({ order: Identifier })
const noOrder = (order: string): Refusal =>
  refuse('STANDING_ORDER_NOT_FOUND', `There is no standing order ${order}.`)

/** By its owner or staff. What it has paid before stays paid. */
export const cancelStandingOrder = orderCommand({
  name: 'standing_orders.cancel',
  permission: 'transfers:post',
  input: ByOrder,
  enrich: async ({ order }, { ports, reach, context, at }) => {
    const { order: placed } = await lookAtOrder(ports, order)
    const isOwn = placed?.from_owner === context.actor.id
    if (!placed || (reach !== 'all' && !isOwn)) return noOrder(order)
    return { order, cancelled_by: context.actor.id, cancelled_at: at }
  },
  decide: StandingOrder.decide.cancel,
  answer: (_events, { order }) => ({ order, status: 'cancelled' as const }),
})

type Paid = { readonly order: string; readonly due: string; readonly at: string } & (
  | { readonly payment: string }
  | { readonly refusal: Refusal }
)

/**
 * Asks for the payment of a due date and, unless it waits for a second person, carries it out. Its
 * key makes it the same payment whenever it is asked for, as after a process that ended in between.
 */
const pay = async (
  placed: StandingOrderPlaced,
  due: string,
  { ports, context }: Pick<Enrichment, 'ports' | 'context'>,
): Promise<{ readonly payment: string } | { readonly refusal: Refusal }> => {
  const { order, book, from, to, amount, description, placed_by } = placed
  // Whoever placed it asks for the payment, so that he cannot be the one who approves it.
  const asking = {
    ...{ ...context, ifMatch: undefined, key: `standing_order:${order}:${due}` },
    actor: { id: placed_by, roles: ['system' as const] },
  }
  const asked = { book, from, to, amount, description, due }
  const requested = await execute(ports, requestDuePayment, asked, asking)
  if (isRefusal(requested)) return { refusal: requested }
  const { payment, status } = requested.answer
  if (status === 'pending' || context.dryRun) return { payment }
  const carried = await execute(ports, carryOutPayment, { payment }, { ...context, key: undefined })
  return isRefusal(carried) ? { refusal: carried } : { payment }
}

const record = (state: StandingOrderState, { order, due, at, ...paid }: Paid) => {
  if ('payment' in paid) {
    const { payment } = paid
    return StandingOrder.decide.execute(state, { order, due, payment, executed_at: at })
  }
  const { refused: code, detail } = paid.refusal
  return StandingOrder.decide.miss(state, { order, due, code, detail, missed_at: at })
}

/** Pays what is due, one due date at a time; a refused payment is recorded and not tried again. */
export const carryOutStandingOrder = orderCommand({
  name: 'standing_orders.carry_out',
  permission: 'clock:work',
  input: ByOrder,
  enrich: async ({ order }, enrichment): Promise<Paid | Refusal> => {
    const { ports, at } = enrichment
    const { order: placed, status, nextDue: due } = await lookAtOrder(ports, order)
    if (!placed) return noOrder(order)
    const { timeZone } = (await bookAsItStands(ports, placed.book)).state
    if (status !== 'active' || due === null || due > dayOf(at, timeZone)) {
      return refuse('STANDING_ORDER_NOT_DUE', `The order is ${status}, next due on ${due}.`)
    }
    return { order, due, at, ...(await pay(placed, due, enrichment)) }
  },
  decide: record,
  answer: (events, { order }) => {
    const [event] = events as readonly { data: { next_due: string | null } }[]
    return { order, next_due: event?.data.next_due ?? null }
  },
})
