import { z } from '@hono/zod-openapi'
import {
  declareRule,
  listAccount,
  retireRule,
  setPolicy,
  snoozeRule,
  unlistAccount,
} from '../../commands/policies.ts'
import { type Brake, PolicyTerms, Rule } from '../../domain/policies.ts'
import { getPolicy, listListed, listRules } from '../../projections/policy_queries.ts'
import { type Route, read, write } from '../route.ts'
import { pageOf, Timestamp } from './views.ts'

const tag = 'Risk policies'
const book = 'example'
const at = '/v1/risk/policies/{book}'

const Terms = { book: z.string(), ...PolicyTerms.shape }
const Policy = z
  .object({ ...Terms, set_by: z.string().nullable(), set_at: Timestamp.nullable() })
  .openapi('RiskPolicy')

const { name: _name, ...ruleShape } = Rule.shape
const RuleSet = z.object({ book: z.string(), rule: z.string(), ...ruleShape })
const stamp = { set_by: z.string(), set_at: Timestamp }
const count = z.int()
const RuleState = z
  .object({
    rule: z.string(),
    ...ruleShape,
    snoozed_until: Timestamp.nullable(),
    ...stamp,
    hits_1d: count,
    hits_7d: count,
    frauds_7d: count.openapi({ description: 'of those of 7 days, what was labelled fraud since' }),
    legitimate_7d: count,
  })
  .openapi('RiskRule')

const List = z.enum(['allow', 'watch', 'block'])
const OnList = z.object({
  ...{ book: z.string(), list: List, account: z.string(), reason: z.string() },
  until: Timestamp.nullable(),
})
const Listed = z
  .object({ account: z.string(), reason: z.string(), until: Timestamp.nullable(), ...stamp })
  .openapi('RiskListed')

const night = {
  description: 'More than a hundred at night, to somebody new',
  when: [
    { field: 'amount', at_least: 100 },
    { field: 'hour_of_day', at_most: 5 },
    { field: 'payee_new', at_least: 1 },
    { field: 'kind', starts_with: 'transfer' },
  ],
  outcome: 'review',
  mode: 'shadow',
}
const brake: z.infer<typeof Brake> = {
  window_minutes: 60,
  most_share: 0.2,
  least_movements: 500,
}
const watched = 'customers:2:checking'

export const policyRoutes: readonly Route[] = [
  write('put', at, setPolicy, {
    tag,
    summary: 'Set thresholds, what becomes of what cannot be scored, and the brake',
    description:
      'A threshold of null is the model’s own. `when_unsure`: a gated transfer without a score is ' +
      'posted (open), held or refused (closed). The brake makes reviews of blocks when more than ' +
      'that share of the movements in the window would be blocked.',
    response: z.object(Terms),
    problems: ['BOOK_NOT_FOUND', 'THRESHOLDS_CROSSED'],
    example: {
      params: { book },
      body: { review_from: 0.6, block_from: 0.95, when_unsure: 'hold', brake },
    },
  }),
  read(at, getPolicy, {
    tag,
    summary: 'Show what a book goes by',
    response: Policy,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { book } },
  }),
  write('put', `${at}/rules/{rule}`, declareRule, {
    tag,
    summary: 'Declare a rule beside the model, or another of the same name in its place',
    description:
      'All conditions must hold: features by their names, `probability`, or the beginning of a ' +
      'word (kind, account, counterparty, asset). In shadow it is only counted.',
    response: RuleSet,
    problems: ['BOOK_NOT_FOUND', 'RULE_FIELD_UNKNOWN', 'RULE_NEVER_HOLDS', 'TOO_MANY_RULES'],
    example: { params: { book, rule: 'night_to_new_payee' }, body: night },
  }),
  read(`${at}/rules`, listRules, {
    tag,
    summary: 'List rules, with how often each spoke and how often rightly',
    description:
      'Counted over the newest 100,000 scores on which a rule spoke, rules in shadow included. ' +
      'What nobody labelled counts neither as fraud nor as legitimate.',
    response: pageOf(RuleState, 'RiskRule'),
    problems: ['BAD_CURSOR'],
    example: { params: { book } },
  }),
  write('post', `${at}/rules/{rule}/snooze`, snoozeRule, {
    tag,
    summary: 'Keep a rule silent until then; null lets it speak again',
    status: 200,
    response: z.object({ book: z.string(), rule: z.string(), until: Timestamp.nullable() }),
    problems: ['BOOK_NOT_FOUND', 'RULE_NOT_FOUND'],
    example: {
      params: { book, rule: 'night_to_new_payee' },
      body: { until: '2099-01-01T00:00:00.000Z' },
    },
  }),
  write('delete', `${at}/rules/{rule}`, retireRule, {
    tag,
    summary: 'Retire a rule',
    response: z.object({ book: z.string(), rule: z.string() }),
    problems: ['BOOK_NOT_FOUND', 'RULE_NOT_FOUND'],
    example: { params: { book, rule: 'night_to_new_payee' } },
  }),
  write('post', `${at}/lists/{list}`, listAccount, {
    tag,
    summary: 'Allow, watch or block an account, whether it pays or is paid',
    description: 'Block beats allow; both beat model and rules. Watched means reviewed at least.',
    response: OnList,
    problems: ['BOOK_NOT_FOUND', 'LIST_FULL'],
    example: {
      params: { book, list: 'watch' },
      body: { account: watched, reason: 'Named in a report of another bank' },
    },
    furtherExamples: [
      {
        params: { book, list: 'allow' },
        body: {
          account: 'customers:3:checking',
          reason: 'The landlord',
          until: '2099-01-01T00:00:00.000Z',
        },
      },
    ],
  }),
  read(`${at}/lists/{list}`, listListed, {
    tag,
    summary: 'List the accounts that are allowed, watched or blocked',
    response: pageOf(Listed, 'RiskListed'),
    problems: ['BAD_CURSOR'],
    example: { params: { book, list: 'watch' } },
  }),
  write('delete', `${at}/lists/{list}/{account}`, unlistAccount, {
    tag,
    summary: 'Take an account off a list',
    response: z.object({ book: z.string(), list: List, account: z.string() }),
    problems: ['BOOK_NOT_FOUND', 'NOT_LISTED'],
    example: { params: { book, list: 'allow', account: 'customers:3:checking' } },
  }),
]
