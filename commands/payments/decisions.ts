import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../../domain/kernel.ts'
import { Identifier } from '../../domain/ledger/events.ts'
import { Payment, type PaymentState } from '../../domain/payments.ts'
import type { RefusalCode } from '../../domain/refusals.ts'
import { onExisting } from '../kernel.ts'
import { bookPayment, lookAtPayment } from './booking.ts'

const paymentCommand = onExisting({
  decider: Payment,
  field: 'payment',
  otherwise: 'PAYMENT_NOT_FOUND',
})
const ByPayment = { payment: Identifier }

/** Lets a payment pass that waits for it; carrying it out comes next. */
export const approvePayment = paymentCommand({
  name: 'payments.approve',
  permission: 'payments:approve',
  input: z.strictObject(ByPayment),
  enrich: ({ payment }, { context, at }) => ({
    ...{ payment, approved_by: context.actor.id, approved_at: at },
  }),
  decide: Payment.decide.approve,
  answer: (_events, { payment }) => ({ payment, status: 'accepted' as const }),
})

export const rejectPayment = paymentCommand({
  name: 'payments.reject',
  permission: 'payments:approve',
  input: z.strictObject({ ...ByPayment, reason: z.string().trim().max(256).default('') }),
  enrich: ({ payment, reason }, { context, at }) => ({
    ...{ payment, reason, rejected_by: context.actor.id, rejected_at: at },
  }),
  decide: Payment.decide.reject,
  answer: (_events, { payment }) => ({ payment, status: 'cancelled' as const }),
})

type Carried = { readonly at: string } & (
  | { readonly done: true; readonly payment: string }
  | { readonly done: false; readonly payment: string; readonly refusal: Refusal }
)

const settle = (state: PaymentState, { payment, at, ...carried }: Carried) => {
  if (carried.done) {
    return Payment.decide.complete(state, { payment, entry: payment, completed_at: at })
  }
  const { refused: code, detail } = carried.refusal
  return Payment.decide.fail(state, { payment, code, detail, failed_at: at })
}

/** What came of it before; undefined: it is still to be carried out. */
const settledBefore = ({ status, failure }: PaymentState): 'completed' | Refusal | undefined => {
  if (status === 'completed') return 'completed'
  if (failure) return refuse(failure.code as RefusalCode, failure.detail)
  return status === 'accepted'
    ? undefined
    : refuse('PAYMENT_NOT_ACCEPTED', 'The payment was not let pass.')
}

/**
 * Has the ledger book a payment that was let pass, and keeps what came of it. Safe to ask for
 * again, as after a process that ended in between: what was settled before is answered.
 */
export const carryOutPayment = paymentCommand({
  name: 'payments.carry_out',
  permission: 'transfers:post',
  input: z.strictObject(ByPayment),
  enrich: async ({ payment }, enrichment): Promise<Carried | Refusal> => {
    const { ports, context, at } = enrichment
    const state = await lookAtPayment(ports, payment)
    if (!state.request) return refuse('PAYMENT_NOT_FOUND', `There is no payment ${payment}.`)
    const before = settledBefore(state)
    if (before === 'completed') return { done: true, payment, at }
    if (before) return before
    const booked = await bookPayment(enrichment, state.request, context.dryRun ?? false)
    if (isRefusal(booked)) return { done: false, payment, at, refusal: booked }
    return { done: true, payment, at }
  },
  decide: settle,
  answer: (_events, { payment }, carried) =>
    carried.done ? { payment, status: 'completed' as const } : carried.refusal,
})
