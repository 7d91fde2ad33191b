import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { datasetOf } from '../ml/dataset.ts'
import {
  apply,
  applyLabel,
  type FeatureState,
  features,
  initialFeatures,
  loadFeatures,
  type Observation,
  saveFeatures,
} from '../ml/features.ts'
import type { Label } from '../ml/labels.ts'
import { fork, index } from '../ml/random.ts'
import { observation, seen, smallSimulation } from './ml-support.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

type Happening = { readonly observation: Observation } | { readonly label: Label }

/** Folds what happened and answers the bytes of every vector on the way: NaN equals NaN there. */
const replay = (state: FeatureState, happenings: readonly Happening[]): string[] =>
  happenings.flatMap((one) => {
    if ('label' in one) {
      applyLabel(state, one.label)
      return []
    }
    const vector = features(state, one.observation)
    apply(state, one.observation)
    return [Buffer.from(vector.buffer).toString('hex')]
  })

const account = fc.constantFrom('customers:1:a', 'customers:2:a', 'customers:3:a', 'clearing:x')
/** Mostly forwards, in steps that are often none, and now and then days back. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 1_000, HOUR_MS, 5 * HOUR_MS) },
  { weight: 1, arbitrary: fc.integer({ min: -3 * DAY_MS, max: 20 * DAY_MS }) },
)
const happening = fc.record({
  step,
  customer: account,
  payee: account,
  terminal: fc.constantFrom(undefined, 't1', 't2'),
  device: fc.constantFrom(undefined, 'd1', 'd2'),
  cents: fc.integer({ min: 1, max: 100_000 }),
  labels: fc.option(fc.record({ back: fc.nat(20), fraud: fc.boolean() }), { freq: 3 }),
})

/** Entries and labels of earlier ones, as they were recorded. */
const history = fc
  .array(happening, { minLength: 1, maxLength: 80, size: 'max' })
  .map((rows): Happening[] => {
    let at_ms = Date.parse('2026-01-10')
    return rows.map(({ step, customer, payee, terminal, device, cents, labels }, number) => {
      at_ms += step
      if (labels) {
        return { label: { entry: `e${number - labels.back}`, fraud: labels.fraud, at_ms } }
      }
      const entry = `e${number}`
      return {
        observation: observation({
          entry,
          customer,
          payee,
          terminal,
          device,
          amount: cents / 100,
          at_ms,
        }),
      }
    })
  })

const share = fc.double({ min: 0, max: 1, noNaN: true })

const limits = { customers: 4, payees: 4, terminals: 4, labelled: 16 }

describe('a replay', () => {
  it('gives the recorded vectors bit for bit, through a snapshot at any point', () => {
    fc.assert(
      fc.property(history, share, (happenings, done) => {
        const cut = Math.floor(happenings.length * done)
        const state = initialFeatures(limits)
        const before = replay(state, happenings.slice(0, cut))
        const saved = saveFeatures(state)
        const text = JSON.stringify(saved)
        const after = replay(state, happenings.slice(cut))
        const resumed = loadFeatures(JSON.parse(text))
        expect(resumed && replay(resumed, happenings.slice(cut))).toEqual(after)
        expect(replay(initialFeatures(limits), happenings)).toEqual([...before, ...after])
        expect(JSON.stringify(saved)).toBe(text)
      }),
    )
  })

  it('sees nothing of what is recorded afterwards', () => {
    fc.assert(
      fc.property(history, history, share, (happenings, others, done) => {
        const cut = Math.floor(happenings.length * done)
        const start = happenings.slice(0, cut)
        const vectors = replay(initialFeatures(limits), start)
        for (const end of [happenings.slice(cut), [...happenings.slice(cut)].reverse(), others]) {
          const again = replay(initialFeatures(limits), [...start, ...end])
          expect(again.slice(0, vectors.length)).toEqual(vectors)
        }
      }),
    )
  })
})

