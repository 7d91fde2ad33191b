import { describe, expect, test } from 'vitest'
import {
  declareRule,
  listAccount,
  retireRule,
  setPolicy,
  snoozeRule,
  unlistAccount,
} from '../commands/policies.ts'
import type { AnyEvent } from '../domain/kernel.ts'
import type { Role } from '../domain/permissions.ts'
import { initialPolicy, Policies, type Rule } from '../domain/policies.ts'
import { openDesk } from './cases-support.ts'
import { answerOf, codeOf, NOON } from './machine-support.ts'
import { spec } from './support/spec.ts'

const given = spec(Policies).given
const book = 'main'
const stamp = { set_by: 'ada', set_at: NOON }
const UNTIL = '2026-03-11T12:00:00.000Z'

const terms = {
  ...{ review_from: 0.5, block_from: 0.9, when_unsure: 'closed' as const },
  brake: { window_minutes: 60, most_share: 0.2, least_movements: 10 },
}
const large: Rule = {
  ...{ name: 'large', description: 'A lot', outcome: 'review', mode: 'live' },
  when: [{ field: 'amount', at_least: 100 }],
}

const set = (changes: object = {}) => ({
  type: 'RiskPolicySet' as const,
  data: { book, ...terms, ...stamp, ...changes },
})
const declared = (changes: Partial<Rule> = {}) => ({
  type: 'RiskRuleDeclared' as const,
  data: { book, rule: { ...large, ...changes }, ...stamp },
})
const snoozed = (until: string | null) => ({
  type: 'RiskRuleSnoozed' as const,
  data: { book, rule: 'large', until, ...stamp },
})
const retired = {
  type: 'RiskRuleRetired' as const,
  data: { book, rule: 'large', ...stamp },
}
const listed = (account: string, list: 'allow' | 'watch' | 'block' = 'block') => ({
  type: 'RiskAccountListed' as const,
  data: { book, list, account, reason: 'Named', until: null, ...stamp },
})
const unlisted = (account: string, list: 'allow' | 'watch' | 'block' = 'block') => ({
  type: 'RiskAccountUnlisted' as const,
  data: { book, list, account, ...stamp },
})
const stateOf = (...events: readonly AnyEvent[]) => given(...events).state

describe('a policy', () => {
  test('is set all at once, over the one before, and leaves rules and lists alone', () => {
    given().when('setPolicy', set().data).gives(set())
    const later = set({ review_from: null, block_from: null, when_unsure: 'open', brake: null })
    const state = stateOf(declared(), listed('customers:bob'), set(), later)
    expect(state).toMatchObject({ review_from: null, when_unsure: 'open', brake: null })
    expect(state.rules).toHaveLength(1)
    expect(state.lists.block).toHaveProperty('customers:bob')
  })

  test('never reviews from above where it blocks, but may do either from the same score', () => {
    const crossed = set({ review_from: 0.91 })
    given().when('setPolicy', crossed.data).rejects('THRESHOLDS_CROSSED', { field: 'review_from' })
    given()
      .when('setPolicy', set({ review_from: 0.9 }).data)
      .happens('RiskPolicySet')
    // The model's own threshold may be anywhere: judging keeps them in order.
    given()
      .when('setPolicy', set({ review_from: 1, block_from: null }).data)
      .happens('RiskPolicySet')
  })
})

describe('a rule', () => {
  test('takes the place of one of its name, awake', () => {
    const changed = declared({ outcome: 'block' })
    given(declared(), snoozed(UNTIL)).when('declareRule', changed.data).gives(changed)
    expect(stateOf(declared(), snoozed(UNTIL), changed).rules).toEqual([
      { ...large, outcome: 'block', snoozed_until: null },
    ])
  })

  test('sleeps until a time, and wakes when told to', () => {
    given(declared()).when('snoozeRule', snoozed(UNTIL).data).gives(snoozed(UNTIL))
    expect(stateOf(declared(), snoozed(UNTIL)).rules[0]?.snoozed_until).toBe(UNTIL)
    expect(stateOf(declared(), snoozed(UNTIL), snoozed(null)).rules[0]?.snoozed_until).toBe(null)
  })

  test('is gone when it is retired, and only what is there sleeps or goes', () => {
    given(declared()).when('retireRule', retired.data).gives(retired)
    expect(stateOf(declared({ name: 'other' }), declared(), retired).rules).toMatchObject([
      { name: 'other' },
    ])
    given().when('snoozeRule', snoozed(UNTIL).data).rejects('RULE_NOT_FOUND')
    given(declared(), retired).when('retireRule', retired.data).rejects('RULE_NOT_FOUND')
  })

  test('finds room for a hundred, and one of them may still change', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => declared({ name: `rule_${index}` }))
    given(hundred).when('declareRule', declared().data).rejects('TOO_MANY_RULES')
    given(hundred)
      .when('declareRule', declared({ name: 'rule_7', mode: 'shadow' }).data)
      .happens('RiskRuleDeclared')
  })
})

