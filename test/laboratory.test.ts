import { beforeAll, describe, expect, test } from 'vitest'
import { execute } from '../commands/kernel.ts'
import { promoteByRule, promoteModel, recordModel } from '../commands/models.ts'
import { uuidv5 } from '../domain/ids.ts'
import { isRefusal } from '../domain/kernel.ts'
import { type ModelMetrics, Models } from '../domain/models.ts'
import type { TransactionScored } from '../domain/risk.ts'
import { createGlance } from '../infra/glance.ts'
import { createLaboratory } from '../infra/laboratory.ts'
import type { Model } from '../ml/model.ts'
import { random } from '../ml/random.ts'
import { labelBook } from '../projections/labels.ts'
import { scoreBook } from '../projections/risk.ts'
import { prepareProjections, rebuild } from '../projections/runner.ts'
import { accepted, administrator, codeOf, useWorld } from './people-support.ts'

const world = useWorld()
const DAY_MS = 86_400_000
const ROWS = 3_000
const next = random(11)

/** One in twenty is fraud. The champion hardly sees it, the challenger does. */
const movements = Array.from({ length: ROWS }, (_, number) => {
  const fraud = number % 20 === 0
  // Forty days, the newest last; a third of the devices are new of late.
  const age_days = 40 - (40 * (number + 0.5)) / ROWS
  return {
    ...{ entry: `e${number}`, fraud, age_days },
    champion: 0.24 * next() + (fraud ? 0.15 : 0),
    challenger: Math.min(1, 0.4 * next() + (fraud ? 0.5 : 0)),
    device_new: age_days < 7 && number % 3 === 0 ? 1 : 0,
  }
})

/** Those of which it is known what they were. */
const old = movements.filter(({ age_days }) => age_days >= 7)

const bookedAt = (age_days: number): string =>
  new Date(world.ports.clock().getTime() - age_days * DAY_MS).toISOString()

const paid = (entry: string, age_days: number) => ({
  ...{ book: 'main', entry, account: 'customers:1', counterparty: 'customers:2' },
  ...{ amount: '10000', asset: 'USD/2', booked_at: bookedAt(age_days) },
})

const appendAll = async (): Promise<void> => {
  const scores = movements.map(
    ({ entry, age_days, champion, challenger, device_new }, revision) => {
      const data: TransactionScored = {
        ...paid(entry, age_days),
        ...{ revision, kind: 'transfer', model: 'one', probability: champion },
        ...{ features: { amount: 100, device_new }, decision: 'approve', reasons: [] },
        challengers: [{ model: 'two', probability: challenger }],
        scored_at: bookedAt(age_days),
      }
      return { id: uuidv5(`score ${entry}`), type: 'TransactionScored', data, metadata: {} }
    },
  )
  const labels = movements
    .filter(({ fraud }) => fraud)
    .map(({ entry, age_days }) => ({
      id: uuidv5(`label ${entry}`),
      type: 'TransactionLabelled',
      data: {
        ...paid(entry, age_days),
        ...{ fraud: true, source: 'chargeback', note: '', labelled_at: bookedAt(0) },
      },
      metadata: {},
    }))
  for (let at = 0; at < scores.length; at += 500) {
    await world.ports.store.append('scores-main', at - 1, scores.slice(at, at + 500))
  }
  await world.ports.store.append('labels-main', -1, labels)
}

const champion = { version: 'one', threshold: 0.4, block_threshold: 0.9 } as Model

const openLaboratory = () =>
  createLaboratory({
    database: world.database,
    glance: createGlance(world.ports.engine),
    fraud: { withPanel: (work) => work({ champion, challengers: [] }) },
    clock: world.ports.clock,
  })

const modelOf = (version: string, threshold: number) => {
  const metrics: ModelMetrics = {
    ...{ rows: 100, base_rate: 0.05, auc: 0.9, average_precision: 0.5, brier: 0.1, threshold },
    ...{ accuracy: 0.9, precision: 0.5, recall: 0.5, f1_score: 0.5 },
  }
  const file = { sha256: '0'.repeat(64), bytes: 1 }
  return { family: 'fraud' as const, version, ...file, metrics, importances: {}, source: 'test' }
}

const ask = <Input, Answer>(command: Parameters<typeof execute>[1], input: Input) =>
  execute(
    { ...world.ports, laboratory: openLaboratory() },
    command,
    input,
    world.context(administrator),
  ) as Promise<Answer>

const silent = { info: () => undefined, error: () => undefined }

beforeAll(async () => {
  await appendAll()
  const { ports, database } = world
  await prepareProjections(database, [scoreBook, labelBook])
  for (const projection of [scoreBook, labelBook]) {
    const { signal } = new AbortController()
    await rebuild({ store: ports.store, database, projection, log: silent, signal })
  }
  for (const [version, threshold] of [
    ['one', 0.4],
    ['two', 0.45],
  ] as const) {
    const recorded = await execute(
      world.ports,
      recordModel,
      modelOf(version, threshold),
      world.context(administrator),
    )
    accepted(recorded)
  }
})

