import { z } from 'zod'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { AccountCode, BookId, Identifier, Instant } from './ledger/events.ts'

const Probability = z.number().min(0).max(1)
const Stamp = { set_by: Identifier, set_at: Instant }
const ByBook = { book: BookId }

export const RuleName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, 'a rule is lower-case letters, digits and underscores')

/** What is known of a movement in words; everything else that a rule names is a number. */
const Words = z.enum(['kind', 'account', 'counterparty', 'asset'])

/** Features by their names, `probability`, or words. What has no value meets no condition. */
const RuleCondition = z.union([
  z.strictObject({ field: Words, starts_with: z.string().min(1).max(128) }),
  z
    .strictObject({
      field: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
      at_least: z.number().optional(),
      at_most: z.number().optional(),
    })
    .refine(
      ({ at_least, at_most }) => at_least !== undefined || at_most !== undefined,
      'a condition needs at_least or at_most',
    ),
])
export type RuleCondition = z.infer<typeof RuleCondition>

/** Beside the model: when all conditions hold, at least this comes of it; in shadow, nothing. */
export const Rule = z.strictObject({
  name: RuleName,
  description: z.string().max(256),
  when: z.array(RuleCondition).min(1).max(8),
  outcome: z.enum(['review', 'block']),
  mode: z.enum(['live', 'shadow']),
})
export type Rule = z.infer<typeof Rule>

/** allow: approved whatever model and rules say; watch: reviewed at least; block: blocked. */
export const RiskList = z.enum(['allow', 'watch', 'block'])
export type RiskList = z.infer<typeof RiskList>

/** From this share of movements that would be blocked in the window, blocks become reviews. */
export const Brake = z.strictObject({
  window_minutes: z.int().min(1).max(1440),
  most_share: Probability,
  least_movements: z.int().min(1).max(1_000_000),
})
export type Brake = z.infer<typeof Brake>

/** What becomes of a gated posting that could not be scored: posted, held for review, refused. */
export const WhenUnsure = z.enum(['open', 'hold', 'closed'])
export type WhenUnsure = z.infer<typeof WhenUnsure>

const terms = {
  /** null: the model's own threshold. */
  review_from: Probability.nullable(),
  block_from: Probability.nullable(),
  when_unsure: WhenUnsure,
  brake: Brake.nullable(),
}
export const PolicyTerms = z.strictObject(terms)
export type PolicyTerms = z.infer<typeof PolicyTerms>

/** How a book judges scores: `policy-<book>`. Replaying it says what held at any time. */
export const policyEvents = {
  RiskPolicySet: z.object({ ...ByBook, ...terms, ...Stamp }),
  /** A rule of the same name before is replaced. */
  RiskRuleDeclared: z.object({ ...ByBook, rule: Rule, ...Stamp }),
  /** It says nothing until then; null: it speaks again. */
  RiskRuleSnoozed: z.object({ ...ByBook, rule: RuleName, until: Instant.nullable(), ...Stamp }),
  RiskRuleRetired: z.object({ ...ByBook, rule: RuleName, ...Stamp }),
  /** Whoever pays from this account or to it; `until` null: for good. */
  RiskAccountListed: z.object({
    ...ByBook,
    list: RiskList,
    account: AccountCode,
    reason: z.string().max(256),
    until: Instant.nullable(),
    ...Stamp,
  }),
  RiskAccountUnlisted: z.object({ ...ByBook, list: RiskList, account: AccountCode, ...Stamp }),
} as const

type PolicyEvent = EventOf<typeof policyEvents>
type Data<Type extends keyof typeof policyEvents> = z.infer<(typeof policyEvents)[Type]>

export type PolicyRule = Rule & { readonly snoozed_until: string | null }
export type Listed = { readonly reason: string; readonly until: string | null }

export type Policy = PolicyTerms & {
  readonly rules: readonly PolicyRule[]
  readonly lists: Readonly<Record<RiskList, Readonly<Record<string, Listed>>>>
}

/** What a book that never said anything goes by. */
export const initialPolicy = (): Policy => ({
  review_from: null,
  block_from: null,
  when_unsure: 'hold',
  brake: null,
  rules: [],
  lists: { allow: {}, watch: {}, block: {} },
})

const MOST_RULES = 100
/** On each list. Every change copies its list, so that a log of long ones would be slow to fold. */
const MOST_LISTED = 2_000

