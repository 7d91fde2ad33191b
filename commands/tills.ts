import { z } from 'zod'
import { dayOf } from '../domain/calendar.ts'
import { idFrom } from '../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { BookId, Identifier } from '../domain/ledger/events.ts'
import { pairOf } from '../domain/ledger/lines.ts'
import type { Posting } from '../domain/ledger/request.ts'
import { AmountOrZero, Asset } from '../domain/money.ts'
import {
  Till,
  type TillCount,
  type TillOpening,
  type TillState,
  tillAccounts,
} from '../domain/tills.ts'
import { openAccounts, type Wanted } from './chart.ts'
import { command, type Enrichment, execute, onExisting } from './kernel.ts'
import { bookOnce } from './ledger/bookings.ts'
import { bookAsItStands, dataOf, existingBook } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'
import type { Ports } from './ports.ts'

const lookAtTill = (ports: Looking, teller: string): Promise<TillState> =>
  lookAt(ports, Till, teller)

/** Where cash goes that a teller takes in or pays out now; undefined: he has no open till. */
export const openTillOf = async (
  { ports }: { readonly ports: Looking },
  teller: string,
  { book, asset }: { readonly book: string; readonly asset: string },
): Promise<string | undefined> => {
  const { status, opening, unbooked } = await lookAtTill(ports, teller)
  if (status !== 'open' || unbooked !== null || opening === null) return undefined
  const isHere = opening.book === book && opening.asset === asset
  return isHere ? tillAccounts(teller, asset).till : undefined
}

const chartOf = (teller: string, asset: string): readonly Wanted[] => {
  const { vault, till, over, short } = tillAccounts(teller, asset)
  return [
    // What lay in it before it was kept here may be brought forward later.
    { account: vault, type: 'asset', name: 'Vault', overdraft_limit: 'unlimited' },
    { account: till, type: 'asset', name: 'Till', overdraft_limit: '0' },
    { account: over, type: 'income', name: 'Cash over', overdraft_limit: '0' },
    { account: short, type: 'expense', name: 'Cash short', overdraft_limit: '0' },
  ]
}

type Lines = Posting['lines']

const someOf = (debit: string, credit: string, amount: bigint): Lines =>
  amount > 0n ? pairOf(debit, credit, amount.toString()) : []

const openingLines = ({ teller, asset, float }: TillOpening): Lines => {
  const { till, vault } = tillAccounts(teller, asset)
  return someOf(till, vault, BigInt(float))
}

/** Leaves nothing in the till: what was counted goes to the vault, the difference to its account. */
const closingLines = (
  { teller, asset }: TillOpening,
  counted: bigint,
  difference: bigint,
): Lines => {
  const { till, vault, over, short } = tillAccounts(teller, asset)
  return [
    ...someOf(till, over, difference),
    ...someOf(short, till, -difference),
    ...someOf(vault, till, counted),
  ]
}

const balanceOf = async (ports: Ports, { teller, book, asset }: TillOpening): Promise<bigint> => {
  const { accounts } = (await bookAsItStands(ports, book)).state
  return accounts.get(tillAccounts(teller, asset).till)?.balance ?? 0n
}

type Booked = { readonly difference: string | null }

/** Asks the ledger for the entry of a step; where nothing moves, there is none. */
const bookStep = async (
  enrichment: Enrichment,
  { opening, count, unbooked }: TillState & { readonly opening: TillOpening },
): Promise<Booked | Refusal> => {
  const { teller, till, book, asset } = opening
  const { ports, at, context } = enrichment
  const isClosing = unbooked === 'closing'
  const wanted = chartOf(teller, asset)
  const opened = await openAccounts(enrichment, book, { wanted, asset, at })
  if (isRefusal(opened)) return opened
  const expected = await balanceOf(ports, opening)
  const counted = BigInt(count?.counted ?? 0)
  const difference = counted - expected
  const lines = isClosing ? closingLines(opening, counted, difference) : openingLines(opening)
  const answer = { difference: isClosing ? difference.toString() : null }
  if (lines.length === 0) return answer
  const unchanged = `${expected}`
  const posting: Posting = {
    ...{ id: idFrom(`${till} ${unbooked}`), at, kind: isClosing ? 'till_closing' : 'till_opening' },
    ...{ description: isClosing ? 'Till closed' : 'Till opened', metadata: { till }, lines },
    // Somebody may have been served since the balance was looked at.
    conditions: [
      {
        ...{ account: tillAccounts(teller, asset).till, field: 'balance' },
        ...{ at_least: unchanged, at_most: unchanged },
      },
    ],
  }
  const booking = { book, key: `till:${till}:${unbooked}`, causation: 'tills.book', posting }
  const booked = await bookOnce(enrichment, booking, context.dryRun ?? false)
  return isRefusal(booked) ? booked : answer
}

