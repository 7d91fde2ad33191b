import { z } from 'zod'
import { Attachment } from './attachments.ts'
import { accountNumberOf } from './deposits.ts'
import { uuidv5 } from './ids.ts'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { AccountCode, BookId, Identifier, Instant } from './ledger/events.ts'
import { Amount, Asset, currencyOf } from './money.ts'

/** What moves money: in advance to the customer, in from the other bank, or back again. */
const CheckStep = z.enum(['credit', 'clearing', 'return'])
export type CheckStep = z.infer<typeof CheckStep>

const ByCheck = { check: Identifier }
/** Sealed under the key of the account's owner; empty: nothing was said. */
const SealedText = z.string().max(4096)

export const checkDepositEvents = {
  CheckDepositSubmitted: z.object({
    ...ByCheck,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    book: BookId,
    asset: Asset,
    account: AccountCode,
    owner: Identifier,
    amount: Amount,
    /** Whose check it is. */
    bank_name: z.string().min(1).max(128),
    check_number: z.string().min(1).max(32),
    /** Sealed under the owner's key. */
    front: Attachment,
    back: Attachment,
    submitted_by: Identifier,
    submitted_at: Instant,
  }),
  CheckDepositApproved: z.object({ ...ByCheck, approved_by: Identifier, approved_at: Instant }),
  CheckDepositRejected: z.object({
    ...ByCheck,
    reason: SealedText,
    rejected_by: Identifier,
    rejected_at: Instant,
  }),
  /** The other bank has paid; the ledger books it next. */
  CheckDepositCleared: z.object({ ...ByCheck, cleared_by: Identifier, cleared_at: Instant }),
  /** The other bank does not pay; the ledger books it next. */
  CheckDepositReturned: z.object({
    ...ByCheck,
    reason: SealedText,
    returned_by: Identifier,
    returned_at: Instant,
  }),
  CheckDepositBooked: z.object({
    ...ByCheck,
    step: CheckStep,
    entry: Identifier,
    /** Of a return: what the account lacked, which its owner owes. */
    owed: Amount.nullable(),
    booked_at: Instant,
  }),
  /** It was approved, and the ledger refused it: no money has moved. */
  CheckDepositFailed: z.object({
    ...ByCheck,
    code: z.string().max(64),
    detail: z.string().max(512),
    failed_at: Instant,
  }),
} as const

type CheckDepositEvent = EventOf<typeof checkDepositEvents>
type Data<Type extends keyof typeof checkDepositEvents> = z.infer<(typeof checkDepositEvents)[Type]>
export type CheckSubmission = Data<'CheckDepositSubmitted'>

/** processing: approved, and on its way to the ledger; approved: the customer has the money. */
export const CheckDepositStatus = z.enum([
  ...(['pending', 'processing', 'approved', 'rejected', 'failed', 'cleared', 'returned'] as const),
])
type Status = z.infer<typeof CheckDepositStatus>

export type CheckDepositState = {
  readonly status: Status | 'unknown'
  readonly submission: CheckSubmission | null
  /** What has happened and the ledger has not booked yet. */
  readonly unbooked: CheckStep | null
  readonly failure: Pick<Data<'CheckDepositFailed'>, 'code' | 'detail'> | null
}

/** The bank's own side of checks, and what the owner of an account owes of returned ones. */
export const checkAccounts = ({ account, asset }: Pick<CheckSubmission, 'account' | 'asset'>) => {
  const currency = currencyOf(asset)
  return {
    /** Checks that customers have the money of, and that no bank has paid yet. */
    clearing: `clearing:checks:${currency}`,
    /** What other banks have paid in to ours. */
    settlement: `banks:settlement:${currency}`,
    owed: `receivables:returned-checks:${accountNumberOf(account).toLowerCase()}`,
  }
}

/** What a check is called that came without a number: `CHK-1A2B3C4D`, always the same. */
export const checkNumberOf = (check: string): string =>
  `CHK-${uuidv5(`check ${check}`).slice(0, 8).toUpperCase()}`

