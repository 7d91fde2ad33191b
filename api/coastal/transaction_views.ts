import { z } from '@hono/zod-openapi'
import { PaymentKind } from '../../domain/payments.ts'
import type { PaymentView } from '../../projections/payment_queries.ts'
import { instant } from '../formats.ts'
import { Cedis, cedis } from './amounts.ts'

export const Status = z.enum(['pending_approval', 'completed', 'failed', 'cancelled'])
type Status = z.infer<typeof Status>

/** What was let pass and is not booked yet has moved no money either. */
export const statuses: Readonly<Record<Status, readonly PaymentView['status'][]>> = {
  pending_approval: ['pending', 'accepted'],
  completed: ['completed'],
  failed: ['failed'],
  cancelled: ['cancelled'],
}

const statusOf = (status: PaymentView['status']): Status =>
  status === 'pending' || status === 'accepted' ? 'pending_approval' : status

export const Transaction = z
  .object({
    id: z.int(),
    reference: z.string(),
    from_account: z.int().nullable(),
    to_account: z.int().nullable(),
    amount: Cedis,
    transaction_type: PaymentKind,
    status: Status,
    description: z.string(),
    timestamp: z.string(),
    processed_at: z.string().nullable(),
    rejection_reason: z.string().nullable(),
    failure_code: z.string().nullable(),
  })
  .openapi('CoastalTransaction')

/** A payment as the bank's users know it. */
export const transactionOf = (payment: PaymentView) => ({
  id: payment.number,
  reference: payment.reference,
  from_account: payment.from_id,
  to_account: payment.to_id,
  amount: cedis(payment.amount),
  transaction_type: payment.kind,
  status: statusOf(payment.status),
  description: payment.description,
  timestamp: instant(payment.requested_at),
  processed_at: payment.settled_at && instant(payment.settled_at),
  rejection_reason: payment.reason,
  failure_code: payment.failure,
})
