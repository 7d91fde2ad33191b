import { z } from 'zod'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { AccountCode, BookId, Identifier, Instant } from './ledger/events.ts'

const ByCard = { card: Identifier }
const PinHash = z.string().max(512)
const Reason = z.string().max(256)

/** The stream `card-<id>` is named by what an HMAC makes of the card's number. */
export const cardEvents = {
  CardIssued: z.object({
    ...ByCard,
    customer: Identifier,
    book: BookId,
    /** The account that it pays from and into. */
    account: AccountCode,
    /** Sealed for the customer: the card's number. */
    number: z.string().max(1024),
    pin_hash: PinHash,
    issued_at: Instant,
  }),
  /** Also of a number that no card has: guesses at it count alike. */
  CardPinFailed: z.object({
    ...ByCard,
    failed_at: Instant,
    /** Until when the card is locked; null: it is not. */
    locked_until: Instant.nullable(),
  }),
  CardPinCleared: z.object({ ...ByCard, cleared_at: Instant }),
  CardPinChanged: z.object({ ...ByCard, pin_hash: PinHash, changed_at: Instant }),
  CardBlocked: z.object({ ...ByCard, reason: Reason, blocked_at: Instant }),
  CardUnblocked: z.object({ ...ByCard, reason: Reason, unblocked_at: Instant }),
} as const

type CardEvent = EventOf<typeof cardEvents>
type Data<Type extends keyof typeof cardEvents> = z.infer<(typeof cardEvents)[Type]>

export type CardState = {
  readonly issued: Omit<Data<'CardIssued'>, 'pin_hash' | 'issued_at'> | null
  readonly pinHash: string
  readonly blocked: boolean
  /** Wrong PINs in a row. Only a right one resets them. */
  readonly failures: number
  readonly lockedUntil: string | null
}

const MAX_FAILURES = 3
const LOCK_MS = 30 * 60_000

/** The refusal while the card is locked. */
export const cardLockOf = ({ lockedUntil }: CardState, at: string): Refusal | undefined =>
  lockedUntil !== null && at < lockedUntil
    ? refuse('CARD_LOCKED', `Too many wrong PINs: the card is locked until ${lockedUntil}.`, {
        locked_until: lockedUntil,
      })
    : undefined

/** Whether somebody with the right PIN may use it. */
export const isUsable = ({ issued, blocked }: CardState): boolean => issued !== null && !blocked

const issue = (state: CardState, data: Data<'CardIssued'>): Decision<CardEvent> =>
  state.issued === null
    ? [{ type: 'CardIssued', data }]
    : refuse('CARD_EXISTS', 'There is a card of this number already.', { field: 'card_number' })

type Judged = { readonly card: string; readonly correct: boolean; readonly at: string }

/**
 * Records how a PIN turned out. Decided one after another, so that many guesses sent at once are
 * no more than many guesses sent in a row: three, and the card is locked for half an hour.
 */
const judgePin = (state: CardState, { card, correct, at }: Judged): Decision<CardEvent> => {
  const locked = cardLockOf(state, at)
  if (locked) return locked
  if (correct) {
    return state.failures === 0 ? [] : [{ type: 'CardPinCleared', data: { card, cleared_at: at } }]
  }
  const isLast = state.failures + 1 >= MAX_FAILURES
  const locked_until = isLast ? new Date(Date.parse(at) + LOCK_MS).toISOString() : null
  return [{ type: 'CardPinFailed', data: { card, failed_at: at, locked_until } }]
}

/** `replaces`: the hash with which the given present PIN was compared. */
const changePin = (
  state: CardState,
  { replaces, ...data }: Data<'CardPinChanged'> & { readonly replaces: string },
): Decision<CardEvent> =>
  replaces === state.pinHash
    ? [{ type: 'CardPinChanged', data }]
    : refuse('CARD_CREDENTIALS_INVALID', 'The PIN was changed in the meantime.')

const unknown = (card: string) => refuse('CARD_NOT_FOUND', `There is no card ${card}.`)

const block = (state: CardState, data: Data<'CardBlocked'>): Decision<CardEvent> => {
  if (state.issued === null) return unknown(data.card)
  return state.blocked ? [] : [{ type: 'CardBlocked', data }]
}

/** Also forgets the wrong PINs: whoever unblocks it has made sure who asks. */
const unblock = (state: CardState, data: Data<'CardUnblocked'>): Decision<CardEvent> => {
  if (state.issued === null) return unknown(data.card)
  const isFree = !state.blocked && state.failures === 0
  return isFree ? [] : [{ type: 'CardUnblocked', data }]
}

const fresh = { failures: 0, lockedUntil: null } as const

/** A number printed on plastic, with or without a card behind it, and the PINs tried on it. */
export const Card = decider({
  category: 'card',
  schemas: cardEvents,
  initial: (): CardState => ({ issued: null, pinHash: '', blocked: false, ...fresh }),
  evolve: {
    CardIssued: (_state, { pin_hash, issued_at: _at, ...issued }): CardState => ({
      issued,
      pinHash: pin_hash,
      blocked: false,
      ...fresh,
    }),
    CardPinFailed: (state, { locked_until }) => ({
      ...state,
      failures: state.failures + 1,
      lockedUntil: locked_until,
    }),
    CardPinCleared: (state) => ({ ...state, ...fresh }),
    CardPinChanged: (state, { pin_hash }) => ({ ...state, pinHash: pin_hash, ...fresh }),
    CardBlocked: (state) => ({ ...state, blocked: true }),
    CardUnblocked: (state) => ({ ...state, blocked: false, ...fresh }),
  },
  decide: { issue, judgePin, changePin, block, unblock },
})