const submit = (_state: CheckDepositState, data: CheckSubmission): Decision<CheckDepositEvent> => [
  { type: 'CheckDepositSubmitted', data },
]

const unfit = (state: Status | 'unknown', from: Status): Refusal | undefined =>
  state === from
    ? undefined
    : refuse('CHECK_DEPOSIT_STATUS_UNFIT', `The check deposit is ${state}, not ${from}.`)

/** The refusal unless `by` may decide about it: neither who took it in, nor whose account it is. */
const undecidable = (
  { status, submission }: CheckDepositState,
  by: string,
): Refusal | undefined => {
  if (by === submission?.submitted_by) {
    return refuse('MAKER_IS_CHECKER', 'Whoever took a check in does not decide about it.')
  }
  return by === submission?.owner
    ? refuse('MAKER_IS_CHECKER', 'Nobody decides about a check for his own account.')
    : unfit(status, 'pending')
}

const approve = (state: CheckDepositState, data: Data<'CheckDepositApproved'>) =>
  undecidable(state, data.approved_by) ?? [{ type: 'CheckDepositApproved', data } as const]

const reject = (state: CheckDepositState, data: Data<'CheckDepositRejected'>) =>
  undecidable(state, data.rejected_by) ?? [{ type: 'CheckDepositRejected', data } as const]

/** The refusal unless `by` may say what the other bank did: anybody whose account it is not. */
const unsettled = ({ status, submission }: CheckDepositState, by: string): Refusal | undefined =>
  by === submission?.owner
    ? refuse('MAKER_IS_CHECKER', 'Nobody settles a check for his own account.')
    : unfit(status, 'approved')

const clear = (state: CheckDepositState, data: Data<'CheckDepositCleared'>) =>
  unsettled(state, data.cleared_by) ?? [{ type: 'CheckDepositCleared', data } as const]

const giveBack = (state: CheckDepositState, data: Data<'CheckDepositReturned'>) =>
  unsettled(state, data.returned_by) ?? [{ type: 'CheckDepositReturned', data } as const]

/** As of a payment: where the money is, nobody can argue with, whatever somebody else was told. */
const book = ({ status, unbooked }: CheckDepositState, data: Data<'CheckDepositBooked'>) =>
  unbooked === data.step || (status === 'failed' && data.step === 'credit')
    ? [{ type: 'CheckDepositBooked', data } as const]
    : []

const fail = ({ status }: CheckDepositState, data: Data<'CheckDepositFailed'>) =>
  status === 'processing' ? [{ type: 'CheckDepositFailed', data } as const] : []

const booked: Readonly<Record<CheckStep, Status>> = {
  credit: 'approved',
  clearing: 'cleared',
  return: 'returned',
}

/** Checks of other banks: the customer has the money from approval on, the bank when it clears. */
export const CheckDeposit = decider({
  category: 'check_deposit',
  schemas: checkDepositEvents,
  initial: (): CheckDepositState => ({
    ...{ status: 'unknown', submission: null, unbooked: null, failure: null },
  }),
  evolve: {
    CheckDepositSubmitted: (state, submission): CheckDepositState => ({
      ...{ ...state, submission, status: 'pending' },
    }),
    CheckDepositApproved: (state): CheckDepositState => ({
      ...{ ...state, status: 'processing', unbooked: 'credit' },
    }),
    CheckDepositRejected: (state): CheckDepositState => ({ ...state, status: 'rejected' }),
    CheckDepositCleared: (state): CheckDepositState => ({
      ...{ ...state, status: 'cleared', unbooked: 'clearing' },
    }),
    CheckDepositReturned: (state): CheckDepositState => ({
      ...{ ...state, status: 'returned', unbooked: 'return' },
    }),
    CheckDepositBooked: (state, { step }): CheckDepositState => ({
      ...{ ...state, status: booked[step], unbooked: null, failure: null },
    }),
    CheckDepositFailed: (state, { code, detail }): CheckDepositState => ({
      ...{ ...state, status: 'failed', unbooked: null, failure: { code, detail } },
    }),
  },
  decide: { submit, approve, reject, clear, return: giveBack, book, fail },
})
