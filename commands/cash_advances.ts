import { z } from 'zod'
import {
  type AdvanceStep,
  advanceAccounts,
  CashAdvance,
  type CashAdvanceRequest,
  type CashAdvanceState,
} from '../domain/cash_advances.ts'
import { idFrom } from '../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { BookId, Day, Identifier } from '../domain/ledger/events.ts'
import { pairOf } from '../domain/ledger/lines.ts'
import type { Posting } from '../domain/ledger/request.ts'
import { Amount, Asset } from '../domain/money.ts'
import { openAccounts, type Wanted } from './chart.ts'
import type { Outcome } from './engine.ts'
import { command, type Enrichment, onExisting, takeNumber } from './kernel.ts'
import { bookOnce, ifBookable } from './ledger/bookings.ts'
import { dataOf } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'
import { paymentChart } from './payments/accounts.ts'
import { sealText } from './texts.ts'

const lookAtAdvance = (ports: Looking, advance: string): Promise<CashAdvanceState> =>
  lookAt(ports, CashAdvance, advance)

/** Asked for by the member of staff who is to have it. */
export const requestCashAdvance = command({
  name: 'cash_advances.request',
  permission: 'advances:request',
  input: z.strictObject({
    ...{ book: BookId, asset: Asset, amount: Amount, repayment_date: Day },
    reason: z.string().trim().min(1).max(500),
    notes: z.string().trim().max(1000).default(''),
  }),
  decider: CashAdvance,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'CASH_ADVANCE_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ reason, notes, ...asked }, enrichment): Promise<CashAdvanceRequest> => {
    const { context, at, newId } = enrichment
    const requested_by = context.actor.id
    return {
      ...{ ...asked, advance: newId(), requested_by, requested_at: at },
      number: await takeNumber(enrichment, 'cash_advances'),
      reason: await sealText(enrichment, requested_by, reason),
      notes: await sealText(enrichment, requested_by, notes),
    }
  },
  decide: CashAdvance.decide.request,
  answer: (events) => {
    const { advance, number } = dataOf<CashAdvanceRequest>(events, 'CashAdvanceRequested')
    return { advance, number, status: 'pending' as const }
  },
})

const advanceCommand = onExisting({
  decider: CashAdvance,
  field: 'advance',
  otherwise: 'CASH_ADVANCE_NOT_FOUND',
})
const ByAdvance = z.strictObject({ advance: Identifier })

export const approveCashAdvance = advanceCommand({
  name: 'cash_advances.approve',
  permission: 'advances:decide',
  input: ByAdvance,
  enrich: ({ advance }, { context, at }) => ({
    ...{ advance, approved_by: context.actor.id, approved_at: at },
  }),
  decide: CashAdvance.decide.approve,
  answer: (_events, { advance }) => ({ advance, status: 'approved' as const }),
})

export const rejectCashAdvance = advanceCommand({
  name: 'cash_advances.reject',
  permission: 'advances:decide',
  input: ByAdvance.extend({ reason: z.string().trim().max(256).default('') }),
  enrich: async ({ advance, reason }, enrichment) => {
    const { ports, context, at } = enrichment
    const { request } = await lookAtAdvance(ports, advance)
    return {
      ...{ advance, rejected_by: context.actor.id, rejected_at: at },
      reason: request ? await sealText(enrichment, request.requested_by, reason) : '',
    }
  },
  decide: CashAdvance.decide.reject,
  answer: (_events, { advance }) => ({ advance, status: 'rejected' as const }),
})

const entryOf = (advance: string, step: AdvanceStep): string => idFrom(`${advance} ${step}`)

const kinds = { disbursement: 'cash_advance', repayment: 'cash_advance_repayment' } as const
const titles = { disbursement: 'Cash advance', repayment: 'Cash advance repaid' } as const

const postingOf = (request: CashAdvanceRequest, step: AdvanceStep, at: string): Posting => {
  const { advance, requested_by, asset, amount } = request
  const { receivable, counter } = advanceAccounts(requested_by, asset)
  return {
    ...{ id: entryOf(advance, step), at, kind: kinds[step], description: titles[step] },
    metadata: { cash_advance: advance },
    lines:
      step === 'disbursement'
        ? pairOf(receivable, counter, amount)
        : pairOf(counter, receivable, amount),
  }
}

