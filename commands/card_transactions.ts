import { z } from 'zod'
import { findableCode } from '../domain/deposits.ts'
import { type Decision, isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { bookableAccount } from '../domain/ledger/checks.ts'
import { AccountCode, BookId, type LedgerEvent } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
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
import { type Enrichment, takeNumber } from './kernel.ts'
import { bookCommand, entryOf } from './ledger/kernel.ts'
import { referenceOf } from './sequences.ts'

type Move = {
  readonly posting: Posting
  /** Whose own account it must be; null: anybody's. */
  readonly owner: string | null
  readonly account: string
}

const noAccount = (account: string): Refusal =>
  refuse('ACCOUNT_NOT_FOUND', `There is no account ${account}.`, { account })

const ownAccount = (book: Book, { account, owner }: Move): Account | Refusal => {
  const found = bookableAccount(book, account)
  if (isRefusal(found)) return found
  return owner === null || found.owner === owner ? found : noAccount(account)
}

/** Staff move money on any account, a card holder on his own. */
const ownerOf = ({ reach, context }: Enrichment): string | null =>
  reach === 'own' ? context.actor.id : null

/** `posting` names machine accounts too, which are nobody's: whose money it is was checked here. */
const post = (book: Book, move: Move): Decision<LedgerEvent> => {
  const own = ownAccount(book, move)
  if (isRefusal(own)) return own
  return Ledger.decide.post(book, { posting: move.posting, poster: { owner: null } })
}

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
  enrich: async ({ account, amount, machine }, enrichment): Promise<Move> => ({
    account,
    owner: ownerOf(enrichment),
    posting: {
      id: enrichment.newId(),
      at: enrichment.at,
      kind: 'withdrawal',
      description: 'Cash Withdrawal',
      reference: await newReference(enrichment),
      metadata: { machine },
      lines: [
        { account, direction: 'debit', amount },
        { account: machineAccounts(machine).cassette, direction: 'credit', amount },
      ],
    },
  }),
  decide: post,
  answer: entryOf,
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
      owner: ownerOf(enrichment),
      posting: {
        id,
        at,
        kind: `deposit_${kind}`,
        description: isCash ? 'Cash Deposit' : `Check Deposit${check}`,
        reference: await newReference(enrichment),
        metadata: { machine, ...(check_number !== undefined && { check_number }) },
        lines: [
          { account: from, direction: 'debit', amount },
          { account, direction: 'credit', amount },
        ],
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
  return Ledger.decide.post(book, { posting: move.posting, poster: { owner: move.owner } })
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
  enrich: async ({ account, to_number, amount }, enrichment): Promise<Move> => {
    // No account has the empty code, whatever the number that was typed.
    const to = findableCode(to_number) ?? ''
    const reference = await newReference(enrichment)
    const reference_in = await newReference(enrichment)
    return {
      account,
      owner: ownerOf(enrichment),
      posting: {
        id: enrichment.newId(),
        at: enrichment.at,
        kind: 'transfer',
        description: 'Transfer',
        reference,
        metadata: { reference_in, from: account, to },
        lines: [
          { account, direction: 'debit', amount },
          { account: to, direction: 'credit', amount },
        ],
      },
    }
  },
  decide: transfer,
  answer: entryOf,
})