const setPolicy = (_policy: Policy, data: Data<'RiskPolicySet'>): Decision<PolicyEvent> =>
  data.review_from !== null && data.block_from !== null && data.review_from > data.block_from
    ? refuse('THRESHOLDS_CROSSED', 'Reviewing cannot begin above blocking.', {
        field: 'review_from',
      })
    : [{ type: 'RiskPolicySet', data }]

const isNever = (condition: RuleCondition): boolean => {
  if ('starts_with' in condition) return false
  const { at_least = -Infinity, at_most = Infinity } = condition
  return at_least > at_most
}

const declareRule = (policy: Policy, data: Data<'RiskRuleDeclared'>): Decision<PolicyEvent> => {
  const isNew = policy.rules.every(({ name }) => name !== data.rule.name)
  const crossed = data.rule.when.find(isNever)
  if (crossed) {
    return refuse('RULE_NEVER_HOLDS', `No ${crossed.field} is above at_most and below at_least.`)
  }
  if (isNew && policy.rules.length >= MOST_RULES) {
    return refuse('TOO_MANY_RULES', `The book has ${MOST_RULES} rules already.`)
  }
  return [{ type: 'RiskRuleDeclared', data }]
}

const missingRule = (policy: Policy, rule: string): Refusal | undefined =>
  policy.rules.some(({ name }) => name === rule)
    ? undefined
    : refuse('RULE_NOT_FOUND', `There is no rule ${rule}.`)

const snoozeRule = (policy: Policy, data: Data<'RiskRuleSnoozed'>): Decision<PolicyEvent> =>
  missingRule(policy, data.rule) ?? [{ type: 'RiskRuleSnoozed', data }]

const retireRule = (policy: Policy, data: Data<'RiskRuleRetired'>): Decision<PolicyEvent> =>
  missingRule(policy, data.rule) ?? [{ type: 'RiskRuleRetired', data }]

const listAccount = (policy: Policy, data: Data<'RiskAccountListed'>): Decision<PolicyEvent> => {
  const listed = policy.lists[data.list]
  const known = Object.hasOwn(listed, data.account)
  if (!known && Object.keys(listed).length >= MOST_LISTED) {
    return refuse('LIST_FULL', `The list has ${MOST_LISTED} accounts already.`)
  }
  return [{ type: 'RiskAccountListed', data }]
}

const unlistAccount = (policy: Policy, data: Data<'RiskAccountUnlisted'>): Decision<PolicyEvent> =>
  Object.hasOwn(policy.lists[data.list], data.account)
    ? [{ type: 'RiskAccountUnlisted', data }]
    : refuse('NOT_LISTED', `${data.account} is not on the list.`)

const without = (listed: Policy['lists'][RiskList], account: string) =>
  Object.fromEntries(Object.entries(listed).filter(([code]) => code !== account))

export const Policies = decider({
  category: 'policy',
  schemas: policyEvents,
  initial: initialPolicy,
  evolve: {
    RiskPolicySet: (policy, { review_from, block_from, when_unsure, brake }): Policy => ({
      ...policy,
      ...{ review_from, block_from, when_unsure, brake },
    }),
    RiskRuleDeclared: (policy, { rule }): Policy => ({
      ...policy,
      rules: [
        ...policy.rules.filter(({ name }) => name !== rule.name),
        { ...rule, snoozed_until: null },
      ],
    }),
    RiskRuleSnoozed: (policy, { rule, until }): Policy => ({
      ...policy,
      rules: policy.rules.map((one) =>
        one.name === rule ? { ...one, snoozed_until: until } : one,
      ),
    }),
    RiskRuleRetired: (policy, { rule }): Policy => ({
      ...policy,
      rules: policy.rules.filter(({ name }) => name !== rule),
    }),
    RiskAccountListed: (policy, { list, account, reason, until }): Policy => ({
      ...policy,
      lists: {
        ...policy.lists,
        [list]: { ...policy.lists[list], [account]: { reason, until } },
      },
    }),
    RiskAccountUnlisted: (policy, { list, account }): Policy => ({
      ...policy,
      lists: { ...policy.lists, [list]: without(policy.lists[list], account) },
    }),
  },
  decide: { setPolicy, declareRule, snoozeRule, retireRule, listAccount, unlistAccount },
})
