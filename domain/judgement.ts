import { z } from 'zod'
import type { Policy, PolicyRule, RiskList, RuleCondition } from './policies.ts'

/** approve: nothing to do; review: an alert for an analyst; block: an alert at the top. */
export const RiskDecision = z.enum(['approve', 'review', 'block'])
export type RiskDecision = z.infer<typeof RiskDecision>

/** Who had the last word. */
export const Judge = z.enum(['model', 'rule', 'list', 'brake'])

export const RuleHit = z.object({
  rule: z.string().max(64),
  outcome: RiskDecision,
  shadow: z.boolean(),
})

/** Why a score is what it is: the feature, what was observed, and how far it moved the score. */
export const Reason = z.object({
  feature: z.string().max(64),
  code: z.string().max(64).optional(),
  value: z.number(),
  contribution: z.number(),
  text: z.string().max(256),
})

export type Judgement = {
  readonly decision: RiskDecision
  readonly by: z.infer<typeof Judge>
  /** What would have come of it without the brake. */
  readonly wanted: RiskDecision
  readonly rules: readonly z.infer<typeof RuleHit>[]
}

/** A movement with its score, as a policy sees it. */
export type Judged = {
  readonly kind: string
  readonly account: string
  readonly counterparty: string
  readonly asset: string
  /** By name; a feature without a value is left out. */
  readonly features: Readonly<Record<string, number>>
  readonly probability: number
  /** ISO time at which it is judged. */
  readonly at: string
}

export type Thresholds = { readonly review_from: number; readonly block_from: number }

/** Movements in the brake's window, and those of them that were to be blocked. */
export type Tally = { readonly movements: number; readonly wanted_blocked: number }

const severity = { approve: 0, review: 1, block: 2 } as const

const isWorse = (one: RiskDecision, other: RiskDecision): boolean => severity[one] > severity[other]

/** A policy's own thresholds, or the model's. Blocking never begins below reviewing. */
export const thresholdsOf = (
  policy: Pick<Policy, 'review_from' | 'block_from'>,
  model: { readonly threshold: number; readonly block_threshold: number },
): Thresholds => {
  const review_from = policy.review_from ?? model.threshold
  return {
    review_from,
    block_from: Math.max(review_from, policy.block_from ?? model.block_threshold),
  }
}

const numberOf = ({ features, probability }: Judged, field: string): number | undefined =>
  field === 'probability' ? probability : features[field]

const holds = (condition: RuleCondition, judged: Judged): boolean => {
  if ('starts_with' in condition) return judged[condition.field].startsWith(condition.starts_with)
  const value = numberOf(judged, condition.field)
  if (value === undefined) return false
  const { at_least = -Infinity, at_most = Infinity } = condition
  return value >= at_least && value <= at_most
}

const speaks = (rule: PolicyRule, judged: Judged): boolean =>
  (rule.snoozed_until === null || rule.snoozed_until <= judged.at) &&
  rule.when.every((condition) => holds(condition, judged))

const isListed = ({ lists }: Policy, list: RiskList, judged: Judged): boolean =>
  [judged.account, judged.counterparty].some((account) => {
    const listed = Object.hasOwn(lists[list], account) ? lists[list][account] : undefined
    return listed !== undefined && (listed.until === null || listed.until > judged.at)
  })

type Said = Pick<Judgement, 'decision' | 'by'>

const atLeast = (said: Said, decision: RiskDecision, by: Judgement['by']): Said =>
  isWorse(decision, said.decision) ? { decision, by } : said

const byModel = (probability: number, { review_from, block_from }: Thresholds): RiskDecision => {
  if (probability < review_from) return 'approve'
  return probability < block_from ? 'review' : 'block'
}

const byLists = (said: Said, policy: Policy, judged: Judged): Said => {
  if (isListed(policy, 'block', judged)) return { decision: 'block', by: 'list' }
  if (isListed(policy, 'allow', judged)) {
    return said.decision === 'approve' ? said : { decision: 'approve', by: 'list' }
  }
  return isListed(policy, 'watch', judged) ? atLeast(said, 'review', 'list') : said
}

const isBraking = ({ brake }: Policy, { movements, wanted_blocked }: Tally): boolean =>
  brake !== null &&
  movements >= brake.least_movements &&
  wanted_blocked / movements >= brake.most_share

/**
 * What comes of a score: the model by its thresholds, live rules for the worse, lists over both. A
 * model or rule gone wild is braked, so that people look instead; what is listed stays blocked.
 */
export const judge = (
  policy: Policy,
  judged: Judged,
  thresholds: Thresholds,
  tally: Tally,
): Judgement => {
  const speaking = policy.rules.filter((rule) => speaks(rule, judged))
  const rules = speaking.map(({ name, outcome, mode }) => ({
    ...{ rule: name, outcome, shadow: mode === 'shadow' },
  }))
  const model: Said = { decision: byModel(judged.probability, thresholds), by: 'model' }
  const ruled = rules
    .filter(({ shadow }) => !shadow)
    .reduce((said, { outcome }) => atLeast(said, outcome, 'rule'), model)
  const listed = byLists(ruled, policy, judged)
  const wanted = listed.decision
  if (wanted === 'block' && listed.by !== 'list' && isBraking(policy, tally)) {
    return { decision: 'review', by: 'brake', wanted, rules }
  }
  return { ...listed, wanted, rules }
}
