import { z } from 'zod'
import { Judge, Reason, RiskDecision, RuleHit } from './judgement.ts'
import type { EventOf } from './kernel.ts'
import { AccountCode, BookId, EntryKind, Identifier, Instant } from './ledger/events.ts'
import { Amount, Asset } from './money.ts'

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
