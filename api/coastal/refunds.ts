import { z } from '@hono/zod-openapi'
import {
  approveRefund,
  processRefund,
  rejectRefund,
  requestRefund,
} from '../../commands/refunds.ts'
import { RefundReason } from '../../domain/refunds.ts'
import { findPayment } from '../../projections/payment_queries.ts'
import {
  findRefund,
  pageRefunds,
  RefundStatus,
  type RefundView,
} from '../../projections/refunds.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import { invalidField, ProblemError } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { ADMIN, afterwards, found, kept, noSuch, STAFF } from './accounts.ts'
import { Cedis, cedis, GivenAmount, GivenId } from './amounts.ts'
import { masks } from './masking.ts'
import { seesPersonal } from './views.ts'

const tag = 'Refunds'
const PAGE_SIZE = 20
const MOST = 100

const Refund = z
  .object({
    id: z.int(),
    transaction: z.int(),
    amount: Cedis,
    reason: RefundReason,
    description: z.string(),
    status: RefundStatus,
    submitted_by: z.int().nullable(),
    reviewed_by: z.int().nullable(),
    rejection_reason: z.string(),
    failure_code: z.string().nullable(),
    created_at: z.string(),
    reviewed_at: z.string().nullable(),
    processed_at: z.string().nullable(),
  })
  .openapi('CoastalRefund')

/** What was said is masked below managers, but for whoever said it and whose money it is. */
const shownTo = ({ identity }: Call) => {
  const textOf = (refund: RefundView, text: string | null): string => {
    const parties = [refund.requested_by, refund.from_owner, refund.to_owner]
    const shown = seesPersonal(identity) || parties.includes(identity.id)
    return shown ? (text ?? '') : masks.text(text ?? '')
  }
  return (refund: RefundView): z.infer<typeof Refund> => ({
    id: refund.number,
    transaction: refund.payment_number,
    amount: cedis(refund.amount),
    reason: refund.reason,
    description: textOf(refund, refund.description),
    status: refund.status,
    submitted_by: refund.requested_by_number,
    reviewed_by: refund.decided_by_number,
    rejection_reason: textOf(refund, refund.rejection),
    failure_code: refund.failure,
    created_at: instant(refund.requested_at),
    reviewed_at: refund.decided_at && instant(refund.decided_at),
    processed_at:
      refund.status === 'processed' && refund.settled_at ? instant(refund.settled_at) : null,
  })
}

const look = (call: Call, number: number): Promise<RefundView> =>
  ask(call, findRefund, { ...kept, number })

const Request = z.object({
  transaction: GivenId,
  amount: GivenAmount,
  reason: RefundReason,
  description: z.string().trim().max(500).default(''),
})

const request = async (call: Call<z.infer<typeof Request>>) => {
  const { transaction: number, ...asked } = call.input
  const paid = await found(ask(call, findPayment, { ...kept, number }))
  if (!paid) throw new ProblemError(invalidField('transaction', noSuch(number)))
  const { answer } = await tell(call, requestRefund, { payment: paid.payment, ...asked })
  return { body: shownTo(call)(await look(afterwards(call), answer.number)) }
}

const Listing = z.object({
  status: RefundStatus.optional(),
  reason: RefundReason.optional(),
  transaction: GivenId.optional(),
  ...numberedPaging(PAGE_SIZE, MOST),
})

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const { transaction: payment_number, ...asked } = call.input
  const filters = { ...kept, ...asked, ...(payment_number !== undefined && { payment_number }) }
  const page = await ask(call, pageRefunds, filters)
  return { body: numberedPage(call, call.input, page, shownTo(call)) }
}

const ById = z.object({ id: GivenId })

/** The answer says what was decided; that the money is back too is seen by looking again. */
const approve = async (call: Call<z.infer<typeof ById>>) => {
  const { payment, refund, number } = await look(call, call.input.id)
  const { answer } = await tell(call, approveRefund, { payment, refund })
  // The key belongs to the request, not to what follows.
  await tell({ ...call, key: undefined }, processRefund, { payment, refund })
  const approved = await look(afterwards(call), number)
  return { body: { ...shownTo(call)(approved), status: answer.status } }
}

const Rejection = ById.extend({ reason: z.string().trim().max(256).default('') })

const reject = async (call: Call<z.infer<typeof Rejection>>) => {
  const { payment, refund, number } = await look(call, call.input.id)
  await tell(call, rejectRefund, { payment, refund, reason: call.input.reason })
  return { body: shownTo(call)(await look(afterwards(call), number)) }
}

const deciding = ['RESOURCE_NOT_FOUND', 'REFUND_NOT_PENDING', 'MAKER_IS_CHECKER'] as const

export const refundRoutes: readonly Route[] = [
  route('post', '/api/banking/refunds/', 'refunds:request', {
    tag,
    summary: 'Ask for a transaction to be refunded, whole or in part',
    description:
      'By managers and those above. No money moves before another of them has approved it.',
    status: 201,
    input: Request,
    response: Refund,
    problems: ['PAYMENT_NOT_REFUNDABLE', 'REFUND_EXCEEDS_PAYMENT'],
    example: {
      ...STAFF,
      body: {
        ...{ transaction: '{coastal_transaction}', amount: '10.50' },
        ...{ reason: 'duplicate_charge', description: 'Charged twice' },
      },
      capture: { coastal_refund: 'id' },
    },
    furtherExamples: [
      {
        ...STAFF,
        body: { transaction: '{coastal_transaction}', amount: 5, reason: 'other' },
        capture: { coastal_other_refund: 'id' },
      },
    ],
    run: request,
  }),
  route('get', '/api/banking/refunds/', 'entries:read', {
    tag,
    summary: 'List refunds: staff see all, customers those of their transactions',
    input: Listing,
    response: numberedPageOf(Refund, 'CoastalRefund'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, query: { status: 'pending' } },
    run: list,
  }),
  route('get', '/api/banking/refunds/{id}/', 'entries:read', {
    tag,
    summary: 'Show a refund',
    input: ById,
    response: Refund,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, params: { id: '{coastal_refund}' } },
    run: async (call) => ({ body: shownTo(call)(await look(call, call.input.id)) }),
  }),
  route('post', '/api/banking/refunds/{id}/approve/', 'payments:approve', {
    tag,
    summary:
      'Approve a refund and pay it back: never by whoever asked for it, or whose money it is',
    description: 'What cannot be paid back now goes on waiting.',
    input: ById,
    response: Refund,
    problems: [...deciding, 'INSUFFICIENT_FUNDS', 'ACCOUNT_FROZEN', 'ACCOUNT_CLOSED'],
    example: { ...ADMIN, params: { id: '{coastal_refund}' }, body: {} },
    run: approve,
  }),
  route('post', '/api/banking/refunds/{id}/reject/', 'payments:approve', {
    tag,
    summary: 'Reject a refund: never by whoever asked for it, or whose money it is',
    input: Rejection,
    response: Refund,
    problems: deciding,
    example: {
      ...{ ...ADMIN, params: { id: '{coastal_other_refund}' } },
      body: { reason: 'It was charged once' },
    },
    run: reject,
  }),
]
