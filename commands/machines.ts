import { z } from 'zod'
import { BookId } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import { pairOf } from '../domain/ledger/lines.ts'
import type { Posting } from '../domain/ledger/request.ts'
import type { Book } from '../domain/ledger/state.ts'
import {
  CHECK_CLEARING,
  MachineId,
  machineAccounts,
  NOTE_CENTS,
  VAULT,
} from '../domain/machines.ts'
import { openingEquity, openMissing, type Wanted } from './chart.ts'
import { bookCommand, entryOf } from './ledger/kernel.ts'

const ASSET = 'USD/2'

const accountsFor = (machine: string): readonly Wanted[] => {
  const { cassette, deposits } = machineAccounts(machine)
  const asset = { type: 'asset', overdraft_limit: '0' } as const
  return [
    { ...asset, account: cassette, name: `Machine ${machine}: $20 notes` },
    { ...asset, account: deposits, name: `Machine ${machine}: notes taken in` },
    { ...asset, account: CHECK_CLEARING, name: 'Checks on their way' },
    { ...asset, account: VAULT, name: 'Cash in the vault' },
    openingEquity(ASSET),
  ]
}

const ofMachine = { book: BookId, machine: MachineId }

/** Opens the ledger accounts of a cash machine, and the bank's that it pays into; once. */
export const installMachine = bookCommand({
  name: 'machines.install',
  permission: 'machines:manage',
  input: z.strictObject(ofMachine),
  enrich: ({ machine }, { at }) => ({ wanted: accountsFor(machine), asset: ASSET, at }),
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
      lines: pairOf(machineAccounts(machine).cassette, VAULT, amount),
    }
  },
  decide: (book: Book, posting: Posting) =>
    Ledger.decide.post(book, { posting, poster: { owner: null } }),
  answer: entryOf,
})
