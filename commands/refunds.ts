import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { pairOf } from '../domain/ledger/lines.ts'
import type { Posting } from '../domain/ledger/request.ts'
import { Amount } from '../domain/money.ts'
import { legsOf, type PaymentRequest } from '../domain/payments.ts'
import { Refund, RefundReason, type RefundRequest, type RefundState } from '../domain/refunds.ts'
import type { RefusalCode } from '../domain/refusals.ts'
import type { Outcome } from './engine.ts'
import { command, type Enrichment, onExisting, takeNumber } from './kernel.ts'
import { bookOnce, ifBookable } from './ledger/bookings.ts'
import { bookAsItStands, dataOf } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'
import { lookAtPayment } from './payments/booking.ts'
import { sealText } from './texts.ts'

const lookAtRefund = async (
  ports: Looking,
  { payment, refund }: { readonly payment: string; readonly refund: string },
) => (await lookAt(ports, Refund, payment)).refunds[refund]

type Booked = Pick<
  RefundRequest,
  'payment' | 'refund' | 'book' | 'debit' | 'credit' | 'amount' | 'payment_amount'
>

/** The entry has the refund's own id; one of the whole payment takes the payment's entry back. */
const postingOf = (asked: Booked, at: string): Posting => {
  const { payment, refund, debit, credit, amount, payment_amount } = asked
  return {
    ...{ id: refund, at, kind: 'refund', description: 'Refund' },
    metadata: { refund, payment },
    lines: pairOf(debit, credit, amount),
    ...(amount === payment_amount && { reverses: payment }),
  }
}

/** Asks the ledger for a refund's entry. A dry run only says whether it could be booked. */
const bookRefund = async (
  enrichment: Pick<Enrichment, 'ports' | 'context' | 'at'>,
  asked: Booked,
  dryRun: boolean,
): Promise<Outcome | Refusal> => {
  const { book, payment, refund } = asked
  const { state } = await bookAsItStands(enrichment.ports, book)
  const reversal = state.reversals.get(payment)
  if (reversal !== undefined && reversal !== refund) {
    return refuse('ENTRY_REVERSED', 'The payment was taken back already.', { reversal })
  }
  const posting = postingOf(asked, enrichment.at)
  const booking = { book, key: `refund:${refund}`, causation: 'refunds.process', posting }
  return bookOnce(enrichment, booking, dryRun)
}

const noPayment = (payment: string): Refusal =>
  refuse('PAYMENT_NOT_FOUND', `There is no payment ${payment}.`)

/** What may be given back: what has been booked. */
const refundable = async (
  payment: string,
  { ports }: Pick<Enrichment, 'ports'>,
): Promise<PaymentRequest | Refusal> => {
  const { status, request } = await lookAtPayment(ports, payment)
  if (!request) return noPayment(payment)
  return status === 'completed'
    ? request
    : refuse('PAYMENT_NOT_REFUNDABLE', 'Only a payment that is completed can be refunded.')
}

const RequestRefund = z.strictObject({
  payment: Identifier,
  amount: Amount,
  reason: RefundReason,
  description: z.string().trim().max(500).default(''),
})

const prepare = async (
  { amount, reason, description }: z.infer<typeof RequestRefund>,
  paid: PaymentRequest,
  enrichment: Enrichment,
): Promise<RefundRequest> => {
  const { context, at, newId } = enrichment
  const { payment, book, asset, from_owner, to_owner } = paid
  const { debit, credit } = legsOf(paid)
  const subject = from_owner ?? to_owner
  if (subject === null) throw new Error(`payment ${payment} is nobody's`)
  return {
    ...{ payment, refund: newId('refund'), number: await takeNumber(enrichment, 'refunds') },
    ...{ book, amount, asset, payment_amount: paid.amount, from_owner, to_owner },
    ...{ debit: credit, credit: debit, reason, subject },
    description: await sealText(enrichment, subject, description),
    ...{ requested_by: context.actor.id, requested_at: at },
  }
}