const contested = {
  ...{ family: 'fraud' as const, version: 'two', book: 'main', asset: 'USD/2' },
  ...{ matured_days: 7, since_days: 90, level: 0.95, review: '200', wrong_block: '1000' },
}

describe('the laboratory', () => {
  const matured = { book: 'main', matured_days: 7, since_days: 90 }
  const costs = { missed: 40, review: 1, wrong_block: 10 }

  test('advises thresholds on what has matured, and says what the present ones cost', async () => {
    const advice = await openLaboratory().thresholds({ ...matured, ...costs })
    if (isRefusal(advice)) throw new Error(advice.detail)
    const frauds = old.filter(({ fraud }) => fraud).length
    expect(advice).toMatchObject({
      ...{ model: 'one', rows: old.length, more: false, approve_all: 40 * frauds },
      base_rate: frauds / old.length,
      present: { review_from: 0.4, block_from: 0.9 },
    })
    expect(advice.best.cost).toBeLessThan(advice.present.cost)
    expect(advice.best.cost).toBeLessThan(advice.approve_all)
    expect(advice.best.review_from).toBeLessThan(0.4)
  })

  test('looks at nothing younger, and refuses to go by too little', async () => {
    const young = await openLaboratory().thresholds({ ...matured, since_days: 8, ...costs })
    expect(young).toMatchObject({ refused: 'EVIDENCE_INSUFFICIENT', facts: { rows: 75 } })
    const nobody = await openLaboratory().drift({ book: 'none', days: 7, reference_days: 30 })
    expect(nobody).toMatchObject({ refused: 'EVIDENCE_INSUFFICIENT', facts: { rows: 0 } })
  })

  test('looks at the scores of another model that has answered, when it is named', async () => {
    const laboratory = openLaboratory()
    const none = { refused: 'EVIDENCE_INSUFFICIENT', facts: { rows: 0 } }
    const two = { model: 'two' }
    expect(await laboratory.thresholds({ ...matured, ...costs, ...two })).toMatchObject(none)
    const drifting = { book: 'main', days: 7, reference_days: 30 }
    expect(await laboratory.drift({ ...drifting, ...two })).toMatchObject(none)
    const one = { model: 'one' }
    expect(await laboratory.thresholds({ ...matured, ...costs, ...one })).toMatchObject(one)
    expect(await laboratory.drift({ ...drifting, ...one })).toMatchObject(one)
  })

  test('sees which features have drifted', async () => {
    const drift = await openLaboratory().drift({ book: 'main', days: 7, reference_days: 30 })
    if (isRefusal(drift)) throw new Error(drift.detail)
    expect(drift).toMatchObject({ model: 'one', score: { verdict: 'stable' } })
    const [worst, ...others] = drift.features
    expect(worst).toMatchObject({ feature: 'device_new', verdict: 'drifted' })
    for (const { psi } of others) expect(psi).toBe(0)
  })

  test('lets a challenger win by what both said of the same movements', async () => {
    const contest = await openLaboratory().contest(contested)
    if (isRefusal(contest)) throw new Error(contest.detail)
    expect(contest).toMatchObject({ champion: 'one', challenger: 'two', rows: old.length })
    expect(contest.earned).toBe(true)
    expect(contest.average_precision.challenger).toBeGreaterThan(0.9)
    // The champion stops nothing at its threshold: all that it is worth is nothing.
    expect(contest.net_value.champion).toBe('0')
  })

  test('knows only who challenged, and in which money', async () => {
    const laboratory = openLaboratory()
    const missing = await laboratory.contest({ ...contested, version: 'nobody' })
    expect(codeOf(missing)).toBe('MODEL_NOT_FOUND')
    const silent = await laboratory.contest({ ...contested, version: 'one' })
    expect(codeOf(silent)).toBe('EVIDENCE_INSUFFICIENT')
    const elsewhere = await laboratory.contest({ ...contested, asset: 'KES/2' })
    expect(codeOf(elsewhere)).toBe('EVIDENCE_INSUFFICIENT')
  })
})

describe('a promotion by rule', () => {
  const state = async () =>
    (await world.ports.engine.look(Models, 'models-fraud')).state as { champion: string | null }

  test('is refused with the figures when it is not earned', async () => {
    // So sure that nothing is sure enough.
    const rule = { ...contested, review: '50000000', wrong_block: '50000000' }
    const outcome = await ask<typeof rule, object>(promoteByRule as never, rule)
    expect(outcome).toMatchObject({ refused: 'PROMOTION_NOT_EARNED', facts: { rows: old.length } })
    expect((await state()).champion).toBeNull()
  })

  test('is made when it is earned, and the figures stand in the event', async () => {
    const context = world.context(administrator)
    const first = { family: 'fraud' as const, version: 'one', reason: 'The first' }
    accepted(await execute(world.ports, promoteModel, first, context))
    await ask(promoteByRule as never, contested)
    expect((await state()).champion).toBe('two')
    let last: unknown
    for await (const { data } of world.ports.store.readStream('models-fraud')) last = data
    expect(last).toMatchObject({
      ...{ version: 'two', reason: 'Better than one' },
      evidence: { book: 'main', asset: 'USD/2', champion: 'one', rows: old.length },
    })
  })
})
