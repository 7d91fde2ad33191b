import { z } from 'zod'
import { findableCode } from '../domain/deposits.ts'
import { type Decision, type Decoded, isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { bookableAccount } from '../domain/ledger/checks.ts'
import { AccountCode, BookId, type Entry, type LedgerEvent } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import { pairOf } from '../domain/ledger/lines.ts'
import type { Posting } from '../domain/ledger/request.ts'
import type { Account, Book } from '../domain/ledger/state.ts'
import {
  CHECK_CLEARING,
  DepositKind,
  heldParts,
  MachineId,
  machineAccounts,
  NOTE_CENTS,
} from '../domain/machines.ts'
import { Amount } from '../domain/money.ts'
import type { Screening } from '../domain/screening.ts'
import { type Enrichment, takeNumber } from './kernel.ts'
import { type Gated, screeningOf } from './ledger/gate.ts'
import { bookCommand, entryOf } from './ledger/kernel.ts'
import { declinedOf } from './ledger/transfers.ts'
import { referenceOf } from './sequences.ts'

type Move = {
  readonly posting: Posting
  /** Whose own account it must be; null: anybody's. */
  readonly owner: string | null
  readonly account: string
  readonly screening?: Screening | undefined
  readonly asked_by: string
}

const noAccount = (account: string): Refusal =>
  refuse('ACCOUNT_NOT_FOUND', `There is no account ${account}.`, { account })

const ownAccount = (book: Book, { account, owner }: Move): Account | Refusal => {
  const found = bookableAccount(book, account)
  if (isRefusal(found)) return found
  return owner === null || found.owner === owner ? found : noAccount(account)
}

/** Staff move money on any account, a card holder on his own. */
const whoseOf = ({ reach, context }: Enrichment): Pick<Move, 'owner' | 'asked_by'> => ({
  owner: reach === 'all' ? null : context.actor.id,
  asked_by: context.actor.id,
})

/** `posting` names machine accounts too, which are nobody's: whose money it is was checked here. */
const post = (book: Book, move: Move): Decision<LedgerEvent> => {
  const own = ownAccount(book, move)
  if (isRefusal(own)) return own
  return Ledger.decide.transfer(book, { ...transferOf(move), poster: { owner: null } })
}

const transferOf = ({ posting, screening, asked_by }: Move) => ({ posting, screening, asked_by })

/** At a machine nothing can wait for somebody to decide: what would be held is declined. */
const screenedAtOnce = async (enrichment: Enrichment, asked: Gated): Promise<Partial<Move>> => {
  const screening = await screeningOf(enrichment, asked)
  if (screening?.outcome !== 'hold') return { screening }
  return { screening: { ...screening, outcome: 'refuse' } }
}

const answerOf = (events: readonly Decoded[]): Entry | Refusal =>
  declinedOf(events) ?? entryOf(events)

const newReference = async (enrichment: Enrichment): Promise<string> =>
  referenceOf(await takeNumber(enrichment, 'references'), enrichment.at.slice(0, 10))

const Cash = Amount.refine(
  (amount) => Number(amount) % NOTE_CENTS === 0,
  `is not made of notes of ${NOTE_CENTS} cents`,
)

const atMachine = {
  book: BookId,
  account: AccountCode,
  amount: Amount,
  machine: MachineId,
}

/**
 * Cash from a machine's cassette. Refused in this order: the account's state, its available
 * balance, its daily limit, the notes that the machine has left.
 */
export const withdrawCash = bookCommand({
  name: 'card_transactions.withdraw',
  permission: 'cards:use',
  input: z.strictObject({ ...atMachine, amount: Cash }),
  enrich: async ({ book, account, amount, machine }, enrichment): Promise<Move> => {
    const to = machineAccounts(machine).cassette
    const asked = { kind: 'withdrawal', metadata: { machine } }
    return {
      account,
      ...whoseOf(enrichment),
      ...(await screenedAtOnce(enrichment, { ...asked, book, from: account, to, amount })),
      posting: {
        ...asked,
        id: enrichment.newId(),
        at: enrichment.at,
        description: 'Cash Withdrawal',
        reference: await newReference(enrichment),
        lines: pairOf(account, to, amount),
      },
    }
  },
  decide: post,
  answer: answerOf,
})

/** Cash or a check into a machine; parts of it are held for a while (`heldParts`). */
export const depositFunds = bookCommand({
  name: 'card_transactions.deposit',
  permission: 'cards:use',
  input: z.strictObject({
    ...atMachine,
    kind: DepositKind,
    check_number: z.string().trim().min(1).max(20).optional(),
  }),
  enrich: async (input, enrichment): Promise<Move> => {
    const { account, amount, machine, kind, check_number } = input
    const { at } = enrichment
    const id = enrichment.newId()
    const isCash = kind === 'cash'
    const from = isCash ? machineAccounts(machine).deposits : CHECK_CLEARING
    const check = check_number === undefined ? '' : ` (Check #${check_number})`
    return {
      account,
      ...whoseOf(enrichment),
      posting: {
        id,
        at,
        kind: `deposit_${kind}`,
        description: isCash ? 'Cash Deposit' : `Check Deposit${check}`,
        reference: await newReference(enrichment),
        metadata: { machine, ...(check_number !== undefined && { check_number }) },
        lines: pairOf(from, account, amount),
        holds: heldParts(kind, BigInt(amount), at).map((held, index) => ({
          ...held,
          id: `${id}-${index}`,
          account,
        })),
      },
    }
  },
  decide: post,
  answer: entryOf,
})

/**
 * Refused in this order: the source's state, no such target, the same account, the target's state,
 * the available balance, the daily limit.
 */
const transfer = (book: Book, move: Move): Decision<LedgerEvent> => {
  const source = ownAccount(book, move)
  if (isRefusal(source)) return source
  const to = move.posting.lines[1]?.account ?? ''
  const target = book.accounts.get(to)
  // Customers' accounts alone can be paid into, and only what they are kept in.
  if (!target || target.owner === null || target.asset !== source.asset) return noAccount(to)
  if (to === source.code) return refuse('SAME_ACCOUNT', `Both are ${to}.`, { account: to })
  if (target.status !== 'active') {
    return refuse('TARGET_UNAVAILABLE', `Account ${to} is ${target.status}.`, { account: to })
  }
  return Ledger.decide.transfer(book, { ...transferOf(move), poster: { owner: move.owner } })
}

/** To an account of this bank, whoever's; credited at once. Each side has a reference of its own. */
export const transferByCard = bookCommand({
  name: 'card_transactions.transfer',
  permission: 'cards:use',
  input: z.strictObject({
    book: BookId,
    account: AccountCode,
    to_number: z.string().min(1).max(20),
    amount: Amount,
  }),
  enrich: async ({ book, account, to_number, amount }, enrichment): Promise<Move> => {
    // No account has the empty code, whatever the number that was typed.
    const to = findableCode(to_number) ?? ''
    const reference = await newReference(enrichment)
    const reference_in = await newReference(enrichment)
    const asked = { kind: 'transfer', metadata: { reference_in, from: account, to } }
    return {
      account,
      ...whoseOf(enrichment),
      ...(await screenedAtOnce(enrichment, { ...asked, book, from: account, to, amount })),
      posting: {
        ...asked,
        id: enrichment.newId(),
        at: enrichment.at,
        description: 'Transfer',
        reference,
        lines: pairOf(account, to, amount),
      },
    }
  },
  decide: transfer,
  answer: answerOf,
})
