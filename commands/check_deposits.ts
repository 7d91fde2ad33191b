import { z } from 'zod'
import { Attachment } from '../domain/attachments.ts'
import {
  CheckDeposit,
  type CheckDepositState,
  type CheckSubmission,
  checkNumberOf,
} from '../domain/check_deposits.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { AccountCode, BookId, Identifier } from '../domain/ledger/events.ts'
import { Amount } from '../domain/money.ts'
import type { RefusalCode } from '../domain/refusals.ts'
import { bookCheckStep, type CheckBooked, lookAtCheck, tryCheckStep } from './check_bookings.ts'
import { command, type Enrichment, onExisting, takeNumber } from './kernel.ts'
import { ifBookable } from './ledger/bookings.ts'
import { dataOf, existingBook } from './ledger/kernel.ts'
import { sealText } from './texts.ts'

const permission = 'checks:process'

const SubmitCheck = z.strictObject({
  ...{ book: BookId, account: AccountCode, amount: Amount },
  bank_name: z.string().trim().min(1).max(128),
  /** Absent: it is given one. */
  check_number: z.string().trim().min(1).max(32).optional(),
  ...{ front: Attachment, back: Attachment },
})

const prepare = async (
  { check_number, ...given }: z.infer<typeof SubmitCheck>,
  { asset, owner }: Pick<CheckSubmission, 'asset' | 'owner'>,
  enrichment: Enrichment,
): Promise<CheckSubmission> => {
  const { context, at, newId } = enrichment
  const check = newId()
  return {
    ...{ ...given, check, asset, owner, check_number: check_number ?? checkNumberOf(check) },
    number: await takeNumber(enrichment, 'check_deposits'),
    ...{ submitted_by: context.actor.id, submitted_at: at },
  }
}

/** A check of another bank for a customer's account; no money moves before it is approved. */
export const submitCheckDeposit = command({
  name: 'check_deposits.submit',
  permission,
  input: SubmitCheck,
  decider: CheckDeposit,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'CHECK_DEPOSIT_EXISTS',
  ifMatch: 'stream',
  enrich: async (given, enrichment): Promise<CheckSubmission | Refusal> => {
    const state = await existingBook(enrichment.ports, given.book)
    if (isRefusal(state)) return state
    const account = state.accounts.get(given.account)
    if (!account || account.owner === null) {
      return refuse('ACCOUNT_NOT_FOUND', `There is no account ${given.account}.`)
    }
    const { asset, owner } = account
    return prepare(given, { asset, owner }, enrichment)
  },
  decide: CheckDeposit.decide.submit,
  answer: (events) => {
    const { check, number } = dataOf<CheckSubmission>(events, 'CheckDepositSubmitted')
    return { check, number, status: 'pending' as const }
  },
})

const checkCommand = onExisting({
  decider: CheckDeposit,
  field: 'check',
  otherwise: 'CHECK_DEPOSIT_NOT_FOUND',
})
const ByCheck = z.strictObject({ check: Identifier })
const WithReason = ByCheck.extend({ reason: z.string().trim().max(256).default('') })

/** Lets a check pass that waits for it; having the ledger credit the account comes next. */
export const approveCheckDeposit = checkCommand({
  name: 'check_deposits.approve',
  permission,
  input: ByCheck,
  enrich: async ({ check }, enrichment) => ({
    approval: { check, approved_by: enrichment.context.actor.id, approved_at: enrichment.at },
    tried: await tryCheckStep(enrichment, check, 'credit'),
  }),
  decide: (state: CheckDepositState, { approval, tried }) =>
    ifBookable(CheckDeposit.decide.approve(state, approval), tried),
  answer: (_events, { check }) => ({ check, status: 'processing' as const }),
})

/** What was said, sealed under the key of the account's owner. */
const sealReason = async (
  enrichment: Enrichment,
  { check, reason }: { readonly check: string; readonly reason: string },
): Promise<string> => {
  const { submission } = await lookAtCheck(enrichment.ports, check)
  return submission ? sealText(enrichment, submission.owner, reason) : ''
}

export const rejectCheckDeposit = checkCommand({
  name: 'check_deposits.reject',
  permission,
  input: WithReason,
  enrich: async (input, enrichment) => ({
    ...{ check: input.check, rejected_by: enrichment.context.actor.id },
    ...{ rejected_at: enrichment.at, reason: await sealReason(enrichment, input) },
  }),
  decide: CheckDeposit.decide.reject,
  answer: (_events, { check }) => ({ check, status: 'rejected' as const }),
})

/** The other bank has paid; having the ledger book it comes next. */
export const clearCheckDeposit = checkCommand({
  name: 'check_deposits.clear',
  permission,
  input: ByCheck,
  enrich: async ({ check }, enrichment) => ({
    clearing: { check, cleared_by: enrichment.context.actor.id, cleared_at: enrichment.at },
    tried: await tryCheckStep(enrichment, check, 'clearing'),
  }),
  decide: (state: CheckDepositState, { clearing, tried }) =>
    ifBookable(CheckDeposit.decide.clear(state, clearing), tried),
  answer: (_events, { check }) => ({ check, status: 'cleared' as const }),
})

/** The other bank does not pay; having the ledger take the money back comes next. */
export const returnCheckDeposit = checkCommand({
  name: 'check_deposits.return',
  permission,
  input: WithReason,
  enrich: async (input, enrichment) => ({
    returned: {
      ...{ check: input.check, returned_by: enrichment.context.actor.id },
      ...{ returned_at: enrichment.at, reason: await sealReason(enrichment, input) },
    },
    tried: await tryCheckStep(enrichment, input.check, 'return'),
  }),
  decide: (state: CheckDepositState, { returned, tried }) =>
    ifBookable(CheckDeposit.decide.return(state, returned), tried),
  answer: (_events, { check }) => ({ check, status: 'returned' as const }),
})

type Carried = { readonly check: string; readonly at: string } & (
  | { readonly booked: CheckBooked }
  | { readonly refusal: Refusal }
)

const settle = (state: CheckDepositState, carried: Carried | null) => {
  if (carried === null) return []
  if ('booked' in carried) return CheckDeposit.decide.book(state, carried.booked)
  const { check, at: failed_at, refusal } = carried
  const { refused: code, detail } = refusal
  return CheckDeposit.decide.fail(state, { check, code, detail, failed_at })
}

/**
 * Has the ledger book what has happened and is not booked yet, and keeps what came of it. Safe to
 * ask for again, as after a process that ended in between.
 */
export const bookCheckDeposit = checkCommand({
  name: 'check_deposits.book',
  permission,
  input: ByCheck,
  enrich: async ({ check }, enrichment): Promise<Carried | Refusal | null> => {
    const { ports, context, at } = enrichment
    const { submission, unbooked, failure } = await lookAtCheck(ports, check)
    if (!submission) return refuse('CHECK_DEPOSIT_NOT_FOUND', `There is no check deposit ${check}.`)
    if (failure) return refuse(failure.code as RefusalCode, failure.detail)
    if (unbooked === null) return null
    const booked = await bookCheckStep(enrichment, submission, unbooked, context.dryRun ?? false)
    if (!isRefusal(booked)) return { check, at, booked }
    // What the other bank did stays so: only a credit may come to nothing.
    return unbooked === 'credit' ? { check, at, refusal: booked } : booked
  },
  decide: settle,
  answer: (_events, { check }, carried) =>
    carried && 'refusal' in carried ? carried.refusal : { check },
})
