import { z } from '@hono/zod-openapi'
import { cancelStandingOrder, placeStandingOrder } from '../../commands/standing_orders.ts'
import { Frequency } from '../../domain/standing_orders.ts'
import {
  getStandingOrder,
  listDues,
  listStandingOrders,
  StandingOrderStatus,
} from '../../projections/standing_orders.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Standing orders'
const book = 'main'

const Placed = {
  order: z.string(),
  book: z.string(),
  from: views.Code,
  to: views.Code,
  amount: views.Minor,
  asset: z.string(),
  description: z.string(),
  frequency: Frequency,
  starts_on: z.string(),
  day_of_month: z.int().nullable(),
  until: z.string().nullable(),
  count: z.int().nullable(),
  placed_by: z.string(),
  placed_at: views.Timestamp,
}

const StandingOrder = z
  .object({
    ...Placed,
    status: StandingOrderStatus,
    next_due: z.string().nullable(),
    cancelled_by: z.string().nullable(),
    cancelled_at: views.Timestamp.nullable(),
  })
  .openapi('StandingOrder')

const Due = z
  .object({
    due: z.string(),
    status: z.enum(['executed', 'missed']),
    payment: z.string().nullable(),
    code: z.string().nullable().openapi({ description: 'the code of the refusal' }),
    at: views.Timestamp,
  })
  .openapi('StandingOrderDue')

const rent = {
  ...{ book, from: 'customers:1000-0001-0001', to: 'customers:1000-0001-0002', amount: '2500' },
  ...{ description: 'Savings', frequency: 'monthly', starts_on: '{tomorrow}' },
}
const missing = ['STANDING_ORDER_NOT_FOUND', 'STANDING_ORDER_NOT_ACTIVE'] as const

export const standingOrderRoutes: readonly Route[] = [
  write('post', '/v1/standing-orders', placeStandingOrder, {
    tag,
    summary: "Have an amount paid from a customer's account again and again",
    description:
      'Once, weekly from its first day on, or monthly on a day of the month, in shorter months on ' +
      'their last. Each due date is paid at most once, with that value date. A payment that is ' +
      'refused is recorded as missed and not tried again; from 5,000.00 on it waits for a second ' +
      'person each time.',
    response: z.object({
      ...Placed,
      next_due: z.string(),
    }),
    problems: [
      ...(['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_CLOSED', 'SAME_ACCOUNT'] as const),
      'STANDING_ORDER_DATES_INVALID',
    ],
    example: { body: rent, capture: { standing_order: 'order' } },
    furtherExamples: [
      {
        body: { ...rent, frequency: 'weekly', count: 4 },
        capture: { other_standing_order: 'order' },
      },
    ],
  }),
  read('/v1/standing-orders', listStandingOrders, {
    tag,
    summary: 'List standing orders, newest first',
    response: views.pageOf(StandingOrder, 'StandingOrder'),
    problems: ['BAD_CURSOR'],
    example: { query: { book, status: 'active' } },
  }),
  read('/v1/standing-orders/{order}', getStandingOrder, {
    tag,
    summary: 'Show a standing order',
    response: StandingOrder,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { order: '{standing_order}' } },
  }),
  read('/v1/standing-orders/{order}/due-dates', listDues, {
    tag,
    summary: 'List what became of the due dates of a standing order, newest first',
    response: views.pageOf(Due, 'StandingOrderDue'),
    problems: ['RESOURCE_NOT_FOUND', 'BAD_CURSOR'],
    example: { params: { order: '{standing_order}' } },
  }),
  write('delete', '/v1/standing-orders/{order}', cancelStandingOrder, {
    tag,
    summary: 'Cancel a standing order',
    response: z.object({ order: z.string(), status: z.literal('cancelled') }),
    problems: missing,
    example: { params: { order: '{other_standing_order}' } },
  }),
]
