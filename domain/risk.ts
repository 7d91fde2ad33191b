import { z } from 'zod'
import { Judge, Reason, RiskDecision, RuleHit } from './judgement.ts'
import type { EventOf } from './kernel.ts'
import { AccountCode, BookId, EntryKind, Identifier, Instant } from './ledger/events.ts'
import { Amount, Asset } from './money.ts'

/** What a movement is judged by, in the order of a model's vector; `ml/features.ts` makes them. */
export const RISK_FEATURES = [
  'amount',
  'hour_of_day',
  'weekend',
  'seconds_since_last',
  'account_age_days',
  'count_1h',
  'sum_1h',
  'count_1d',
  'sum_1d',
  'count_30d',
  'mean_30d',
  'large_7d',
  'large_30d',
  'amount_to_mean_30d',
  'amount_deviations_30d',
  'amount_to_largest_30d',
  'amount_to_mean',
  'amount_deviations',
  'payee_new',
  'payee_payers_1d',
  'payee_frauds_30d',
  'payers_1d',
  'terminal_count_7d',
  'terminal_count_30d',
  'terminal_frauds_7d',
  'terminal_frauds_30d',
  'terminal_fraud_share_30d',
  'device_new',
] as const

/** What a model that challenges says of the same movement; it changes nothing. */
const Challenge = z.object({ model: z.string().max(80), probability: z.number().min(0).max(1) })

/**
 * Scores of a book's movements lie in the stream `scores-<book>`, in the order of the book's own
 * revisions. `revision` names the ledger event that was scored, so the last score says how far
 * scoring has come.
 */
export const riskEvents = {
  TransactionScored: z.object({
    book: BookId,
    revision: z.int(),
    entry: Identifier,
    kind: EntryKind,
    account: AccountCode,
    counterparty: AccountCode,
    amount: Amount,
    asset: Asset,
    booked_at: Instant,
    model: z.string().max(80),
    features: z.record(z.string(), z.number()),
    probability: z.number().min(0).max(1),
    decision: RiskDecision,
    reasons: z.array(Reason).max(8),
    /** Absent: the model, by its own thresholds. */
    by: Judge.optional(),
    /** What the brake on mass declines made less of. */
    wanted: RiskDecision.optional(),
    rules: z.array(RuleHit).max(100).optional(),
    /** The revision of the book's policy that held; absent: there was none. */
    policy: z.int().min(0).optional(),
    challengers: z.array(Challenge).max(4).optional(),
    scored_at: Instant,
  }),
} as const

export type RiskEvent = EventOf<typeof riskEvents>
export type TransactionScored = z.infer<(typeof riskEvents)['TransactionScored']>