/** Of a payment that is completed; somebody else decides about it. */
export const requestRefund = command({
  name: 'refunds.request',
  permission: 'refunds:request',
  input: RequestRefund,
  decider: Refund,
  stream: ({ payment }) => payment,
  on: 'any',
  otherwise: 'PAYMENT_NOT_FOUND',
  ifMatch: 'values',
  enrich: async (input, enrichment): Promise<RefundRequest | Refusal> => {
    const paid = await refundable(input.payment, enrichment)
    return isRefusal(paid) ? paid : prepare(input, paid, enrichment)
  },
  decide: Refund.decide.request,
  answer: (events) => {
    const { payment, refund, number } = dataOf<RefundRequest>(events, 'RefundRequested')
    return { payment, refund, number, status: 'pending' as const }
  },
})

const refundCommand = onExisting({
  decider: Refund,
  field: 'payment',
  otherwise: 'REFUND_NOT_FOUND',
  ifMatch: 'values',
})
const ByRefund = { payment: Identifier, refund: Identifier }

/** What comes of booking it now; nothing is booked. */
const tryRefund = async (
  enrichment: Enrichment,
  ids: { readonly payment: string; readonly refund: string },
): Promise<Outcome | Refusal | undefined> => {
  const known = await lookAtRefund(enrichment.ports, ids)
  return known && bookRefund(enrichment, known.request, true)
}

/**
 * Lets a refund pass that waits for it; having the ledger book it comes next. One that could not be
 * booked now goes on waiting.
 */
export const approveRefund = refundCommand({
  name: 'refunds.approve',
  permission: 'payments:approve',
  input: z.strictObject(ByRefund),
  enrich: async ({ payment, refund }, enrichment) => ({
    approval: {
      ...{ payment, refund, approved_by: enrichment.context.actor.id },
      approved_at: enrichment.at,
    },
    tried: await tryRefund(enrichment, { payment, refund }),
  }),
  decide: (state: RefundState, { approval, tried }) =>
    ifBookable(Refund.decide.approve(state, approval), tried),
  answer: (_events, { payment, refund }) => ({ payment, refund, status: 'approved' as const }),
})

export const rejectRefund = refundCommand({
  name: 'refunds.reject',
  permission: 'payments:approve',
  input: z.strictObject({ ...ByRefund, reason: z.string().trim().max(256).default('') }),
  enrich: async ({ payment, refund, reason }, enrichment) => {
    const known = await lookAtRefund(enrichment.ports, { payment, refund })
    const { context, at } = enrichment
    return {
      ...{ payment, refund, rejected_by: context.actor.id, rejected_at: at },
      reason: known ? await sealText(enrichment, known.request.subject, reason) : '',
    }
  },
  decide: Refund.decide.reject,
  answer: (_events, { payment, refund }) => ({ payment, refund, status: 'rejected' as const }),
})

type Carried = {
  readonly payment: string
  readonly refund: string
  readonly at: string
  /** What the ledger said no with. */
  readonly refusal: Refusal | null
}

const settle = (state: RefundState, { at, refusal, ...ids }: Carried) =>
  refusal === null
    ? Refund.decide.complete(state, { ...ids, entry: ids.refund, processed_at: at })
    : Refund.decide.fail(state, {
        ...{ ...ids, code: refusal.refused, detail: refusal.detail, failed_at: at },
      })

/**
 * Has the ledger book a refund that was approved, and keeps what came of it. Safe to ask for again,
 * as after a process that ended in between: what was settled before is answered.
 */
export const processRefund = refundCommand({
  name: 'refunds.process',
  permission: 'payments:approve',
  input: z.strictObject(ByRefund),
  enrich: async (ids, enrichment): Promise<Carried | Refusal> => {
    const { ports, context, at } = enrichment
    const known = await lookAtRefund(ports, ids)
    if (!known) return refuse('REFUND_NOT_FOUND', `There is no refund ${ids.refund}.`)
    const { status, request, failure } = known
    if (failure) return refuse(failure.code as RefusalCode, failure.detail)
    if (status === 'processed') return { ...ids, at, refusal: null }
    if (status !== 'approved') {
      return refuse('REFUND_NOT_APPROVED', `The refund is ${status}, it was not let pass.`)
    }
    const booked = await bookRefund(enrichment, request, context.dryRun ?? false)
    return { ...ids, at, refusal: isRefusal(booked) ? booked : null }
  },
  decide: settle,
  answer: (_events, { payment, refund }, { refusal }) =>
    refusal ?? { payment, refund, status: 'processed' as const },
})
