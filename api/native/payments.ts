import { z } from '@hono/zod-openapi'
import {
  approvePayment,
  carryOutPayment,
  openPaymentAccounts,
  rejectPayment,
  requestCounterPayment,
  requestPayment,
} from '../../commands/payments/index.ts'
import { PaymentChannel, PaymentKind } from '../../domain/payments.ts'
import { getPayment, listPayments, PaymentStatus } from '../../projections/payment_queries.ts'
import { tell } from '../contract.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Payments'
const book = 'main'

const Payment = z
  .object({
    payment: z.string(),
    number: z.int(),
    reference: z.string(),
    book: z.string(),
    kind: PaymentKind,
    channel: PaymentChannel,
    from: views.Code.nullable(),
    to: views.Code.nullable(),
    from_id: z.int().nullable(),
    to_id: z.int().nullable(),
    amount: views.Minor,
    asset: z.string(),
    description: z.string(),
    status: PaymentStatus,
    requested_by: z.string(),
    requested_at: views.Timestamp,
    decided_by: z.string().nullable(),
    decided_at: views.Timestamp.nullable(),
    reason: z.string().nullable(),
    failure: z.string().nullable().openapi({ description: 'the code of the refusal' }),
    settled_at: views.Timestamp.nullable(),
  })
  .openapi('Payment')

const Requested = z.object({
  payment: z.string(),
  number: z.int(),
  status: z.enum(['pending', 'accepted', 'completed']),
})

/** Has the ledger book what was let pass; a repetition goes on where the first one ended. */
const carriedOut = (asking: Route): Route => ({
  ...asking,
  run: async (call) => {
    const answer = await asking.run(call)
    const { payment, status } = answer.body as { payment: string; status: string }
    if (call.dryRun || status !== 'accepted') return answer
    // The key and the revision belong to what was asked for, not to what follows.
    const following = { ...call, key: undefined, ifMatch: undefined }
    const receipt = await tell(following, carryOutPayment, { payment })
    return {
      ...answer,
      body: { ...(answer.body as object), ...receipt.answer },
      headers: { ...answer.headers, ...call.services.receiptHeaders(receipt) },
    }
  },
})

const booking = ['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_FROZEN', 'ACCOUNT_CLOSED'] as const
const moving = [...booking, 'INSUFFICIENT_FUNDS', 'VELOCITY_LIMIT', 'TRANSFER_DECLINED'] as const
const deciding = ['PAYMENT_NOT_FOUND', 'PAYMENT_NOT_PENDING', 'MAKER_IS_CHECKER'] as const

const account = 'customers:1000-0001-0001'
const susu = 'customers:2231-0001'
const large = { book, kind: 'payment', from: account, amount: '500000' }

export const paymentRoutes: readonly Route[] = [
  write('post', '/v1/books/{book}/payment-accounts', openPaymentAccounts, {
    tag,
    summary: "Open the bank's own side of payments in an asset",
    description: 'Cash at the counters, what is on its way, repayments, fees, opening balances.',
    response: z.object({
      ...{ book: z.string(), asset: z.string(), counter: views.Code, clearing: views.Code },
      ...{ repayments: views.Code, fees: views.Code },
    }),
    problems: ['BOOK_NOT_FOUND', 'ASSET_UNKNOWN'],
    example: { params: { book }, body: { asset: 'USD/2' } },
    furtherExamples: [{ params: { book }, body: { asset: 'GHS/2' } }],
  }),
  carriedOut(
    write('post', '/v1/counter-payments', requestCounterPayment, {
      tag,
      summary: 'Take cash in over the counter, or pay it out',
      response: Requested,
      problems: moving,
      example: { body: { book, kind: 'deposit', account, amount: '10000' } },
      furtherExamples: [
        { body: { book, kind: 'deposit', account: susu, amount: '400000' } },
        { body: { book, kind: 'deposit', account: susu, amount: '400000' } },
      ],
    }),
  ),
  carriedOut(
    write('post', '/v1/payments', requestPayment, {
      tag,
      summary: "Move money of a customer's account",
      description:
        'From 5,000.00 on, and where the risk gate says so, it waits (`pending`) until somebody ' +
        'else approves it, and no money moves before.',
      response: Requested,
      problems: [...moving, 'PAYMENT_PARTIES_UNFIT', 'SAME_ACCOUNT'],
      example: { body: { book, kind: 'fee', from: account, amount: '250' } },
      furtherExamples: [
        { body: large, capture: { pending_payment: 'payment' } },
        { body: large, capture: { other_pending_payment: 'payment' } },
        { body: { ...large, from: susu }, capture: { coastal_pending: 'number' } },
        { body: { ...large, from: susu }, capture: { coastal_other_pending: 'number' } },
      ],
    }),
  ),
  read('/v1/payments', listPayments, {
    tag,
    summary: 'List payments, newest first',
    response: views.pageOf(Payment, 'Payment'),
    problems: ['BAD_CURSOR'],
    example: { query: { book, status: 'pending' } },
  }),
  read('/v1/payments/{payment}', getPayment, {
    tag,
    summary: 'Show a payment',
    response: Payment,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { payment: '{pending_payment}' } },
  }),
  carriedOut(
    write('post', '/v1/payments/{payment}/approve', approvePayment, {
      tag,
      summary: 'Let a payment pass; never by whoever asked for it, or whose account it is',
      description: 'It is checked again: what the ledger refuses now has failed.',
      status: 200,
      response: Requested.omit({ number: true }),
      problems: [...deciding, ...moving],
      example: { params: { payment: '{pending_payment}' }, body: {}, by: 'another' },
    }),
  ),
  write('post', '/v1/payments/{payment}/reject', rejectPayment, {
    tag,
    summary: 'Cancel a payment that waits; never by whoever asked for it, or whose account it is',
    status: 200,
    response: z.object({ payment: z.string(), status: z.literal('cancelled') }),
    problems: deciding,
    example: {
      params: { payment: '{other_pending_payment}' },
      body: { reason: 'The customer did not ask for it' },
      by: 'another',
    },
  }),
]
