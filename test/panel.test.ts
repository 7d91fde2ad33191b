import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { challengeModel, promoteModel, rollBackModel } from '../commands/models.ts'
import { initialPolicy } from '../domain/policies.ts'
import { createGlance } from '../infra/glance.ts'
import { openArtefacts } from '../infra/models/artefacts.ts'
import { keepModel } from '../infra/models/keep.ts'
import { createPanel } from '../infra/models/panel.ts'
import { FEATURE_NAMES } from '../ml/features.ts'
import { SHIPPED_MODEL } from '../ml/model.ts'
import { decodeOnnx, encodeOnnx } from '../ml/onnx.ts'
import { temporaryDirectory } from './infra-support.ts'
import { answerOf, askOn } from './machine-support.ts'
import { batches, expected } from './ml-support.ts'
import { useScoring } from './scoring-support.ts'
import { createMemoryPorts } from './support/memory.ts'

const { newBook, newScorer, scoresOf } = useScoring()

/** The shipped model under another name. */
const renamed = (version: string): Uint8Array => {
  const { forest, metadata, features } = decodeOnnx(readFileSync(SHIPPED_MODEL))
  return encodeOnnx({ forest, features, metadata: { ...metadata, version } })
}

const setUp = async () => {
  const directory = join(temporaryDirectory(), 'models')
  const artefacts = openArtefacts(directory)
  const ports = createMemoryPorts(() => new Date())
  const complaints: string[] = []
  const open = () => {
    const panel = createPanel({
      ...{ family: 'fraud', features: FEATURE_NAMES, shipped: SHIPPED_MODEL, artefacts },
      ...{ engine: ports.engine, clock: ports.clock, glance: createGlance(ports.engine) },
      log: { warn: (_facts, text) => complaints.push(text) },
    })
    onTestFinished(() => panel.close())
    return panel
  }
  const { described } = await keepModel({ ports, artefacts }, 'fraud', renamed('rival-1'))
  const file = join(directory, `${described.sha256}.onnx`)
  const named = { family: 'fraud' as const, version: 'rival-1' }
  return { ask: askOn(ports), open, named, file, directory, complaints, log: ports.store.log }
}

const seats = (panel: ReturnType<typeof createPanel>) =>
  panel.withPanel(async ({ champion, challengers }) => [
    champion.version,
    ...challengers.map(({ version }) => version),
  ])

describe('the panel of a family', () => {
  test('begins with the model that ships, and writes that down once', async () => {
    const { open, log } = await setUp()
    const [one, other] = [open(), open()]
    expect(await Promise.all([seats(one), seats(other)])).toEqual([['fraud-2'], ['fraud-2']])
    const promoted = log.filter(({ type }) => type === 'ModelPromoted')
    expect(promoted.map(({ data }) => data)).toMatchObject([{ version: 'fraud-2' }])
    const trained = log.filter(({ type }) => type === 'ModelTrained')
    expect(trained.map(({ data }) => (data as { version: string }).version)).toEqual([
      'rival-1',
      'fraud-2',
    ])
  })

  test('follows challenges, promotions and the way back', async () => {
    const { ask, open, named } = await setUp()
    const panel = open()
    expect(await seats(panel)).toEqual(['fraud-2'])
    answerOf(await ask(challengeModel, named))
    expect(await seats(panel)).toEqual(['fraud-2', 'rival-1'])
    answerOf(await ask(promoteModel, { ...named, reason: 'better' }))
    expect(await seats(panel)).toEqual(['rival-1'])
    answerOf(await ask(rollBackModel, { family: 'fraud', reason: 'worse' }))
    expect(await seats(panel)).toEqual(['fraud-2'])
  })

  test('goes on with whoever answered when a champion cannot be loaded, and says so once', async () => {
    const { ask, open, named, file, complaints } = await setUp()
    const panel = open()
    expect(await seats(panel)).toEqual(['fraud-2'])
    rmSync(file)
    answerOf(await ask(promoteModel, { ...named, reason: 'better' }))
    expect(await seats(panel)).toEqual(['fraud-2'])
    expect(await seats(panel)).toEqual(['fraud-2'])
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).toContain('fraud-2 answers')
  })

  test('falls back on the model that ships when it never had another', async () => {
    const { ask, open, named, file, complaints } = await setUp()
    answerOf(await ask(promoteModel, { ...named, reason: 'better' }))
    rmSync(file)
    expect(await seats(open())).toEqual(['fraud-2'])
    expect(complaints).toHaveLength(1)
  })

  test('does without a challenger that cannot be loaded, says so once, and lets it in again', async () => {
    const { ask, open, named, file, complaints } = await setUp()
    const panel = open()
    const bytes = readFileSync(file)
    rmSync(file)
    answerOf(await ask(challengeModel, named))
    expect(await seats(panel)).toEqual(['fraud-2'])
    expect(await seats(panel)).toEqual(['fraud-2'])
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).toContain('rival-1')
    writeFileSync(file, bytes)
    expect(await seats(panel)).toEqual(['fraud-2', 'rival-1'])
  })
})

describe('the scorer', () => {
  test('goes over to another model and another policy under traffic, scoring all of it once', async () => {
    const { ask, open, named } = await setUp()
    const { book, recorded } = await newBook()
    let governing = { policy: initialPolicy(), revision: -1 }
    const scorer = newScorer({ withPanel: open().withPanel, policyOf: async () => governing })
    const work = batches(recorded, 40).map((batch) => scorer.handle(batch))
    await work[1]
    answerOf(await ask(promoteModel, { ...named, reason: 'better' }))
    governing = { policy: { ...initialPolicy(), review_from: 0, block_from: 1 }, revision: 3 }
    await Promise.all(work)
    const scores = await scoresOf(book)
    expect(scores.map(({ entry }) => entry)).toEqual(expected(recorded).map(({ entry }) => entry))
    const models = scores.map(({ model }) => model)
    const switched = models.indexOf('rival-1')
    expect(switched).toBeGreaterThan(0)
    expect(new Set(models.slice(0, switched))).toEqual(new Set(['fraud-2']))
    expect(new Set(models.slice(switched))).toEqual(new Set(['rival-1']))
    const last = scores.at(-1)
    expect(scores[0]).not.toHaveProperty('policy')
    expect(last).toMatchObject({ policy: 3, decision: 'review' })
  })
})
