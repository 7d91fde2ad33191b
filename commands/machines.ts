import { z } from 'zod'
import { OPENING_EQUITY } from '../domain/deposits.ts'
import { isRefusal } from '../domain/kernel.ts'
import { type AccountType, BookId, type LedgerEvent } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Posting } from '../domain/ledger/request.ts'
import type { Book } from '../domain/ledger/state.ts'
import {
  CHECK_CLEARING,
  MachineId,
  machineAccounts,
  NOTE_CENTS,
  VAULT,
} from '../domain/machines.ts'
import { bookCommand, entryOf } from './ledger/kernel.ts'

const ASSET = 'USD/2'

type Wanted = readonly [account: string, type: AccountType, name: string]

const accountsFor = (machine: string): readonly Wanted[] => {
  const { cassette, deposits } = machineAccounts(machine)
  return [
    [cassette, 'asset', `Machine ${machine}: $20 notes`],
    [deposits, 'asset', `Machine ${machine}: notes taken in`],
    [CHECK_CLEARING, 'asset', 'Checks on their way'],
    [VAULT, 'asset', 'Cash in the vault'],
    [OPENING_EQUITY, 'equity', 'Opening balances'],
  ]
}

const openMissing = (
  book: Book,
  { wanted, at }: { readonly wanted: readonly Wanted[]; readonly at: string },
) => {
  const events: LedgerEvent[] = []
  for (const [account, type, name] of wanted) {
    if (book.accounts.get(account)) continue
    const overdraft_limit = type === 'equity' ? 'unlimited' : '0'
    const decision = Ledger.decide.openAccount(book, {
      ...{ account, type, name, asset: ASSET, owner: null, opened_at: at },
      terms: { overdraft_limit, velocity_limits: [] },
    })
    if (isRefusal(decision)) return decision
    events.push(...decision)
  }
  return events
}

const ofMachine = { book: BookId, machine: MachineId }

/** Opens the ledger accounts of a cash machine, and the bank's that it pays into; once. */
export const installMachine = bookCommand({
  name: 'machines.install',
  permission: 'machines:manage',
  input: z.strictObject(ofMachine),
  enrich: ({ machine }, { at }) => ({ wanted: accountsFor(machine), at }),
  decide: openMissing,
  answer: (_events, { book, machine }) => ({ book, machine, ...machineAccounts(machine) }),
})

/** Puts notes from the vault into a machine's cassette. */
export const loadMachine = bookCommand({
  name: 'machines.load',
  permission: 'machines:manage',
  input: z.strictObject({ ...ofMachine, twenties: z.int().min(1).max(10_000) }),
  enrich: ({ machine, twenties }, { at, newId }): Posting => {
    const amount = String(twenties * NOTE_CENTS)
    return {
      id: newId(),
      at,
      kind: 'cassette_load',
      description: `${twenties} notes of $20 into machine ${machine}`,
      lines: [
        { account: machineAccounts(machine).cassette, direction: 'debit', amount },
        { account: VAULT, direction: 'credit', amount },
      ],
    }
  },
  decide: (book: Book, posting: Posting) =>
    Ledger.decide.post(book, { posting, poster: { owner: null } }),
  answer: entryOf,
})
