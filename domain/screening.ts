import { z } from 'zod'
import { Judge, Reason, RiskDecision, RuleHit } from './judgement.ts'

/** What the model and the policy made of a movement before it was booked. */
const ScreenedScore = z.object({
  model: z.string().max(80),
  probability: z.number().min(0).max(1),
  decision: RiskDecision,
  /** Absent: the model. */
  by: Judge.optional(),
  /** What the brake on mass declines made less of. */
  wanted: RiskDecision.optional(),
  rules: z.array(RuleHit).max(100).optional(),
  features: z.record(z.string(), z.number()),
  reasons: z.array(Reason).max(8),
})

/**
 * What the risk gate said of a transfer that was asked for: approve posts it, review holds it until
 * somebody decides, block refuses it. Without a score the book's policy says which of the three.
 */
export const Screening = z.object({
  outcome: z.enum(['post', 'hold', 'refuse']),
  score: ScreenedScore.nullable(),
  /** Why there is no score. */
  failure: z.enum(['timed_out', 'unavailable']).optional(),
  /** The revision of the policy that held; absent: the book has none. */
  policy: z.int().min(0).optional(),
})
export type Screening = z.infer<typeof Screening>

/** Postings that the gate looks at, where it is asked for: all of them, or none. */
export const Gating = z.enum(['gate', 'none'])
export type Gating = z.infer<typeof Gating>