const receivableOf = ({ requested_by, asset }: CashAdvanceRequest): Wanted => ({
  account: advanceAccounts(requested_by, asset).receivable,
  ...{ type: 'asset', name: 'Cash advances', overdraft_limit: '0' },
})

/** Asks the ledger for the entry of a step. A dry run only says whether it could be booked. */
const bookStep = async (
  enrichment: Pick<Enrichment, 'ports' | 'context' | 'at'>,
  request: CashAdvanceRequest,
  step: AdvanceStep,
  dryRun: boolean,
): Promise<Outcome | Refusal> => {
  const { advance, book, asset } = request
  const wanted = [...paymentChart(asset), receivableOf(request)]
  const opened = await openAccounts(enrichment, book, { wanted, asset, at: enrichment.at })
  if (isRefusal(opened)) return opened
  const posting = postingOf(request, step, enrichment.at)
  const key = `cash_advance:${advance}:${step}`
  const booking = { book, key, causation: 'cash_advances.book', posting }
  return bookOnce(enrichment, booking, dryRun)
}

/** What comes of booking a step of an advance that has come so far; nothing is booked. */
const tryStep = async (
  enrichment: Enrichment,
  advance: string,
  { from, step }: { readonly from: CashAdvanceState['status']; readonly step: AdvanceStep },
): Promise<Outcome | Refusal | undefined> => {
  const { status, request } = await lookAtAdvance(enrichment.ports, advance)
  return request && status === from ? bookStep(enrichment, request, step, true) : undefined
}

/** The cash is handed out; having the ledger book it comes next. */
export const disburseCashAdvance = advanceCommand({
  name: 'cash_advances.disburse',
  permission: 'advances:decide',
  input: ByAdvance,
  enrich: async ({ advance }, enrichment) => ({
    ...{ advance, by: enrichment.context.actor.id, at: enrichment.at },
    tried: await tryStep(enrichment, advance, { from: 'approved', step: 'disbursement' }),
  }),
  decide: (state: CashAdvanceState, { tried, advance, by, at }) => {
    const data = { advance, disbursed_by: by, disbursed_at: at }
    return ifBookable(CashAdvance.decide.disburse(state, data), tried)
  },
  answer: (_events, { advance }) => ({ advance, status: 'disbursed' as const }),
})

/** The cash is back; having the ledger book it comes next. */
export const repayCashAdvance = advanceCommand({
  name: 'cash_advances.repay',
  permission: 'advances:decide',
  input: ByAdvance,
  enrich: async ({ advance }, enrichment) => ({
    ...{ advance, by: enrichment.context.actor.id, at: enrichment.at },
    tried: await tryStep(enrichment, advance, { from: 'disbursed', step: 'repayment' }),
  }),
  decide: (state: CashAdvanceState, { tried, advance, by, at }) => {
    const data = { advance, repaid_to: by, repaid_at: at }
    return ifBookable(CashAdvance.decide.repay(state, data), tried)
  },
  answer: (_events, { advance }) => ({ advance, status: 'repaid' as const }),
})

type Booked = Parameters<typeof CashAdvance.decide.book>[1]

/**
 * Has the ledger book what has happened and is not booked yet. Safe to ask for again, as after a
 * process that ended in between.
 */
export const bookCashAdvance = advanceCommand({
  name: 'cash_advances.book',
  permission: 'advances:decide',
  input: ByAdvance,
  enrich: async ({ advance }, enrichment): Promise<Booked | Refusal | null> => {
    const { ports, context, at } = enrichment
    const { request, unbooked } = await lookAtAdvance(ports, advance)
    if (!request) return refuse('CASH_ADVANCE_NOT_FOUND', `There is no advance ${advance}.`)
    if (unbooked === null) return null
    const booked = await bookStep(enrichment, request, unbooked, context.dryRun ?? false)
    if (isRefusal(booked)) return booked
    return { advance, step: unbooked, entry: entryOf(advance, unbooked), booked_at: at }
  },
  decide: (state: CashAdvanceState, booked: Booked | null) =>
    booked === null ? [] : CashAdvance.decide.book(state, booked),
  answer: (_events, { advance }) => ({ advance }),
})
