import { z } from 'zod'
import { dayOf } from '../../domain/calendar.ts'
import { idFrom } from '../../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/kernel.ts'
import { Identifier } from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { Book } from '../../domain/ledger/state.ts'
import type { Booked } from '../../domain/loans/decisions.ts'
import { LoanStep } from '../../domain/loans/events.ts'
import { Loan } from '../../domain/loans/index.ts'
import {
  type LoanRequest,
  type LoanState,
  loanAccounts,
  requestOf,
  type Step,
} from '../../domain/loans/state.ts'
import type { RefusalCode } from '../../domain/refusals.ts'
import { openMissing } from '../chart.ts'
import { type Enrichment, onExisting, submitStep } from '../kernel.ts'
import { bookOnce } from '../ledger/bookings.ts'
import { bookAsItStands, entryOf } from '../ledger/kernel.ts'
import { type Looking, lookAt } from '../look.ts'
import type { Ports } from '../ports.ts'

export const loanCommand = onExisting({
  decider: Loan,
  field: 'loan',
  otherwise: 'LOAN_NOT_FOUND',
})

export const noLoan = (loan: string): Refusal =>
  refuse('LOAN_NOT_FOUND', `There is no loan ${loan}.`)

export const lookAtLoan = (ports: Looking, loan: string): Promise<LoanState> =>
  lookAt(ports, Loan, loan)

/** The refusal unless the account is an active one of the borrower, in the loan's asset. */
export const unfitAccount = async (
  ports: Ports,
  { book, borrower, asset }: LoanRequest,
  account: string,
): Promise<Refusal | undefined> => {
  const { state } = await bookAsItStands(ports, book)
  const found = state.accounts.get(account)
  const fits = found?.owner === borrower && found.asset === asset && found.status === 'active'
  return fits
    ? undefined
    : refuse('LOAN_ACCOUNT_UNFIT', 'This is no active account of the borrower.', { account })
}

/** Opens the bank's own accounts of a loan that are not there yet. */
export const openLoanAccounts = ({ ports, context, at }: Enrichment, request: LoanRequest) => {
  const { receivable, interest, recoveries, losses } = loanAccounts(request)
  const shared = { type: 'income', overdraft_limit: 'unlimited' } as const
  const wanted = [
    // Without an overdraft, so that the ledger itself lets nobody repay more than was lent.
    {
      ...{ account: receivable, type: 'asset' as const, overdraft_limit: '0' },
      name: `Loan ${request.number}`,
    },
    { ...shared, account: interest, name: 'Interest on loans' },
    { ...shared, account: recoveries, name: 'Recovered after writing off' },
    { ...shared, type: 'expense' as const, account: losses, name: 'Losses on loans' },
  ]
  const step = {
    ...{ name: 'loans.open_accounts', decider: Ledger, stream: request.book },
    ...({ on: 'existing', otherwise: 'BOOK_NOT_FOUND' } as const),
    decide: (book: Book) => openMissing(book, { wanted, asset: request.asset, at }),
  }
  return submitStep(ports, step, context)
}

const titles: Readonly<Record<Step['kind'], string>> = {
  loan_disbursement: 'Loan paid out',
  loan_repayment: 'Loan repayment',
  loan_write_off: 'Loan written off',
}

/** Asks the ledger for the entry of a step. A dry run only says whether it could be booked. */
export const bookStep = (
  enrichment: Pick<Enrichment, 'ports' | 'context' | 'at'>,
  { loan, number, book }: LoanRequest,
  { name, kind, lines }: Step,
  dryRun: boolean,
) => {
  const key = `loan:${loan}:${name}`
  const posting = {
    ...{ id: idFrom(key), at: enrichment.at, kind, lines, description: titles[kind] },
    ...{ reference: `LOAN-${number}`, metadata: { loan, step: name } },
  }
  return bookOnce(enrichment, { book, key, causation: 'loans.carry_out', posting }, dryRun)
}

type Carried =
  | { readonly done: 'now'; readonly booked: Booked }
  | { readonly done: 'before' }
  | { readonly done: 'never'; readonly refusal: Refusal; readonly at: string }

const settle = (state: LoanState, carried: Carried, { loan, step }: Asked) => {
  if (carried.done === 'before') return []
  if (carried.done === 'now') return Loan.decide.complete(state, carried.booked)
  const { refused: code, detail } = carried.refusal
  return Loan.decide.fail(state, { loan, step, code, detail, failed_at: carried.at })
}

type Asked = { readonly loan: string; readonly step: string }

/** What came of it before; undefined: it is still to be carried out. */
const settledBefore = (
  { step, failure }: LoanState,
  name: string,
): Refusal | 'done' | undefined => {
  if (step?.name === name) return undefined
  if (failure?.step.name !== name) return 'done'
  return refuse(failure.code as RefusalCode, failure.detail)
}

const carryOut = async ({ loan, step }: Asked, enrichment: Enrichment) => {
  const { ports, context, at } = enrichment
  const state = await lookAtLoan(ports, loan)
  if (!state.request) return noLoan(loan)
  const before = settledBefore(state, step)
  if (before === 'done') return { done: 'before' } as const
  if (isRefusal(before)) return before
  if (!state.step) throw new Error(`${step} of the loan ${loan} is not under way`)
  const request = requestOf(state)
  const outcome = await bookStep(enrichment, request, state.step, context.dryRun ?? false)
  if (isRefusal(outcome)) return { done: 'never', refusal: outcome, at } as const
  const { id: entry, booked_at } = entryOf(outcome.events)
  const { timeZone } = (await bookAsItStands(ports, request.book)).state
  const booked = { loan, step, entry, booked_at, day: dayOf(booked_at, timeZone) }
  return { done: 'now', booked } as const
}

/**
 * Has the ledger book what was decided on, and keeps what came of it. Safe to ask for again, as
 * after a process that ended in between: what was settled before is answered.
 */
export const carryOutLoan = loanCommand({
  name: 'loans.carry_out',
  permission: 'loans:repay',
  input: z.strictObject({ loan: Identifier, step: LoanStep }),
  enrich: async (asked, enrichment) => {
    const carried: Carried | Refusal = await carryOut(asked, enrichment)
    return isRefusal(carried) ? carried : { carried, asked }
  },
  decide: (state: LoanState, { carried, asked }: { carried: Carried; asked: Asked }) =>
    settle(state, carried, asked),
  answer: (_events, { loan, step }, { carried }) =>
    carried.done === 'never' ? carried.refusal : { loan, step },
})
