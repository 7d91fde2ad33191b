import { z } from 'zod'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { codePartOf } from './ledger/codes.ts'
import { BookId, Day, Identifier, Instant } from './ledger/events.ts'
import { AmountOrZero, Asset, Balance, currencyOf } from './money.ts'

/** Minor units: a difference above it is looked at by a second person. */
const TOLERATED = 5_000n

export const isTolerable = (expected: bigint, counted: bigint): boolean => {
  const difference = counted - expected
  return difference <= TOLERATED && difference >= -TOLERATED
}

/** Where cash lies, and what counting it comes to. */
export const tillAccounts = (teller: string, asset: string) => {
  const currency = currencyOf(asset)
  return {
    vault: `cash:vault:${currency}`,
    till: `cash:tills:${currency}:${codePartOf(teller)}`,
    over: `income:cash-over:${currency}`,
    short: `expenses:cash-short:${currency}`,
  }
}

/** What the ledger still has to book. */
const TillStep = z.enum(['opening', 'closing'])
type TillStep = z.infer<typeof TillStep>

const ByTill = { teller: Identifier, till: Identifier }

export const tillEvents = {
  TillOpened: z.object({
    ...ByTill,
    book: BookId,
    asset: Asset,
    day: Day,
    /** From the vault. */
    float: AmountOrZero,
    opened_at: Instant,
  }),
  TillCounted: z.object({
    ...ByTill,
    /** What the ledger says that there is. */
    expected: Balance,
    counted: AmountOrZero,
    approval: z.enum(['needed', 'none']),
    counted_at: Instant,
  }),
  TillCountApproved: z.object({ ...ByTill, approved_by: Identifier, approved_at: Instant }),
  TillBooked: z.object({
    ...ByTill,
    step: TillStep,
    /** Of a till that is closed: what was too much, or below zero too little. */
    difference: Balance.nullable(),
    booked_at: Instant,
  }),
} as const

type TillEvent = EventOf<typeof tillEvents>
type Data<Type extends keyof typeof tillEvents> = z.infer<(typeof tillEvents)[Type]>
export type TillOpening = Data<'TillOpened'>
export type TillCount = Data<'TillCounted'>

export type TillState = {
  /** counted: it waits for a second person; closing: for the ledger. */
  readonly status: 'closed' | 'open' | 'counted' | 'closing'
  /** The newest one of the teller. */
  readonly opening: TillOpening | null
  readonly count: TillCount | null
  readonly unbooked: TillStep | null
}

const open = (state: TillState, data: TillOpening): Decision<TillEvent> => {
  if (state.status !== 'closed') return refuse('TILL_EXISTS', 'Your till is open already.')
  if (state.opening?.day === data.day) {
    return refuse('TILL_EXISTS', 'You have had a till today already.')
  }
  return [{ type: 'TillOpened', data }]
}

const notOpen = (): Refusal => refuse('TILL_NOT_OPEN', 'You have no till that is open.')

/** Again, too, until somebody else has looked at it. */
const count = (
  { status, opening, unbooked }: TillState,
  data: Omit<TillCount, 'till' | 'approval'>,
): Decision<TillEvent> => {
  if (!opening || unbooked !== null || status === 'closed') return notOpen()
  const tolerable = isTolerable(BigInt(data.expected), BigInt(data.counted))
  const approval = tolerable ? 'none' : 'needed'
  return [{ type: 'TillCounted', data: { ...data, till: opening.till, approval } }]
}

const approve = (
  { status, opening }: TillState,
  data: Omit<Data<'TillCountApproved'>, 'till'>,
): Decision<TillEvent> => {
  if (data.approved_by === data.teller) {
    return refuse('MAKER_IS_CHECKER', 'Somebody else looks at what you have counted.')
  }
  if (!opening || status !== 'counted') {
    return refuse('TILL_NOT_COUNTED', 'No count of this till waits for approval.')
  }
  return [{ type: 'TillCountApproved', data: { ...data, till: opening.till } }]
}

/** The ledger has booked a step; once. */
const book = ({ unbooked, opening }: TillState, data: Data<'TillBooked'>): Decision<TillEvent> =>
  unbooked === data.step && opening?.till === data.till ? [{ type: 'TillBooked', data }] : []

/** The tills of a teller, one a day: opened with cash of the vault, and counted at the end. */
export const Till = decider({
  category: 'till',
  schemas: tillEvents,
  initial: (): TillState => ({ status: 'closed', opening: null, count: null, unbooked: null }),
  evolve: {
    TillOpened: (_state, opening): TillState => ({
      ...{ status: 'open', opening, count: null, unbooked: 'opening' },
    }),
    TillCounted: (state, counted): TillState =>
      counted.approval === 'needed'
        ? { ...state, status: 'counted', count: counted }
        : { ...state, status: 'closing', count: counted, unbooked: 'closing' },
    TillCountApproved: (state): TillState => ({
      ...{ ...state, status: 'closing', unbooked: 'closing' },
    }),
    TillBooked: (state, { step }): TillState => ({
      ...{ ...state, unbooked: null, status: step === 'closing' ? 'closed' : state.status },
    }),
  },
  decide: { open, count, approve, book },
})