describe('a list', () => {
  test('holds an account once, with the last reason, beside other lists', () => {
    given().when('listAccount', listed('customers:bob').data).gives(listed('customers:bob'))
    const again = { ...listed('customers:bob').data, reason: 'Again', until: UNTIL }
    const state = stateOf(listed('customers:bob'), listed('customers:bob', 'allow'), {
      type: 'RiskAccountListed',
      data: again,
    })
    expect(state.lists).toEqual({
      allow: { 'customers:bob': { reason: 'Named', until: null } },
      watch: {},
      block: { 'customers:bob': { reason: 'Again', until: UNTIL } },
    })
  })

  test('lets go of what is on it, and of nothing else', () => {
    const bob = unlisted('customers:bob')
    given(listed('customers:bob')).when('unlistAccount', bob.data).gives(bob)
    expect(stateOf(listed('customers:bob'), bob).lists).toEqual(initialPolicy().lists)
    given().when('unlistAccount', bob.data).rejects('NOT_LISTED')
    given(listed('customers:bob', 'watch')).when('unlistAccount', bob.data).rejects('NOT_LISTED')
    given().when('unlistAccount', unlisted('constructor').data).rejects('NOT_LISTED')
  })

  test('is full at two thousand, and takes news of those on it', () => {
    const full = Array.from({ length: 2_000 }, (_, index) => listed(`customers:${index}`))
    const filled = given(full)
    filled.when('listAccount', listed('customers:bob').data).rejects('LIST_FULL')
    filled.when('listAccount', listed('customers:7').data).happens('RiskAccountListed')
    filled.when('listAccount', listed('customers:bob', 'watch').data).happens('RiskAccountListed')
  })
})

describe('governing', () => {
  const { name: rule, ...unnamed } = large
  const asked = { book, rule, ...unnamed }

  test('stamps who and when, in the policy of the book', async () => {
    const { ask, events } = await openDesk()
    answerOf(await ask(setPolicy, { book, ...terms }))
    answerOf(await ask(declareRule, asked))
    answerOf(await ask(snoozeRule, { book, rule: 'large', until: UNTIL }))
    answerOf(await ask(listAccount, { book, list: 'watch', account: 'customers:bob', reason: 'x' }))
    answerOf(await ask(unlistAccount, { book, list: 'watch', account: 'customers:bob' }))
    answerOf(await ask(retireRule, { book, rule: 'large' }))
    const found = events('policy-main')
    expect(found.map(({ type }) => type)).toEqual([
      ...['RiskPolicySet', 'RiskRuleDeclared', 'RiskRuleSnoozed'],
      ...['RiskAccountListed', 'RiskAccountUnlisted', 'RiskRuleRetired'],
    ])
    for (const { data } of found) expect(data).toMatchObject({ set_by: 'root', set_at: NOON, book })
  })

  test('is of books that are there', async () => {
    const { ask, events } = await openDesk()
    const refused = [
      await ask(setPolicy, { ...terms, book: 'nowhere' }),
      await ask(declareRule, { ...asked, book: 'nowhere' }),
      await ask(listAccount, { book: 'nowhere', list: 'block', account: 'a', reason: 'x' }),
    ]
    expect(refused.map(codeOf)).toEqual(Array(3).fill('BOOK_NOT_FOUND'))
    expect(events('policy-nowhere')).toEqual([])
  })

  test.each([
    ['a feature that no movement has', { field: 'amuont', at_least: 1 }],
    ['a word as if it were a number', { field: 'kind', at_least: 1 }],
  ])('refuses %s, and says which', async (_name, condition) => {
    const { ask } = await openDesk()
    const when = [{ field: 'probability', at_most: 0.5 }, condition]
    expect(await ask(declareRule, { ...asked, when })).toMatchObject({
      refused: 'RULE_FIELD_UNKNOWN',
      facts: { field: condition.field },
    })
  })

  test('refuses a rule that can never hold, and takes one whose bounds meet', async () => {
    const { ask, events } = await openDesk()
    const never = [{ field: 'probability', at_least: 0.6, at_most: 0.5 }]
    expect(codeOf(await ask(declareRule, { ...asked, when: never }))).toBe('RULE_NEVER_HOLDS')
    expect(events('policy-main')).toEqual([])
    const exact = [{ field: 'probability', at_least: 0.5, at_most: 0.5 }]
    expect(answerOf(await ask(declareRule, { ...asked, when: exact }))).toMatchObject({
      when: exact,
    })
  })

  test.each(['analyst', 'customer', 'auditor'] satisfies Role[])('is not for %s', async (role) => {
    const { ask, person } = await openDesk()
    const somebody = await person('somebody', role)
    expect(codeOf(await ask(setPolicy, { book, ...terms }, somebody))).toBe('NOT_PERMITTED')
    expect(codeOf(await ask(declareRule, asked, somebody))).toBe('NOT_PERMITTED')
  })

  test('tried out without effect says what it would answer, and writes nothing', async () => {
    const { ask, events } = await openDesk()
    expect(answerOf(await ask(declareRule, asked, { dryRun: true }))).toEqual(asked)
    expect(events('policy-main')).toEqual([])
  })
})