describe('training data', () => {
  const postings = [...smallSimulation.postings]
  const rowsUntil = (place: number) =>
    postings.slice(0, place).filter(({ from }) => from.startsWith('customers:')).length
  const vectorsOf = (given: typeof postings, until: number, delay_ms?: number) =>
    datasetOf({ postings: given }, delay_ms).columns.map((column) => column.slice(0, until))

  it('shows no row anything of the traffic after it', () => {
    const next = fork(5, 5)
    for (let round = 0; round < 5; round += 1) {
      const cut = index(next, postings.length)
      const scrambled = [...postings.slice(0, cut), ...postings.slice(cut).sort(() => next() - 0.5)]
      const until = rowsUntil(cut)
      expect(vectorsOf(scrambled, until)).toEqual(vectorsOf(postings, until))
    }
  })

  /** Whether a row changes when labels that are recorded after it are flipped. */
  const leaks = (delay_ms?: number): boolean =>
    [0.5, 0.7, 0.9].some((share) => {
      const place = Math.floor(postings.length * share)
      const now = postings[place]?.at.getTime() ?? Number.NaN
      const flipped = postings.map((posting) =>
        posting.at.getTime() + 7 * DAY_MS > now ? { ...posting, fraud: !posting.fraud } : posting,
      )
      const until = rowsUntil(place)
      const [honest, changed] = [postings, flipped].map((given) =>
        JSON.stringify(vectorsOf(given, until, delay_ms).map((column) => [...column])),
      )
      return honest !== changed
    })

  it('hears of a fraud when it is recorded, and the canary sings when it hears at once', () => {
    expect(leaks()).toBe(false)
    expect(leaks(0)).toBe(true)
  })

  it('does hear of frauds in the end', () => {
    const { columns } = datasetOf(smallSimulation)
    const deaf = datasetOf(smallSimulation, 1_000 * DAY_MS)
    expect(columns).not.toEqual(deaf.columns)
  })
})

describe('a label', () => {
  const at = (day: number, changes: Partial<Observation> = {}) =>
    observation({ at_ms: day * DAY_MS, payee: 'customers:9:a', terminal: 't1', ...changes })
  const frauds = (state: FeatureState, day: number) => {
    const { terminal_frauds_7d, terminal_frauds_30d, payee_frauds_30d, terminal_fraud_share_30d } =
      seen(features(state, at(day, { entry: 'later' })))
    return [terminal_frauds_7d, terminal_frauds_30d, payee_frauds_30d, terminal_fraud_share_30d]
  }
  const paidTwice = () => {
    const state = initialFeatures()
    apply(state, at(0, { entry: 'e1' }))
    apply(state, at(1, { entry: 'e2' }))
    return state
  }

  it('counts at payee and terminal from the day it is recorded, for 30 days', () => {
    const state = paidTwice()
    expect(frauds(state, 8)).toEqual([0, 0, 0, 0])
    applyLabel(state, { entry: 'e1', fraud: true, at_ms: 8 * DAY_MS })
    expect(frauds(state, 7)).toEqual([0, 0, 0, 0])
    expect(frauds(state, 8)).toEqual([1, 1, 1, 0.5])
    expect(frauds(state, 15)).toEqual([0, 1, 1, 0.5])
    expect(frauds(state, 37)).toEqual([0, 1, 1, 1])
    expect(frauds(state, 38)).toEqual([0, 0, 0, 0])
  })

  it('counts once however often it is repeated, and is taken back by a correction', () => {
    const state = paidTwice()
    const say = (fraud: boolean, day: number) =>
      applyLabel(state, { entry: 'e1', fraud, at_ms: day * DAY_MS })
    say(false, 2)
    expect(frauds(state, 9)).toEqual([0, 0, 0, 0])
    say(true, 3)
    say(true, 9)
    expect(frauds(state, 9)).toEqual([1, 1, 1, 0.5])
    say(false, 9)
    expect(frauds(state, 9)).toEqual([0, 0, 0, 0])
    say(true, 9)
    expect(frauds(state, 9)).toEqual([1, 1, 1, 0.5])
  })

  it('of an entry that is unknown or forgotten changes nothing', () => {
    const state = initialFeatures({ labelled: 2 })
    for (const entry of ['e1', 'e2', 'e3']) apply(state, at(0, { entry }))
    const before = JSON.stringify(saveFeatures(state))
    for (const entry of ['e0', 'e1']) applyLabel(state, { entry, fraud: true, at_ms: DAY_MS })
    expect(JSON.stringify(saveFeatures(state))).toBe(before)
  })
})
