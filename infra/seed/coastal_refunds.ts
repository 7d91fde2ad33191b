/** Refunds of a savings bank: for tests of the coastal contract. */
import { z } from 'zod'
import { execute } from '../../commands/kernel.ts'
import { lookAtPayment } from '../../commands/payments/booking.ts'
import {
  approveRefund,
  processRefund,
  rejectRefund,
  requestRefund,
} from '../../commands/refunds.ts'
import { isRefusal } from '../../domain/kernel.ts'
import type { Role } from '../../domain/permissions.ts'
import { RefundReason } from '../../domain/refunds.ts'
import { SeedRefused } from './ask.ts'
import type { Sowing } from './coastal.ts'
import { Cedis, missing, Ref } from './coastal_money.ts'
import type { Refs } from './machine.ts'

export const GivenRefund = z.strictObject({
  ref: Ref,
  /** The ref of a transaction. */
  transaction: Ref,
  amount: Cedis,
  reason: RefundReason.default('other'),
  description: z.string().max(500).default(''),
  /** One that is approved is paid back at once, as the bank does it. */
  status: z.enum(['pending', 'approved', 'processed', 'rejected']).default('pending'),
  /** The ref of a user; absent: whoever asked for the transaction. */
  submitted_by: Ref.optional(),
})
type GivenRefund = z.infer<typeof GivenRefund>

const requestOf = async ({ ports, at }: Sowing, given: GivenRefund, refs: Refs) => {
  const { transaction, amount, reason, description, submitted_by } = given
  const payment = refs[transaction]?.payment
  if (payment === undefined) throw missing('refunds', transaction)
  const user = submitted_by === undefined ? undefined : refs[submitted_by]?.user
  if (submitted_by !== undefined && user === undefined) throw missing('refunds', submitted_by)
  const { request } = await lookAtPayment(ports, String(payment))
  const id = String(user ?? request?.requested_by)
  const context = { actor: { id, roles: ['manager'] as Role[] }, at, correlation: 'given' }
  const asked = { payment: String(payment), amount, reason, description }
  const receipt = await execute(ports, requestRefund, asked, context)
  if (isRefusal(receipt)) throw new SeedRefused('refunds', receipt)
  return receipt.answer
}

/** Brings them about through commands, one after another. Throws SeedRefused. */
export const seedRefunds = async (
  sowing: Sowing,
  given: readonly GivenRefund[],
  refs: Refs,
): Promise<Refs> => {
  const { ask, at } = sowing
  const seeded: Record<string, Refs[string]> = {}
  for (const one of given) {
    const { payment, refund, number } = await requestOf(sowing, one, refs)
    if (one.status === 'rejected') await ask(undefined, rejectRefund, { payment, refund }, at)
    if (one.status === 'approved' || one.status === 'processed') {
      await ask(undefined, approveRefund, { payment, refund }, at)
      await ask(undefined, processRefund, { payment, refund }, at)
    }
    seeded[one.ref] = { id: number }
  }
  return seeded
}