const tillCommand = onExisting({ decider: Till, field: 'teller', otherwise: 'TILL_NOT_OPEN' })
const ByTeller = z.strictObject({ teller: Identifier })

/** Has the ledger book what has happened and is not booked yet. Safe to ask for again. */
export const bookTill = tillCommand({
  name: 'tills.book',
  permission: 'clock:work',
  input: ByTeller,
  enrich: async ({ teller }, enrichment) => {
    const state = await lookAtTill(enrichment.ports, teller)
    const { opening, unbooked } = state
    if (!opening || unbooked === null) return null
    const booked = await bookStep(enrichment, { ...state, opening })
    if (isRefusal(booked)) return booked
    return { teller, till: opening.till, step: unbooked, ...booked, booked_at: enrichment.at }
  },
  decide: (state: TillState, booked: Parameters<typeof Till.decide.book>[1] | null) =>
    booked === null ? [] : Till.decide.book(state, booked),
  answer: (_events, { teller }) => ({ teller }),
})

/** What is refused now is left to the clock, which asks again. */
const bookNow = async (teller: string, { ports, context }: Enrichment): Promise<void> => {
  const actor = { id: context.actor.id, roles: ['system' as const] }
  const { at, correlation } = context
  await execute(ports, bookTill, { teller }, { actor, at, correlation })
}

/** One's own, with cash of the vault; one a day. */
export const openTill = command({
  name: 'tills.open',
  permission: 'tills:use',
  input: z.strictObject({ book: BookId, asset: Asset, float: AmountOrZero }),
  decider: Till,
  stream: (_input, { context }) => context.actor.id,
  on: 'any',
  otherwise: 'TILL_EXISTS',
  ifMatch: 'stream',
  enrich: async ({ book, asset, float }, { ports, context, at, newId }) => {
    const state = await existingBook(ports, book)
    if (isRefusal(state)) return state
    if (!state.assets.includes(asset)) {
      return refuse('ASSET_UNKNOWN', `The book does not keep ${asset}.`, { asset })
    }
    const opening = { till: newId(), day: dayOf(at, state.timeZone), opened_at: at }
    return { teller: context.actor.id, book, asset, float, ...opening }
  },
  decide: Till.decide.open,
  answer: (events) => {
    const { till, teller, day } = dataOf<TillOpening>(events, 'TillOpened')
    return { till, teller, day, status: 'open' as const }
  },
  after: (_input, enrichment) => bookNow(enrichment.context.actor.id, enrichment),
})

/** Says what lies in one's own till, which closes it, unless a second person has to look. */
export const countTill = command({
  name: 'tills.count',
  permission: 'tills:use',
  input: z.strictObject({ counted: AmountOrZero }),
  decider: Till,
  stream: (_input, { context }) => context.actor.id,
  on: 'existing',
  otherwise: 'TILL_NOT_OPEN',
  ifMatch: 'stream',
  enrich: async ({ counted }, { ports, context, at }) => {
    const teller = context.actor.id
    const { opening } = await lookAtTill(ports, teller)
    const expected = opening ? await balanceOf(ports, opening) : 0n
    return { teller, expected: expected.toString(), counted, counted_at: at }
  },
  decide: Till.decide.count,
  answer: (events) => {
    const { till, expected, counted, approval } = dataOf<TillCount>(events, 'TillCounted')
    const difference = (BigInt(counted) - BigInt(expected)).toString()
    const status = approval === 'needed' ? ('counted' as const) : ('closing' as const)
    return { till, expected, counted, difference, status }
  },
  after: (_input, enrichment) => bookNow(enrichment.context.actor.id, enrichment),
})

/** Lets a count with a difference stand. */
export const approveTill = tillCommand({
  name: 'tills.approve',
  permission: 'tills:approve',
  input: ByTeller,
  enrich: ({ teller }, { context, at }) => ({
    ...{ teller, approved_by: context.actor.id, approved_at: at },
  }),
  decide: Till.decide.approve,
  answer: (_events, { teller }) => ({ teller, status: 'closing' as const }),
  after: ({ teller }, enrichment) => bookNow(teller, enrichment),
})
