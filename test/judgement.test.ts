import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Judged, judge, type Tally, thresholdsOf } from '../domain/judgement.ts'
import { initialPolicy, type Policy, type PolicyRule } from '../domain/policies.ts'
import { countRecent, noneRecent, tallyOf } from '../ml/brake.ts'

const NOON = '2026-03-10T12:00:00.000Z'
const thresholds = { review_from: 0.5, block_from: 0.9 }
const quiet: Tally = { movements: 0, wanted_blocked: 0 }

const movement = (probability: number, changes: Partial<Judged> = {}): Judged => ({
  ...{ kind: 'transfer', account: 'customers:ada', counterparty: 'customers:bob', asset: 'USD/2' },
  ...{ features: { amount: 120, payee_new: 1 }, probability, at: NOON },
  ...changes,
})

const policy = (changes: Partial<Policy> = {}): Policy => ({ ...initialPolicy(), ...changes })

const rule = (changes: Partial<PolicyRule> = {}): PolicyRule => ({
  ...{ name: 'large', description: '', outcome: 'review', mode: 'live', snoozed_until: null },
  when: [{ field: 'amount', at_least: 100 }],
  ...changes,
})

const said = (given: Policy, judged: Judged, tally = quiet) =>
  judge(given, judged, thresholds, tally)

describe('the model', () => {
  test.each([
    [0, 'approve'],
    [0.4999, 'approve'],
    [0.5, 'review'],
    [0.8999, 'review'],
    [0.9, 'block'],
    [1, 'block'],
  ] as const)('at %d says %s', (probability, decision) => {
    const expected = { decision, by: 'model', wanted: decision, rules: [] }
    expect(said(policy(), movement(probability))).toEqual(expected)
  })

  test('has its own thresholds where the policy has none, and blocking never begins below', () => {
    const model = { threshold: 0.3, block_threshold: 0.8 }
    const from = (review_from: number | null, block_from: number | null) =>
      thresholdsOf({ review_from, block_from }, model)
    expect(from(null, null)).toEqual({ review_from: 0.3, block_from: 0.8 })
    expect(from(0.6, 0.7)).toEqual({ review_from: 0.6, block_from: 0.7 })
    expect(from(0.85, null)).toEqual({ review_from: 0.85, block_from: 0.85 })
  })
})

describe('a rule', () => {
  const withRule = (changes: Partial<PolicyRule>) => policy({ rules: [rule(changes)] })
  const spoke = [{ rule: 'large', outcome: 'review', shadow: false }]

  test('makes it worse and never better', () => {
    expect(said(withRule({}), movement(0.1))).toEqual({
      ...{ decision: 'review', by: 'rule', wanted: 'review', rules: spoke },
    })
    expect(said(withRule({}), movement(0.95))).toMatchObject({ decision: 'block', by: 'model' })
  })

  test('in shadow is only counted', () => {
    const rules = [{ ...spoke[0], shadow: true }]
    const shadow = said(withRule({ mode: 'shadow' }), movement(0.1))
    expect(shadow).toEqual({ decision: 'approve', by: 'model', wanted: 'approve', rules })
  })

  test('that sleeps says nothing until its time has come', () => {
    const until = (snoozed_until: string) => said(withRule({ snoozed_until }), movement(0.1))
    expect(until('2026-03-10T12:00:00.001Z').rules).toEqual([])
    expect(until(NOON).rules).toEqual(spoke)
  })

  test.each([
    ['above', { field: 'amount', at_least: 120 }, true],
    ['below', { field: 'amount', at_least: 120.01 }, false],
    ['up to', { field: 'amount', at_most: 120 }, true],
    ['between', { field: 'amount', at_least: 100, at_most: 119 }, false],
    ['of the score', { field: 'probability', at_most: 0.1 }, true],
    ['of a feature without a value', { field: 'device_new', at_most: 1 }, false],
    ['of words', { field: 'counterparty', starts_with: 'customers:b' }, true],
    ['of other words', { field: 'kind', starts_with: 'card' }, false],
  ] as const)('%s', (_name, condition, holds) => {
    const found = said(withRule({ when: [condition] }), movement(0.1))
    expect(found.rules).toHaveLength(holds ? 1 : 0)
  })

  test('speaks only when all of its conditions hold, and the strongest one counts', () => {
    const both = rule({
      name: 'both',
      outcome: 'block',
      when: [
        { field: 'amount', at_least: 100 },
        { field: 'payee_new', at_least: 1 },
      ],
    })
    const rules = policy({ rules: [rule(), both] })
    expect(said(rules, movement(0.1))).toMatchObject({ decision: 'block', by: 'rule' })
    const known = movement(0.1, { features: { amount: 120, payee_new: 0 } })
    expect(said(rules, known)).toMatchObject({ decision: 'review', by: 'rule', rules: spoke })
  })
})

