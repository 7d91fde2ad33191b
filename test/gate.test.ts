import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createEngine } from '../commands/engine.ts'
import type { AskedMovement } from '../commands/ports.ts'
import { uuidv5 } from '../domain/ids.ts'
import { type Decoded, decode } from '../domain/kernel.ts'
import { ledgerEvents } from '../domain/ledger/events.ts'
import type { EventStore } from '../domain/log.ts'
import type { PolicyTerms } from '../domain/policies.ts'
import { Screening } from '../domain/screening.ts'
import { createGate, type GateSettings } from '../infra/gate.ts'
import { createGlance } from '../infra/glance.ts'
import { followFeatures, type LiveFeatures } from '../ml/live_features.ts'
import { loadModel, type Model, SHIPPED_MODEL } from '../ml/model.ts'
import { type Movement, movementsOf, observationOf } from '../ml/movements.ts'
import { createScorer } from '../ml/scorer.ts'
import { namedFeatures } from '../ml/scoring.ts'
import { bookEvents, expected, memory } from './ml-support.ts'
import { deskOf } from './scoring-support.ts'
import { createMemoryStore, noSnapshots } from './support/memory.ts'

const NOW = new Date('2026-01-17T00:00:00.000Z')
const AT = NOW.toISOString()
const loaded: { model?: Model } = {}
const model = (): Model => loaded.model as Model

beforeAll(async () => {
  loaded.model = await loadModel(SHIPPED_MODEL)
})
afterAll(() => loaded.model?.close())

const following = (store: EventStore, snapshots = memory()): LiveFeatures => {
  const ending = new AbortController()
  const log = { warn: () => undefined }
  const heads = { ofBook: () => undefined, ofLabels: async () => Number.POSITIVE_INFINITY }
  const features = followFeatures({ store, snapshots, log, heads, signal: ending.signal })
  onTestFinished(async () => {
    ending.abort()
    await features.ended
  })
  return features
}

const history = bookEvents('main')

const bookUntil = async (revision: number) => {
  const store = createMemoryStore(() => NOW)
  await store.append('book-main', -1, history.slice(0, revision))
  return store
}

const movementIn = (store: Awaited<ReturnType<typeof bookUntil>>, revision: number): Movement => {
  const event = store.log.find((one) => one.stream === 'book-main' && one.revision === revision)
  if (!event) throw new Error(`the book has no revision ${revision}`)
  const [movement] = movementsOf(decode(ledgerEvents, event) as Decoded)
  if (!movement) throw new Error(`nothing moves at ${revision}`)
  return movement
}

const appended = async (store: EventStore, revision: number): Promise<void> => {
  await store.append('book-main', revision - 1, history.slice(revision, revision + 1))
}

/** A small payment by card, as there are many. */
const asked = (changes: Partial<AskedMovement> = {}): AskedMovement => ({
  ...{ book: 'main', entry: 't1', kind: 'card', amount: '1200', asset: 'USD/2' },
  ...{ account: 'customers:1001:checking', counterparty: 'clearing:cards', at: AT },
  metadata: undefined,
  ...changes,
})

describe('live features', () => {
  test.each(['the beginning', "the scorer's snapshot"])(
    'from %s are those by which the scorer judges the same movement, bit for bit',
    async (from) => {
      const store = await bookUntil(150)
      const snapshots = memory()
      if (from !== 'the beginning') {
        const scorer = createScorer(deskOf(store, model(), { snapshots }))
        await scorer.handle(store.log.filter(({ stream }) => stream === 'book-main'))
        await scorer.drain()
        expect(snapshots.saved.size).toBe(1)
      }
      const features = following(store, snapshots)
      const whole = await bookUntil(history.length)
      const seen = new Map(expected(whole.log).map((one) => [one.revision, one.features]))
      let compared = 0
      for (let revision = 150; revision < 220; revision += 1) {
        const vector = seen.get(revision)
        if (history[revision]?.type === 'EntryPosted' && vector) {
          const movement = movementIn(whole, revision)
          const found = await features.vectorOf('main', observationOf(movement))
          expect(namedFeatures(found)).toEqual(vector)
          compared += 1
        }
        await appended(store, revision)
      }
      expect(compared).toBeGreaterThan(20)
    },
  )

  test('count a label from when it was recorded', async () => {
    const store = await bookUntil(100)
    const features = following(store)
    const { entry, counterparty, ...paid } = movementIn(store, 96)
    const { account, amount, asset, booked_at } = paid
    const another = observationOf({ ...paid, entry: 'next', counterparty, booked_at: AT })
    const frauds = async () =>
      namedFeatures(await features.vectorOf('main', another)).payee_frauds_30d
    expect(await frauds()).toBe(0)
    const label = { book: 'main', entry, account, counterparty, amount, asset, booked_at }
    const data = { ...label, fraud: true, source: 'customer', note: '', labelled_at: AT }
    const event = { id: uuidv5(entry), type: 'TransactionLabelled', data, metadata: {} }
    await store.append('labels-main', -1, [event])
    expect(await frauds()).toBe(1)
  })

  test('are begun anew when reading on failed halfway', async () => {
    const store = await bookUntil(100)
    let reads = 0
    const failing: EventStore = {
      ...store,
      readStream: async function* (stream, options) {
        for await (const event of store.readStream(stream, options)) {
          reads += 1
          if (reads === 50) throw new Error('the line went dead')
          yield event
        }
      },
    }
    const features = following(failing)
    const observation = observationOf(movementIn(store, 96))
    await expect(features.vectorOf('main', observation)).rejects.toThrow('the line went dead')
    const again = await features.vectorOf('main', observation)
    expect(again).toEqual(await following(store).vectorOf('main', observation))
  })
})

