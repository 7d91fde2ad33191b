import { z } from 'zod'
import {
  AccountCode,
  AccountType,
  BookId,
  Day,
  EntryKind,
  Identifier,
  Instant,
  Labels,
  OverdraftLimit,
  VelocityLimit,
} from '../../domain/ledger/events.ts'
import { Amount, Asset, Balance } from '../../domain/money.ts'
import { Gating } from '../../domain/screening.ts'

const Description = z.string().trim().max(256)
const Reason = z.string().trim().min(1).max(256)
const ByBook = { book: BookId }
const ByAccount = { book: BookId, account: AccountCode }

export const OpenBook = z.strictObject({
  book: BookId,
  name: z.string().trim().min(1).max(128),
  assets: z.array(Asset).min(1).max(64),
  time_zone: z.string().max(64).default('UTC'),
})

export const AddAsset = z.strictObject({ ...ByBook, asset: Asset })

const terms = {
  overdraft_limit: OverdraftLimit,
  velocity_limits: z.array(VelocityLimit).max(8),
}

export const OpenAccount = z.strictObject({
  ...ByAccount,
  type: AccountType,
  asset: Asset,
  name: z.string().trim().min(1).max(128),
  owner: Identifier.nullable().default(null),
  /** Absent: none for assets and liabilities, unlimited for the others. */
  overdraft_limit: OverdraftLimit.optional(),
  velocity_limits: terms.velocity_limits.default([]),
  metadata: Labels.optional(),
  /** What its owner transfers passes the risk gate. */
  risk: Gating.optional(),
})

export const ChangeTerms = z.strictObject({ ...ByAccount, ...terms })
export const ChangeGating = z.strictObject({ ...ByAccount, risk: Gating })
export const ChangeStatus = z.strictObject({ ...ByAccount, reason: Reason })

const Condition = z
  .strictObject({
    account: AccountCode,
    field: z.enum(['balance', 'available']),
    at_least: Balance.optional(),
    at_most: Balance.optional(),
  })
  .refine(
    (condition) => condition.at_least !== undefined || condition.at_most !== undefined,
    'a condition needs at_least or at_most',
  )

const posting = {
  kind: EntryKind,
  value_date: Day.optional(),
  description: Description.default(''),
  reference: z.string().trim().min(1).max(128).optional(),
  metadata: Labels.optional(),
  conditions: z.array(Condition).max(16).optional(),
}

const LineInput = z.strictObject({
  account: AccountCode,
  direction: z.enum(['debit', 'credit']),
  amount: Amount,
})

const DepositHold = z.strictObject({ account: AccountCode, amount: Amount, until: Instant })

export const EntryInput = z.strictObject({
  ...posting,
  kind: EntryKind.default('journal'),
  lines: z.array(LineInput).min(2).max(128),
  holds: z.array(DepositHold).max(8).optional(),
})
export type EntryInput = z.infer<typeof EntryInput>

export const PostEntry = z.strictObject({ ...ByBook, ...EntryInput.shape })

/** `from` is debited and `to` is credited. */
export const PostTransfer = z.strictObject({
  ...ByBook,
  ...posting,
  kind: EntryKind.default('transfer'),
  from: AccountCode,
  to: AccountCode,
  amount: Amount,
  /** What the receiving account may not use until then. */
  hold_until: Instant.optional(),
  /** Let the risk gate look at it first; without it, where the account says so. */
  risk: z.literal('gate').optional(),
})

export const PostBatch = z.strictObject({
  ...ByBook,
  entries: z.array(EntryInput).min(1).max(1000),
})

export const ReverseEntry = z.strictObject({
  ...ByBook,
  entry: Identifier,
  description: Description.optional(),
})

export const PlaceHold = z.strictObject({
  ...ByBook,
  account: AccountCode,
  amount: Amount,
  description: Description.default(''),
  expires_at: Instant.nullable().default(null),
})

export const CaptureHold = z.strictObject({
  ...ByBook,
  hold: Identifier,
  to: AccountCode,
  /** Absent: all that is left. */
  amount: Amount.optional(),
  /** Give back what is left afterwards. */
  final: z.boolean().default(false),
  description: Description.optional(),
})

export const ReleaseHold = z.strictObject({ ...ByBook, hold: Identifier })
export const ExpireHolds = z.strictObject(ByBook)
export const ClosePeriod = z.strictObject({ ...ByBook, through: Day })
