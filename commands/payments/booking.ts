import type { Refusal } from '../../domain/kernel.ts'
import { pairOf } from '../../domain/ledger/lines.ts'
import type { Posting } from '../../domain/ledger/request.ts'
import {
  legsOf,
  Payment,
  type PaymentKind,
  type PaymentRequest,
  type PaymentState,
} from '../../domain/payments.ts'
import type { Outcome } from '../engine.ts'
import type { Enrichment } from '../kernel.ts'
import { bookOnce } from '../ledger/bookings.ts'
import { type Looking, lookAt } from '../look.ts'
import { openTillOf } from '../tills.ts'

const titles: Readonly<Record<PaymentKind, string>> = {
  deposit: 'Deposit',
  withdrawal: 'Withdrawal',
  transfer: 'Transfer',
  payment: 'Payment',
  repayment: 'Repayment',
  fee: 'Fee',
}

export const lookAtPayment = (ports: Looking, payment: string): Promise<PaymentState> =>
  lookAt(ports, Payment, payment)

export type Bookable = Omit<PaymentRequest, 'number'>

/** The entry has the payment's own id, so that each leads to the other. */
const postingOf = (asked: Bookable, drawer: string | undefined, at: string): Posting => {
  const { payment, kind, channel, from, to, amount, description } = asked
  const { reference, screening, value_date } = asked
  const { debit, credit } = legsOf({ ...asked, drawer })
  return {
    ...{ id: payment, at, kind, reference, screening, value_date },
    description: description === '' ? titles[kind] : description,
    metadata: { payment, channel, ...(from !== null && { from }), ...(to !== null && { to }) },
    lines: pairOf(debit, credit, amount),
  }
}

/**
 * Asks the ledger for a payment's entry. A dry run only says whether it could be booked. Cash goes
 * through the till of the teller who asked for it, if it is open now.
 */
export const bookPayment = async (
  enrichment: Pick<Enrichment, 'ports' | 'context' | 'at'>,
  asked: Bookable,
  dryRun: boolean,
): Promise<Outcome | Refusal> => {
  const isCash = asked.channel === 'counter'
  const drawer = isCash ? await openTillOf(enrichment, asked.requested_by, asked) : undefined
  const booking = {
    book: asked.book,
    key: `payment:${asked.payment}`,
    causation: 'payments.carry_out',
    posting: postingOf(asked, drawer, enrichment.at),
  }
  return bookOnce(enrichment, booking, dryRun)
}
