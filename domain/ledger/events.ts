import { z } from 'zod'
import type { EventOf } from '../kernel.ts'
import { Amount, AmountOrZero, Asset, Balance } from '../money.ts'
import { Gating, Screening } from '../screening.ts'

/** A ledger's name in streams and addresses: `main`, `branch-7`. */
export const BookId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a book is lower-case letters, digits and dashes, at most 32')

/** A chart-of-accounts code, from general to particular: `customers:42:checking`. */
export const AccountCode = z
  .string()
  .max(128)
  .regex(
    /^[a-z0-9][a-z0-9_.-]*(?::[a-z0-9][a-z0-9_.-]*){0,7}$/,
    'an account code is 1 to 8 parts of a-z 0-9 _ . - joined by colons',
  )

export const Identifier = z
  .string()
  .regex(/^[0-9A-Za-z_-]{1,64}$/, 'an id is 1 to 64 letters, digits, underscores or dashes')

// There is no year 0, and Postgres knows none.
const hasYear = (text: string): boolean => !text.startsWith('0000')
const A_YEAR = 'a year from 0001 on'
export const Day = z.iso.date().refine(hasYear, A_YEAR)
export const Instant = z.iso.datetime({ precision: 3 }).refine(hasYear, A_YEAR)

export const AccountType = z.enum(['asset', 'liability', 'equity', 'income', 'expense'])
export type AccountType = z.infer<typeof AccountType>

export const Labels = z
  .record(z.string().min(1).max(64), z.string().max(512))
  .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 metadata fields')

/** At most so much, or so many times, may leave the account in a day or month of the book. */
export const VelocityLimit = z.strictObject({
  window: z.enum(['day', 'month']),
  /** Only entries of this kind count; without it, all do. */
  kind: z.string().max(32).optional(),
  amount: Amount.optional(),
  count: z.int().min(1).max(1_000_000).optional(),
})
export type VelocityLimit = z.infer<typeof VelocityLimit>

/** How far below zero an account may go: minor units, or `unlimited`. */
export const OverdraftLimit = z.union([AmountOrZero, z.literal('unlimited')])

export const Terms = z.strictObject({
  overdraft_limit: OverdraftLimit,
  velocity_limits: z.array(VelocityLimit).max(8),
})

/**
 * One side of an entry. `balance` is what the account stood at after this line, on its own normal
 * side: it makes each line a statement row and lets every reader check the arithmetic.
 */
export const Line = z.object({
  account: AccountCode,
  direction: z.enum(['debit', 'credit']),
  amount: Amount,
  asset: Asset,
  balance: Balance,
})
export type Line = z.infer<typeof Line>

/** Money kept back on an account: an authorisation, or a deposit not yet free. */
export const Hold = z.object({
  id: Identifier,
  account: AccountCode,
  asset: Asset,
  amount: Amount,
  kind: z.enum(['authorisation', 'deposit']),
  description: z.string().max(256),
  /** When it ends by itself; null: never. */
  expires_at: Instant.nullable(),
})
export type Hold = z.infer<typeof Hold>

export const EntryKind = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,31}$/, 'a kind is lower-case letters, digits and underscores')

export const Entry = z.object({
  id: Identifier,
  kind: EntryKind,
  lines: z.array(Line).min(2).max(128),
  booked_at: Instant,
  value_date: Day,
  description: z.string().max(256),
  reference: z.string().max(128).optional(),
  metadata: Labels.optional(),
  /** The entry that this one takes back. */
  reverses: Identifier.optional(),
  /** The hold that this entry spends from, and what is left of it afterwards. */
  captures: z.object({ hold: Identifier, amount: Amount, left: AmountOrZero }).optional(),
  /** What a payer lacked and another account made up for; the lines of it stand first. */
  covers: z
    .array(z.object({ account: AccountCode, by: AccountCode, amount: Amount }))
    .max(8)
    .optional(),
  /** Parts of what came in that stay held for a while. */
  holds: z.array(Hold).max(8).optional(),
  /** What the risk gate said before it was booked; absent: it was not asked. */
  screening: Screening.optional(),
  /** Who let it pass after it was held for review. */
  approved_by: Identifier.optional(),
})
export type Entry = z.infer<typeof Entry>

