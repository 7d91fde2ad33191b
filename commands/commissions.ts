import { z } from 'zod'
import {
  Commission,
  type CommissionEarned,
  CommissionPayout,
  type CommissionState,
  commissionAccounts,
  commissionOn,
  type PayoutOrder,
  type PayoutState,
} from '../domain/commissions.ts'
import { idFrom } from '../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { AccountCode, BookId, Identifier } from '../domain/ledger/events.ts'
import { pairOf } from '../domain/ledger/lines.ts'
import { Asset } from '../domain/money.ts'
import type { RefusalCode } from '../domain/refusals.ts'
import { openAccounts, type Wanted } from './chart.ts'
import type { Outcome } from './engine.ts'
import { command, type Enrichment, onExisting } from './kernel.ts'
import { bookOnce } from './ledger/bookings.ts'
import { dataOf, existingBook } from './ledger/kernel.ts'
import { lookAt } from './look.ts'
import { lookAtPayment } from './payments/booking.ts'

const chartOf = (agent: string, asset: string): readonly Wanted[] => {
  const { expense, payable } = commissionAccounts(agent, asset)
  const none = { overdraft_limit: '0' }
  return [
    { account: expense, type: 'expense', name: 'Commissions', ...none },
    { account: payable, type: 'liability', name: 'Commissions owed', ...none },
  ]
}

const bookEarning = async (
  enrichment: Enrichment,
  { payment, agent, book, asset, amount }: CommissionEarned,
): Promise<Outcome | Refusal> => {
  const { at, context } = enrichment
  const chart = { wanted: chartOf(agent, asset), asset, at }
  const opened = await openAccounts(enrichment, book, chart)
  if (isRefusal(opened)) return opened
  const { expense, payable } = commissionAccounts(agent, asset)
  const posting = {
    ...{ id: idFrom(`${payment} commission`), at, kind: 'commission', description: 'Commission' },
    ...{ metadata: { payment }, lines: pairOf(expense, payable, amount) },
  }
  const key = `commission:${payment}`
  const booking = { book, key, causation: 'commissions.earn', posting }
  return bookOnce(enrichment, booking, context.dryRun ?? false)
}

/** Books what collecting a payment has earned. Safe to ask for again: it is booked once. */
export const earnCommission = command({
  name: 'commissions.earn',
  permission: 'clock:work',
  input: z.strictObject({ payment: Identifier }),
  decider: Commission,
  stream: ({ payment }) => payment,
  on: 'any',
  otherwise: 'PAYMENT_NOT_FOUND',
  ifMatch: 'stream',
  enrich: async ({ payment }, enrichment): Promise<CommissionEarned | Refusal> => {
    const { ports, at } = enrichment
    const { status, request } = await lookAtPayment(ports, payment)
    if (status !== 'completed' || request?.collector === undefined) {
      return refuse('COMMISSION_NOT_EARNED', 'Nobody has collected such a payment.')
    }
    const { book, asset, amount: collected, collector: agent } = request
    const { permille, amount } = commissionOn(collected, asset)
    const earned = { payment, agent, book, asset, collected, permille, amount, earned_at: at }
    const booked = amount === '0' ? undefined : await bookEarning(enrichment, earned)
    return isRefusal(booked) ? booked : earned
  },
  decide: (state: CommissionState, earned: CommissionEarned) =>
    Commission.decide.earn(state, earned),
  answer: (_events, { payment }, { agent, amount }) => ({ payment, agent, amount }),
})

const bookPayout = (
  enrichment: Pick<Enrichment, 'ports' | 'context'>,
  { payout, agent, book, asset, account, amount }: PayoutOrder,
  at: string,
  dryRun: boolean,
): Promise<Outcome | Refusal> => {
  const { payable } = commissionAccounts(agent, asset)
  const posting = {
    ...{ id: payout, at, kind: 'commission_payout', description: 'Commission paid out' },
    ...{ metadata: { payout }, lines: pairOf(payable, account, amount) },
  }
  const key = `commission_payout:${payout}`
  return bookOnce(enrichment, { book, key, causation: 'commissions.pay', posting }, dryRun)
}

/** All that is owed to an agent now, to one of his accounts; paying it comes next. */
export const orderPayout = command({
  name: 'commissions.order_payout',
  permission: 'commissions:pay',
  input: z.strictObject({ agent: Identifier, book: BookId, asset: Asset, account: AccountCode }),
  decider: CommissionPayout,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'COMMISSION_PAYOUT_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ agent, book, asset, account }, enrichment): Promise<PayoutOrder | Refusal> => {
    const { ports, context, at, newId } = enrichment
    const state = await existingBook(ports, book)
    if (isRefusal(state)) return state
    const found = state.accounts.get(account)
    if (found?.owner !== agent || found.asset !== asset) {
      return refuse('ACCOUNT_NOT_FOUND', `The agent has no account ${account}.`, { account })
    }
    const owed = state.accounts.get(commissionAccounts(agent, asset).payable)?.balance ?? 0n
    if (owed <= 0n) return refuse('NO_COMMISSION_OWED', 'Nothing is owed to the agent.')
    const placed = { amount: owed.toString(), ordered_by: context.actor.id, ordered_at: at }
    const payout = { payout: newId(), agent, book, asset, account, ...placed }
    const tried = await bookPayout(enrichment, payout, at, true)
    return isRefusal(tried) ? tried : payout
  },
  decide: CommissionPayout.decide.order,
  answer: (events) => {
    const { payout, agent, amount } = dataOf<PayoutOrder>(events, 'CommissionPayoutOrdered')
    return { payout, agent, amount, status: 'ordered' as const }
  },
})

const payoutCommand = onExisting({
  decider: CommissionPayout,
  field: 'payout',
  otherwise: 'COMMISSION_PAYOUT_NOT_FOUND',
})

type Paid = { readonly payout: string; readonly at: string; readonly refusal: Refusal | null }

/** Has the ledger pay what was ordered, and keeps what came of it. Safe to ask for again. */
export const payOut = payoutCommand({
  name: 'commissions.pay',
  permission: 'commissions:pay',
  input: z.strictObject({ payout: Identifier }),
  enrich: async ({ payout }, enrichment): Promise<Paid | Refusal> => {
    const { ports, context, at } = enrichment
    const { status, order, failure } = await lookAt(ports, CommissionPayout, payout)
    if (!order) return refuse('COMMISSION_PAYOUT_NOT_FOUND', `There is no payout ${payout}.`)
    if (failure) return refuse(failure.code as RefusalCode, failure.detail)
    if (status === 'paid') return { payout, at, refusal: null }
    const booked = await bookPayout(enrichment, order, at, context.dryRun ?? false)
    return { payout, at, refusal: isRefusal(booked) ? booked : null }
  },
  decide: (state: PayoutState, { payout, at, refusal }: Paid) => {
    if (refusal === null) return CommissionPayout.decide.pay(state, { payout, paid_at: at })
    const { refused: code, detail } = refusal
    return CommissionPayout.decide.fail(state, { payout, code, detail, failed_at: at })
  },
  answer: (_events, { payout }, { refusal }) => refusal ?? { payout, status: 'paid' as const },
})