describe('a list', () => {
  const on = (list: 'allow' | 'watch' | 'block', account: string, until: string | null = null) => ({
    ...initialPolicy().lists,
    [list]: { [account]: { reason: '', until } },
  })
  const listed = (...given: Parameters<typeof on>) => policy({ lists: on(...given) })

  test('blocks whoever pays or is paid', () => {
    for (const account of ['customers:ada', 'customers:bob']) {
      const found = said(listed('block', account), movement(0))
      expect(found).toMatchObject({ decision: 'block', by: 'list' })
    }
    expect(said(listed('block', 'customers:eve'), movement(0)).decision).toBe('approve')
  })

  test('allows over model and rules, and says so only where it made a difference', () => {
    const allowed = { ...listed('allow', 'customers:bob'), rules: [rule({ outcome: 'block' })] }
    expect(said(allowed, movement(0.95))).toMatchObject({ decision: 'approve', by: 'list' })
    const unruled = listed('allow', 'customers:bob')
    expect(said(unruled, movement(0))).toMatchObject({ decision: 'approve', by: 'model' })
  })

  test('blocks over what another allows', () => {
    const lists = { ...on('allow', 'customers:ada'), block: on('block', 'customers:bob').block }
    expect(said(policy({ lists }), movement(0))).toMatchObject({ decision: 'block', by: 'list' })
  })

  test('watches: at least a review', () => {
    const watched = listed('watch', 'customers:bob')
    expect(said(watched, movement(0))).toMatchObject({ decision: 'review', by: 'list' })
    expect(said(watched, movement(0.95))).toMatchObject({ decision: 'block', by: 'model' })
  })

  test('forgets at its time', () => {
    expect(said(listed('block', 'customers:bob', NOON), movement(0)).decision).toBe('approve')
    const later = listed('block', 'customers:bob', '2026-03-10T12:00:00.001Z')
    expect(said(later, movement(0)).decision).toBe('block')
  })
})

describe('the brake', () => {
  const brake = { window_minutes: 60, most_share: 0.2, least_movements: 10 }
  const braking = policy({ brake })

  test.each([
    ['too few movements', { movements: 9, wanted_blocked: 9 }, 'block'],
    ['a small share', { movements: 100, wanted_blocked: 19 }, 'block'],
    ['a large share', { movements: 100, wanted_blocked: 20 }, 'review'],
  ] as const)('with %s', (_name, tally, decision) => {
    const found = said(braking, movement(0.95), tally)
    const by = decision === 'review' ? 'brake' : 'model'
    expect(found).toEqual({ decision, by, wanted: 'block', rules: [] })
  })

  test('leaves blocked what is listed, and touches nothing else', () => {
    const wild = { movements: 100, wanted_blocked: 100 }
    const lists = {
      ...initialPolicy().lists,
      block: { 'customers:bob': { reason: '', until: null } },
    }
    expect(said({ ...braking, lists }, movement(0), wild)).toMatchObject({ decision: 'block' })
    expect(said(braking, movement(0.6), wild)).toMatchObject({ decision: 'review', by: 'model' })
  })

  test('counts by the time of the movements, in whole minutes, the present one included', () => {
    const recent = noneRecent()
    countRecent(recent, '2026-03-10T11:00:59.000Z', true)
    countRecent(recent, '2026-03-10T11:01:00.000Z', true)
    countRecent(recent, '2026-03-10T12:00:10.000Z', false)
    countRecent(recent, '2026-03-10T12:02:00.000Z', true)
    expect(tallyOf(recent, NOON, 60)).toEqual({ movements: 2, wanted_blocked: 1 })
    expect(tallyOf(recent, NOON, 61)).toEqual({ movements: 3, wanted_blocked: 2 })
    expect(tallyOf(recent, NOON, 1)).toEqual({ movements: 1, wanted_blocked: 0 })
  })

  test('keeps no more than a day of minutes', () => {
    const recent = noneRecent()
    const first = Date.parse(NOON)
    for (let minute = 0; minute < 5_000; minute += 1) {
      countRecent(recent, new Date(first + minute * 60_000).toISOString(), false)
    }
    expect(recent.minutes.size).toBe(1_440)
  })
})

describe('a judgement', () => {
  test('is never better than what is wanted, and only the brake makes it less', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(share, share, fc.nat(50), fc.boolean(), (score, most_share, blocked, shadow) => {
        const mode = shadow ? 'shadow' : 'live'
        const given = policy({
          brake: { window_minutes: 1, most_share, least_movements: 10 },
          rules: [
            rule({ outcome: 'block', mode, when: [{ field: 'probability', at_least: 0.7 }] }),
          ],
        })
        const tally = { movements: 50, wanted_blocked: blocked }
        const { decision, by, wanted } = said(given, movement(score), tally)
        if (by === 'brake') expect([decision, wanted]).toEqual(['review', 'block'])
        else expect(decision).toBe(wanted)
        if (shadow) expect(by).not.toBe('rule')
      }),
    )
  })
})
