import { z } from 'zod'
import { dayAfter, dayInMonth, daysBetween } from './calendar.ts'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { AccountCode, BookId, Day, Identifier, Instant } from './ledger/events.ts'
import { Amount, Asset } from './money.ts'

export const Frequency = z.enum(['once', 'weekly', 'monthly'])
type Frequency = z.infer<typeof Frequency>

/** When an order is due: on its first day and from then on, until a day or so many times. */
export const Recurrence = z.object({
  frequency: Frequency,
  /** The first due date is this day or, of a monthly order, the first of its days after it. */
  starts_on: Day,
  /** Of a monthly order; a month that is shorter has it on its last day. */
  day_of_month: z.int().min(1).max(31).nullable(),
  /** The last day on which it may be due; null: no such day. */
  until: Day.nullable(),
  /** How many due dates there are, also those that were missed; null: no such number. */
  count: z.int().min(1).max(1200).nullable(),
})
export type Recurrence = z.infer<typeof Recurrence>

const inMonthOf = ({ starts_on, day_of_month }: Recurrence, months: number): string =>
  dayInMonth(starts_on, months, day_of_month ?? Number(starts_on.slice(8)))

const nthMonthly = (recurrence: Recurrence, index: number): string => {
  const isPast = inMonthOf(recurrence, 0) < recurrence.starts_on
  return inMonthOf(recurrence, index + (isPast ? 1 : 0))
}

const nth: Readonly<Record<Frequency, (recurrence: Recurrence, index: number) => string | null>> = {
  once: ({ starts_on }, index) => (index === 0 ? starts_on : null),
  weekly: ({ starts_on }, index) => dayAfter(starts_on, 7 * index),
  monthly: nthMonthly,
}

/** The due date after so many before it; null: there is none any more. */
export const dueDateOf = (recurrence: Recurrence, index: number): string | null => {
  const { frequency, until, count } = recurrence
  if (count !== null && index >= count) return null
  const due = nth[frequency](recurrence, index)
  return due === null || (until !== null && due > until) ? null : due
}

const ByOrder = { order: Identifier }
const AtDue = { ...ByOrder, due: Day }
/** The due date after it; null: it was the last one. */
const Next = { next_due: Day.nullable() }

export const standingOrderEvents = {
  StandingOrderPlaced: z.object({
    ...ByOrder,
    book: BookId,
    from: AccountCode,
    to: AccountCode,
    /** Whose accounts they are. */
    from_owner: Identifier,
    to_owner: Identifier,
    amount: Amount,
    asset: Asset,
    description: z.string().max(256),
    ...Recurrence.shape,
    ...Next,
    placed_by: Identifier,
    placed_at: Instant,
  }),
  /** Its payment was asked for: booked, or waiting for a second person. */
  StandingOrderExecuted: z.object({
    ...AtDue,
    payment: Identifier,
    ...Next,
    executed_at: Instant,
  }),
  /** The payment of a due date was refused, and is not tried again. */
  StandingOrderMissed: z.object({
    ...AtDue,
    code: z.string().max(64),
    detail: z.string().max(512),
    ...Next,
    missed_at: Instant,
  }),
  StandingOrderCancelled: z.object({
    ...ByOrder,
    cancelled_by: Identifier,
    cancelled_at: Instant,
  }),
} as const

type StandingOrderEvent = EventOf<typeof standingOrderEvents>
type Data<Type extends keyof typeof standingOrderEvents> = z.infer<
  (typeof standingOrderEvents)[Type]
>
export type StandingOrderPlaced = Data<'StandingOrderPlaced'>

export type StandingOrderState = {
  /** completed: there are no due dates any more. */
  readonly status: 'unknown' | 'active' | 'completed' | 'cancelled'
  readonly order: StandingOrderPlaced | null
  /** How many due dates have been. */
  readonly done: number
  /** The due date that comes; null: none does. */
  readonly nextDue: string | null
}

type Place = Omit<StandingOrderPlaced, 'next_due'> & { readonly today: string }

/** Further ahead, nobody knows what a payment means. */
const MOST_DAYS_AHEAD = 366

const unfitStart = ({ starts_on, today }: Place): Refusal | undefined => {
  const fits = starts_on >= today && daysBetween(today, starts_on) <= MOST_DAYS_AHEAD
  const detail = 'An order begins today or within a year.'
  return fits ? undefined : refuse('STANDING_ORDER_DATES_INVALID', detail, { field: 'starts_on' })
}

const place = (
  _state: StandingOrderState,
  { today, ...order }: Place,
): Decision<StandingOrderEvent> => {
  const unfit = unfitStart({ today, ...order })
  if (unfit) return unfit
  if (order.day_of_month !== null && order.frequency !== 'monthly') {
    const detail = 'Only a monthly order has a day of the month.'
    return refuse('STANDING_ORDER_DATES_INVALID', detail, { field: 'day_of_month' })
  }
  const next_due = dueDateOf(order, 0)
  if (next_due === null) {
    const detail = 'It ends before it is due.'
    return refuse('STANDING_ORDER_DATES_INVALID', detail, { field: 'until' })
  }
  return [{ type: 'StandingOrderPlaced', data: { ...order, next_due } }]
}

const nextOf = ({ order, done }: StandingOrderState): string | null =>
  order && dueDateOf(order, done + 1)

/** Also after somebody cancelled it at the same time: where the money is, nobody can argue with. */
const execute = (
  state: StandingOrderState,
  data: Omit<Data<'StandingOrderExecuted'>, 'next_due'>,
): Decision<StandingOrderEvent> =>
  state.nextDue === data.due
    ? [{ type: 'StandingOrderExecuted', data: { ...data, next_due: nextOf(state) } }]
    : []

const miss = (
  state: StandingOrderState,
  data: Omit<Data<'StandingOrderMissed'>, 'next_due'>,
): Decision<StandingOrderEvent> =>
  state.status === 'active' && state.nextDue === data.due
    ? [{ type: 'StandingOrderMissed', data: { ...data, next_due: nextOf(state) } }]
    : []

const cancel = (
  { status }: StandingOrderState,
  data: Data<'StandingOrderCancelled'>,
): Decision<StandingOrderEvent> =>
  status === 'active'
    ? [{ type: 'StandingOrderCancelled', data }]
    : refuse('STANDING_ORDER_NOT_ACTIVE', `The order is ${status}.`)

const goOn = (state: StandingOrderState, next_due: string | null): StandingOrderState => ({
  ...state,
  done: state.done + 1,
  nextDue: next_due,
  status: state.status === 'active' && next_due === null ? 'completed' : state.status,
})

/** A payment that a customer wants made again and again. */
export const StandingOrder = decider({
  category: 'standing_order',
  schemas: standingOrderEvents,
  initial: (): StandingOrderState => ({
    ...{ status: 'unknown', order: null, done: 0, nextDue: null },
  }),
  evolve: {
    StandingOrderPlaced: (_state, order): StandingOrderState => ({
      ...{ status: 'active', order, done: 0, nextDue: order.next_due },
    }),
    StandingOrderExecuted: (state, { next_due }): StandingOrderState => goOn(state, next_due),
    StandingOrderMissed: (state, { next_due }): StandingOrderState => goOn(state, next_due),
    StandingOrderCancelled: (state): StandingOrderState => ({ ...state, status: 'cancelled' }),
  },
  decide: { place, execute, miss, cancel },
})
