import { z } from 'zod'
import {
  Closure,
  ClosureReason,
  type ClosureRequest,
  type ClosureState,
} from '../domain/closures.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { AccountCode, BookId, Identifier } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Account, Book } from '../domain/ledger/state.ts'
import { command, execute, onExisting, takeNumber } from './kernel.ts'
import { closeAccount } from './ledger/index.ts'
import { dataOf, existingBook } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'
import type { Ports } from './ports.ts'
import { sealText } from './texts.ts'

const permission = 'closures:manage'
const ByClosure = z.strictObject({ closure: Identifier })

const lookAtClosure = (ports: Looking, closure: string): Promise<ClosureState> =>
  lookAt(ports, Closure, closure)

type Place = { readonly book: string; readonly account: string }

/** The account as the ledger would close it now, or what is in the way. */
const closable = async (
  ports: Ports,
  { book, account }: Place,
): Promise<(Account & { readonly owner: string }) | Refusal> => {
  const state = await existingBook(ports, book)
  if (isRefusal(state)) return state
  const found = state.accounts.get(account)
  if (!found || found.owner === null) {
    return refuse('ACCOUNT_NOT_FOUND', `There is no customer's account ${account}.`, { account })
  }
  const decision = Ledger.decide.closeAccount(state as Book, { account, reason: '' })
  if (isRefusal(decision)) return decision
  if (await ports.payments.areWaiting(book, account)) {
    return refuse('PAYMENTS_WAITING', 'Payments of the account wait to be decided about.')
  }
  return { ...found, owner: found.owner }
}

/** Asks for an account to be closed, which has to be empty; somebody else decides. */
export const requestClosure = command({
  name: 'closures.request',
  permission,
  input: z
    .strictObject({
      ...{ book: BookId, account: AccountCode, reason: ClosureReason },
      other_reason: z.string().trim().max(256).default(''),
      phone: z.string().trim().max(32).default(''),
      otp_verified: z.boolean().default(false),
    })
    .refine(({ reason, other_reason }) => reason !== 'other' || other_reason !== '', {
      path: ['other_reason'],
      message: 'is needed when the reason is another',
    }),
  decider: Closure,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'CLOSURE_EXISTS',
  ifMatch: 'stream',
  enrich: async (input, enrichment): Promise<ClosureRequest | Refusal | null> => {
    const { ports, context, newId, at, isRepeated } = enrichment
    // What it was told then stands, whatever is in the way now.
    if (await isRepeated()) return null
    const { other_reason, phone, ...asked } = input
    const account = await closable(ports, asked)
    if (isRefusal(account)) return account
    const { owner } = account
    const remarks = context.dryRun ? '' : await ports.vault.seal(owner, { other_reason, phone })
    return {
      ...{ closure: newId(), ...asked, owner, remarks },
      number: await takeNumber(enrichment, 'closures'),
      ...{ requested_by: context.actor.id, requested_at: at },
    }
  },
  decide: (state: ClosureState, request: ClosureRequest | null) =>
    request === null ? [] : Closure.decide.request(state, request),
  answer: (events) => {
    const { closure, number } = dataOf<ClosureRequest>(events, 'ClosureRequested')
    return { closure, number }
  },
})

const closureCommand = onExisting({
  decider: Closure,
  field: 'closure',
  otherwise: 'CLOSURE_NOT_FOUND',
})

/** Lets a closure pass whose account is still empty; closing it comes next. */
export const approveClosure = closureCommand({
  name: 'closures.approve',
  permission,
  input: ByClosure,
  enrich: async ({ closure }, { ports, context, at }) => {
    const approval = { closure, approved_by: context.actor.id, approved_at: at }
    const state = await lookAtClosure(ports, closure)
    // Who may not, or comes too late, is told so first; and a repetition what it was told.
    if (!state.request || isRefusal(Closure.decide.approve(state, approval))) return approval
    const account = await closable(ports, state.request)
    return isRefusal(account) ? account : approval
  },
  decide: Closure.decide.approve,
  answer: (_events, { closure }) => ({ closure, status: 'accepted' as const }),
})

export const rejectClosure = closureCommand({
  name: 'closures.reject',
  permission,
  input: ByClosure.extend({ reason: z.string().trim().max(512).default('') }),
  enrich: async ({ closure, reason }, enrichment) => {
    const { ports, context, at } = enrichment
    const { request } = await lookAtClosure(ports, closure)
    const sealed = request ? await sealText(enrichment, request.owner, reason) : ''
    return { closure, reason: sealed, rejected_by: context.actor.id, rejected_at: at }
  },
  decide: Closure.decide.reject,
  answer: (_events, { closure }) => ({ closure, status: 'rejected' as const }),
})

type Closed = {
  readonly closure: string
  readonly at: string
  readonly refusal: Refusal | undefined
}

const settle = (state: ClosureState, { closure, at, refusal }: Closed) => {
  // The ledger closes nothing that has money in it.
  const closed = { closure, final_balance: '0', completed_at: at }
  if (!refusal) return Closure.decide.complete(state, closed)
  const { refused: code, detail } = refusal
  return Closure.decide.giveBack(state, { closure, code, detail, returned_at: at })
}

/**
 * Has the ledger close the account of a closure that was approved: it alone knows what comes in
 * meanwhile. Safe to ask for again, as after a process that ended in between. What the ledger
 * refuses waits to be decided about again.
 */
export const carryOutClosure = closureCommand({
  name: 'closures.carry_out',
  permission,
  input: ByClosure,
  enrich: async ({ closure }, { ports, context, at }): Promise<Closed | Refusal> => {
    const { status, request } = await lookAtClosure(ports, closure)
    if (!request) return refuse('CLOSURE_NOT_FOUND', `There is no closure ${closure}.`)
    if (status === 'approved') return { closure, at, refusal: undefined }
    if (status !== 'accepted') return refuse('CLOSURE_NOT_APPROVED', 'It has not been approved.')
    const { book, account, reason } = request
    // In nobody's name but Daybook's, so that whoever asks again asks for the same.
    const actor = { id: 'system', roles: ['system' as const] }
    const own = { ...context, actor, key: `closure:${closure}:close`, ifMatch: undefined }
    const closed = await execute(ports, closeAccount, { book, account, reason }, own)
    return { closure, at, refusal: isRefusal(closed) ? closed : undefined }
  },
  decide: settle,
  answer: (_events, { closure }, { refusal }) =>
    refusal ?? { closure, status: 'approved' as const },
})
