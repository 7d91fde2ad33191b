import { beforeAll, describe, expect, it } from 'vitest'
import { decode } from '../domain/kernel.ts'
import { initialPolicy, type Policy } from '../domain/policies.ts'
import type { TransactionScored } from '../domain/risk.ts'
import type { Model } from '../ml/model.ts'
import { PoisonedMessage } from '../ml/scorer.ts'
import { memory } from './ml-support.ts'
import { useScoring } from './scoring-support.ts'

const { get, newBook, newScorer, scoresOf } = useScoring()
let model: Model

beforeAll(() => {
  ;({ model } = get())
})

const governedBy = (changes: Partial<Policy>, revision = 4) => ({
  policyOf: async () => ({ policy: { ...initialPolicy(), ...changes }, revision }),
})

const byEntry = (scores: readonly TransactionScored[]) =>
  new Map(scores.map((score) => [score.entry, score]))

describe('the scorer', () => {
  it('says nothing of policies where there is none', async () => {
    const { book, recorded } = await newBook()
    await newScorer().handle(recorded)
    for (const score of await scoresOf(book)) {
      for (const field of ['by', 'wanted', 'rules', 'policy', 'challengers']) {
        expect(score).not.toHaveProperty(field)
      }
    }
  })

  it('goes by the thresholds, rules and lists of the book, and says by which', async () => {
    const { book, recorded } = await newBook()
    const cards = { name: 'cards', description: '', outcome: 'review', mode: 'live' } as const
    const when = [{ field: 'kind' as const, starts_with: 'card' }]
    const rules = [{ ...cards, when, snoozed_until: null }]
    const blocked = { 'cash:vault': { reason: 'x', until: null } }
    const lists = { ...initialPolicy().lists, block: blocked }
    const terms = { review_from: 1, block_from: 1, rules, lists }
    await newScorer(governedBy(terms)).handle(recorded)
    const scores = await scoresOf(book)
    const kinds = new Set<string | undefined>()
    for (const { kind, counterparty, decision, by, policy, rules: spoke } of scores) {
      expect(policy).toBe(4)
      const isCard = kind.startsWith('card')
      expect(spoke?.map(({ rule }) => rule)).toEqual(isCard ? ['cards'] : undefined)
      const expected = counterparty === 'cash:vault' ? 'list' : isCard ? 'rule' : undefined
      expect(by).toBe(expected)
      const decisions = { list: 'block', rule: 'review', model: 'approve' } as const
      expect(decision).toBe(decisions[expected ?? 'model'])
      kinds.add(by)
    }
    expect(kinds).toEqual(new Set(['list', 'rule', undefined]))
  })

  it('brakes mass declines, and counts anew after a restart what it had counted', async () => {
    const { book, recorded } = await newBook()
    const brake = { window_minutes: 1_440, most_share: 0.5, least_movements: 20 }
    const snapshots = memory()
    const wild = { ...governedBy({ review_from: 0, block_from: 0, brake }), snapshots }
    const half = Math.floor(recorded.length / 2)
    await newScorer(wild).handle(recorded.slice(0, half))
    const before = await scoresOf(book)
    // Too few at first; then all are wanted blocked, which is more than half.
    const first = before.findIndex(({ by }) => by === 'brake')
    expect(first).toBe(20)
    expect(before[first]).toMatchObject({ decision: 'review', wanted: 'block' })
    await newScorer(wild).handle(recorded.slice(half))
    const after = (await scoresOf(book)).slice(before.length)
    expect(after.at(0)).toMatchObject({ by: 'brake', decision: 'review', wanted: 'block' })
  })

  it('lets go of the brake where the window before holds too few', async () => {
    const { book, recorded } = await newBook()
    const brake = { window_minutes: 60, most_share: 0.5, least_movements: 4 }
    await newScorer(governedBy({ review_from: 0, block_from: 0, brake })).handle(recorded)
    const braked = (await scoresOf(book)).map(({ by }) => by === 'brake')
    const first = braked.indexOf(true)
    expect(first).toBeGreaterThan(0)
    expect(braked.indexOf(false, first)).toBeGreaterThan(first)
    expect(braked.lastIndexOf(true)).toBeGreaterThan(braked.indexOf(false, first))
  })

  it('has challengers score beside the champion, and goes on without one that fails', async () => {
    const { book, recorded } = await newBook()
    const half: Model = {
      ...model,
      version: 'half',
      score: async (vectors) => (await model.score(vectors)).map((one) => one / 2),
    }
    const broken: Model = {
      ...model,
      version: 'broken',
      score: async () => {
        throw new Error('it is broken')
      },
    }
    const wild: Model = {
      ...model,
      version: 'wild',
      score: async (vectors) => (await model.score(vectors)).fill(Number.NaN),
    }
    const challengers = [half, broken, wild]
    await newScorer({ withPanel: (work) => work({ champion: model, challengers }) }).handle(
      recorded,
    )
    const plain = await newBook()
    await newScorer().handle(plain.recorded)
    const alone = byEntry(await scoresOf(plain.book))
    for (const { entry, probability, decision, challengers: said } of await scoresOf(book)) {
      expect([probability, decision]).toEqual([
        alone.get(entry)?.probability,
        alone.get(entry)?.decision,
      ])
      expect(said).toEqual([{ model: 'half', probability: Math.fround(probability / 2) }])
    }
  })

  it('blames no posting for a policy that cannot be read, and scores all of them later', async () => {
    const { book, recorded } = await newBook()
    const [torn] = recorded
    let [asked, isTorn] = [0, true]
    const policyOf = async () => {
      asked += 1
      if (torn && isTorn) decode({}, torn)
      return { policy: initialPolicy(), revision: -1 }
    }
    const scorer = newScorer({ policyOf })
    const given = [recorded, recorded.slice(-1)]
    for (const batch of given) {
      const error = await scorer.handle(batch).catch((thrown: unknown) => thrown)
      expect(error).not.toBeInstanceOf(PoisonedMessage)
      expect((error as Error).message).toContain('cannot be read')
    }
    expect(asked).toBe(2)
    isTorn = false
    await scorer.handle(recorded.slice(-1))
    const { book: plain, recorded: again } = await newBook()
    await newScorer().handle(again)
    expect(await scoresOf(book)).toHaveLength((await scoresOf(plain)).length)
  })
})