const terms: PolicyTerms = {
  ...{ review_from: null, block_from: null, when_unsure: 'hold', brake: null },
}

const gateWith = async (
  said: Partial<PolicyTerms> | undefined,
  changes: Partial<GateSettings> = {},
) => {
  const store = await bookUntil(history.length)
  if (said) {
    const data = { book: 'main', ...terms, ...said, set_by: 'root', set_at: AT }
    const event = { id: uuidv5('policy'), type: 'RiskPolicySet', data, metadata: {} }
    await store.append('policy-main', -1, [event])
  }
  return createGate({
    glance: createGlance(createEngine(store, noSnapshots)),
    features: following(store),
    fraud: { withPanel: (work) => work({ champion: model(), challengers: [] }) },
    log: { warn: () => undefined },
    timeout_ms: 5_000,
    ...changes,
  })
}

const never = new Promise<never>(() => undefined)
const dead = async () => {
  throw new Error('the model is gone')
}

describe('the gate', () => {
  test.each([
    [undefined, 'post', 'approve'],
    [{ review_from: 0, block_from: 1 }, 'hold', 'review'],
    [{ review_from: 0, block_from: 0 }, 'refuse', 'block'],
  ] as const)('with the policy %o comes to %s', async (policy, outcome, decision) => {
    const screening = await (await gateWith(policy)).screen(asked())
    expect(screening).toMatchObject({ outcome, score: { model: 'fraud-2', decision } })
    expect(screening.policy).toBe(policy && 0)
    expect(screening.score?.features.amount).toBe(12)
    expect(Screening.parse(screening)).toEqual(screening)
  })

  test('scores as the model does', async () => {
    const { score } = await (await gateWith(undefined)).screen(asked())
    const store = await bookUntil(history.length)
    const { book: _book, at: booked_at, metadata: _metadata, ...movement } = asked()
    const vector = await following(store).vectorOf(
      'main',
      observationOf({ ...movement, booked_at }),
    )
    expect(score?.features).toEqual(namedFeatures(vector))
    expect(score?.probability).toBe((await model().score(vector))[0])
  })

  test('knows the terminal and the device that the request names', async () => {
    const gate = await gateWith(undefined)
    const { score } = await gate.screen(asked({ metadata: { terminal: 't7', device: 'phone' } }))
    expect(score?.features).toMatchObject({ terminal_count_7d: 0, device_new: 1 })
  })

  test.each([
    ['open', 'post'],
    ['hold', 'hold'],
    ['closed', 'refuse'],
  ] as const)('that cannot score in time is %s: %s', async (when_unsure, outcome) => {
    const late = { fraud: { withPanel: () => never }, timeout_ms: 10 }
    const slow = await (await gateWith({ when_unsure }, late)).screen(asked())
    expect(slow).toEqual({ outcome, score: null, failure: 'timed_out', policy: 0 })
    const gone = { fraud: { withPanel: dead } }
    const broken = await (await gateWith({ when_unsure }, gone)).screen(asked())
    expect(broken).toEqual({ outcome, score: null, failure: 'unavailable', policy: 0 })
    expect(Screening.parse(broken)).toEqual(broken)
  })

  test('that cannot even read the policy holds', async () => {
    const screening = await (await gateWith(undefined, { glance: dead })).screen(asked())
    expect(screening).toEqual({ outcome: 'hold', score: null, failure: 'unavailable' })
  })
})
