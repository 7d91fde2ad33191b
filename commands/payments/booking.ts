import type { Refusal } from '../../domain/kernel.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { Posting } from '../../domain/ledger/request.ts'
import type { Book } from '../../domain/ledger/state.ts'
import {
  legsOf,
  Payment,
  type PaymentKind,
  type PaymentRequest,
  type PaymentState,
} from '../../domain/payments.ts'
import type { Outcome } from '../engine.ts'
import type { Enrichment } from '../kernel.ts'
import type { Ports } from '../ports.ts'

const titles: Readonly<Record<PaymentKind, string>> = {
  deposit: 'Deposit',
  withdrawal: 'Withdrawal',
  transfer: 'Transfer',
  payment: 'Payment',
  repayment: 'Repayment',
  fee: 'Fee',
}

export const lookAtPayment = async (
  { engine }: Pick<Ports, 'engine'>,
  payment: string,
): Promise<PaymentState> =>
  (await engine.look(Payment, `${Payment.category}-${payment}`)).state as PaymentState

export type Bookable = Omit<PaymentRequest, 'number'>

/** The entry has the payment's own id, so that each leads to the other. */
const postingOf = (asked: Bookable, at: string): Posting => {
  const { payment, kind, channel, from, to, amount, description, reference, screening } = asked
  const { debit, credit } = legsOf(asked)
  return {
    ...{ id: payment, at, kind, reference, screening },
    description: description === '' ? titles[kind] : description,
    metadata: { payment, channel, ...(from !== null && { from }), ...(to !== null && { to }) },
    lines: [
      { account: debit, direction: 'debit', amount },
      { account: credit, direction: 'credit', amount },
    ],
  }
}

/**
 * Asks the ledger for a payment's entry, under a key of its own: however often, and by whomever it
 * is asked for, it is booked once. A dry run only says whether it could be.
 */
export const bookPayment = (
  { ports, context, at }: Pick<Enrichment, 'ports' | 'context' | 'at'>,
  asked: Bookable,
  dryRun: boolean,
): Promise<Outcome | Refusal> => {
  const key = `payment:${asked.payment}`
  const posting = postingOf(asked, at)
  return ports.engine.submit(Ledger, `${Ledger.category}-${asked.book}`, {
    // Whose accounts they are was looked at before; the bank's own side is nobody's.
    decide: (book) => Ledger.decide.post(book as Book, { posting, poster: { owner: null } }),
    expect: 'existing',
    otherwise: 'BOOK_NOT_FOUND',
    revision: undefined,
    metadata: {
      ...{ command: key, digest: key, causation: 'payments.carry_out', schema: '1' },
      ...{ correlation: context.correlation, actor: context.actor.id },
    },
    at: context.at,
    dryRun,
  })
}