/**
 * A transfer that the risk gate did not let pass at once, as it was asked for. Its id is also that
 * of the hold that keeps the money back, and of the entry when it is booked in the end.
 */
export const ScreenedTransfer = z.object({
  id: Identifier,
  kind: EntryKind,
  from: AccountCode,
  to: AccountCode,
  amount: Amount,
  asset: Asset,
  value_date: Day.optional(),
  description: z.string().max(256),
  reference: z.string().max(128).optional(),
  metadata: Labels.optional(),
  /** What the receiving account may not use until then. */
  hold_until: Instant.optional(),
  asked_by: Identifier,
  asked_at: Instant,
  screening: Screening,
})
export type ScreenedTransfer = z.infer<typeof ScreenedTransfer>

const AtAccount = { account: AccountCode }

export const ledgerEvents = {
  BookOpened: z.object({
    book: BookId,
    name: z.string().max(128),
    assets: z.array(Asset).min(1).max(64),
    time_zone: z.string().max(64),
    opened_at: Instant,
  }),
  AssetAdded: z.object({ asset: Asset }),
  AccountOpened: z.object({
    account: AccountCode,
    type: AccountType,
    asset: Asset,
    name: z.string().max(128),
    owner: Identifier.nullable(),
    terms: Terms,
    metadata: Labels.optional(),
    /** What its owner transfers passes the risk gate. */
    risk: Gating.optional(),
    opened_at: Instant,
  }),
  AccountTermsChanged: z.object({ ...AtAccount, terms: Terms }),
  /** The account of the same owner that makes up for what this one lacks; null: none does. */
  AccountCoverChanged: z.object({ ...AtAccount, covered_by: AccountCode.nullable() }),
  AccountGatingChanged: z.object({ ...AtAccount, risk: Gating }),
  AccountFrozen: z.object({ ...AtAccount, reason: z.string().max(256) }),
  AccountUnfrozen: z.object({ ...AtAccount, reason: z.string().max(256) }),
  AccountClosed: z.object({ ...AtAccount, reason: z.string().max(256) }),
  EntryPosted: z.object({ entry: Entry }),
  /** An atomic batch: one event, so it cannot be torn. Readers open it with `entriesOf`. */
  EntriesPosted: z.object({ entries: z.array(Entry).min(1).max(1000) }),
  /** `transfer`: it waits for somebody to approve or decline it. */
  HoldPlaced: z.object({ hold: Hold, placed_at: Instant, transfer: ScreenedTransfer.optional() }),
  HoldReleased: z.object({ hold: Identifier, ...AtAccount, amount: Amount, released_at: Instant }),
  HoldExpired: z.object({ hold: Identifier, ...AtAccount, amount: Amount, expired_at: Instant }),
  /** Refused by the gate, or by a person after it was held; no money has moved. */
  TransferDeclined: z.object({
    transfer: ScreenedTransfer,
    /** null: the gate. */
    declined_by: Identifier.nullable(),
    reason: z.string().max(256),
    declined_at: Instant,
  }),
  PeriodClosed: z.object({
    through: Day,
    closed_at: Instant,
    entries: z.int(),
    /** Totals since the book was opened, by control account (first part of the code) and asset. */
    trial_balance: z
      .array(z.object({ control: z.string(), asset: Asset, debit: Balance, credit: Balance }))
      .max(4096),
  }),
} as const

export type LedgerEvent = EventOf<typeof ledgerEvents>

/** The entries an event holds, in order: none, one, or a batch. */
export const entriesOf = (event: { type: string; data: object }): readonly Entry[] => {
  if (event.type === 'EntryPosted') return [(event.data as { entry: Entry }).entry]
  if (event.type === 'EntriesPosted') return (event.data as { entries: Entry[] }).entries
  return []
}
