import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { uuidv5 } from '../domain/ids.ts'
import type { NewEvent } from '../domain/log.ts'
import { Models, type ModelsState } from '../domain/models.ts'
import { trainFraudModel } from '../infra/fraud/training.ts'
import { createGlance } from '../infra/glance.ts'
import { openArtefacts } from '../infra/models/artefacts.ts'
import { keepNewest } from '../ml/dataset.ts'
import { FEATURE_NAMES } from '../ml/features.ts'
import { loadModel } from '../ml/model.ts'
import { SIMULATED_ASSET, simulate } from '../ml/simulator.ts'
import { entryOf } from './ml-support.ts'
import { createMemoryPorts } from './support/memory.ts'

const directory = mkdtempSync(join(tmpdir(), 'daybook-training-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const BOOK = 'main'
const DAYS = 60
const DAY_MS = 86_400_000
const begun = new Date('2026-01-01T00:00:00.000Z')
const postings = [
  ...simulate({
    ...{ seed: 4, customers: 90, from: begun, days: DAYS },
    fraud: { attacks: 40, mules: 6 },
  }).postings,
]

const eventOf = (type: string, name: string, data: object): NewEvent => ({
  ...{ id: uuidv5(`${type} ${name}`), type, data, metadata: {} },
})

const labelOf = (entry: string, fraud: boolean): NewEvent => {
  const paid = { account: 'customers:1', counterparty: 'customers:2', amount: '1' }
  const said = { fraud, source: 'chargeback', note: '', labelled_at: begun.toISOString() }
  const data = { book: BOOK, entry, ...paid, asset: SIMULATED_ASSET, ...said }
  const name = `${entry} ${fraud}`
  return eventOf('TransactionLabelled', name, { ...data, booked_at: begun.toISOString() })
}

/** A bank that has lived through its simulated life, and was told of these frauds at its end. */
const bankWith = async (labels: readonly NewEvent[], days = DAYS + 10) => {
  const ports = createMemoryPorts(() => new Date(begun.getTime() + days * DAY_MS))
  const entries = postings.map((posting, place) => entryOf(posting, `e${place}`))
  const posted = entries.map((entry) => eventOf('EntryPosted', entry.id, { entry }))
  await ports.store.append(`book-${BOOK}`, -1, posted)
  await ports.store.append(`labels-${BOOK}`, -1, labels)
  const artefacts = openArtefacts(directory)
  const glance = createGlance(ports.engine)
  const told: number[] = []
  const train = async (matured_days = 7) =>
    trainFraudModel({ ports, artefacts, glance })(
      {
        ...{ task: 'task', kind: 'fraud_training', requested_by: 'root' },
        input: { book: BOOK, matured_days: String(matured_days) },
        requested_at: begun.toISOString(),
      },
      ({ done }) => told.push(done),
      new AbortController().signal,
    )
  const registry = async (): Promise<ModelsState> => (await glance(Models, 'fraud')).state
  return { artefacts, train, registry, told }
}

const leaving = postings.filter(({ from }) => from.startsWith('customers:'))
const frauds = postings.flatMap(({ fraud }, place) => (fraud ? [labelOf(`e${place}`, true)] : []))

describe('rows that are kept', () => {
  test('are the newest, in the order in which they were taken', () => {
    const kept = (count: number) => {
      const { take, finish } = keepNewest(5)
      for (let row = 0; row < count; row += 1) {
        take(new Float32Array(FEATURE_NAMES.length).fill(row), row % 2 === 0 ? 0 : 1)
      }
      const { columns, labels } = finish()
      expect(columns).toHaveLength(FEATURE_NAMES.length)
      return [[...(columns.at(-1) ?? [])], [...labels]]
    }
    expect(kept(0)).toEqual([[], []])
    expect(kept(3)).toEqual([
      [0, 1, 2],
      [0, 1, 0],
    ])
    for (const count of [5, 6, 8, 10, 14]) {
      const newest = Array.from({ length: 5 }, (_, place) => count - 5 + place)
      expect(kept(count)).toEqual([newest, newest.map((row) => row % 2)])
    }
  })
})

describe('training on a book', () => {
  test('makes a model that is kept, answers nothing yet, and finds what it has not seen', async () => {
    const { artefacts, train, registry, told } = await bankWith(frauds)
    const result = await train()
    expect(result).toMatchObject({
      figures: { version: 'fraud-3', rows: Math.ceil(leaving.length * 0.2) },
    })
    const { models, champion, challengers } = await registry()
    expect({ champion, challengers }).toEqual({ champion: null, challengers: [] })
    const [kept] = models
    expect(kept).toMatchObject({
      version: 'fraud-3',
      source: JSON.stringify({
        ...{ book: BOOK, movements: leaving.length, frauds: frauds.length },
      }),
    })
    expect(kept?.metrics.average_precision).toBeGreaterThan(0.5)
    const model = await loadModel(await artefacts.load(kept?.sha256 ?? ''), FEATURE_NAMES)
    expect(model.threshold).toBe(kept?.metrics.threshold)
    await model.close()
    expect(told).toEqual([...told].sort((one, other) => one - other))
    expect(told.at(-1)).toBe(1)
  })

  test('makes the same bytes of the same log, and the next version of the next training', async () => {
    const [one, other] = [await bankWith(frauds), await bankWith(frauds)]
    await one.train()
    await other.train()
    await other.train()
    const digests = (await other.registry()).models.map(({ version, sha256 }) => [version, sha256])
    expect(digests.map(([version]) => version)).toEqual(['fraud-3', 'fraud-4'])
    expect((await one.registry()).models[0]?.sha256).toBe(digests[0]?.[1])
  })

  test('counts as fraud what was last said to be, and leaves out what is too young', async () => {
    const cleared = frauds
      .slice(0, -10)
      .map(({ data }) => labelOf((data as { entry: string }).entry, false))
    const { train } = await bankWith([...frauds, ...cleared])
    await expect(train()).rejects.toThrow(/ 10 of them fraud: at least 1000 are needed, with 50/)
    const young = await bankWith(frauds, DAYS)
    const until = begun.getTime() + (DAYS - 20) * DAY_MS
    const old = leaving.filter(({ at }) => at.getTime() < until).length
    await young.train(20)
    const [kept] = (await young.registry()).models
    expect(JSON.parse(kept?.source ?? '')).toMatchObject({ movements: old })
  })

  test('is refused when there is nothing to test by', async () => {
    const early = frauds.slice(0, 60)
    await expect((await bankWith(early)).train()).rejects.toThrow('Of its frauds none')
  })
})
