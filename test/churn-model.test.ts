import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { addChurnCustomer, predictChurn } from '../commands/churn.ts'
import { challengeModel, endChallenge, promoteModel, recordModel } from '../commands/models.ts'
import type { Ports } from '../commands/ports.ts'
import { CHURN_FEATURES, type ChurnProfile } from '../domain/churn.ts'
import { createChurnModel, vectorOf } from '../infra/churn/model.ts'
import { createGlance } from '../infra/glance.ts'
import { openArtefacts } from '../infra/models/artefacts.ts'
import { describedBy } from '../infra/models/described.ts'
import { createPanel } from '../infra/models/panel.ts'
import { trainChurn } from '../ml/churn.ts'
import { SHIPPED_CHURN, simulateChurn } from '../ml/churn_simulator.ts'
import { loadModel, SHIPPED_CHURN_MODEL } from '../ml/model.ts'
import { temporaryDirectory } from './infra-support.ts'
import { answerOf, askOn } from './machine-support.ts'
import { createMemoryPorts } from './support/memory.ts'

const profile: ChurnProfile = {
  ...{ age: 52, tenure: 2, balance: 120_000, products: 1 },
  ...{ credit_card: true, active: false, salary: 80_000 },
}

const made: { bytes?: Uint8Array } = {}
beforeAll(() => {
  const { traffic, boost, ...settings } = SHIPPED_CHURN
  const rows = simulateChurn({ ...traffic, customers: 400, seed: 7 })
  const small = { ...settings, version: 'rival-1', folds: 2, boost: { ...boost, trees: 10 } }
  made.bytes = trainChurn(rows, small).bytes
})

const setUp = async () => {
  const directory = join(temporaryDirectory(), 'models')
  const artefacts = openArtefacts(directory)
  const memory = createMemoryPorts(() => new Date())
  const { engine, clock } = memory
  const models = createPanel({
    ...{ family: 'churn', features: CHURN_FEATURES, shipped: SHIPPED_CHURN_MODEL },
    ...{ engine, glance: createGlance(engine), artefacts, clock, log: { warn: () => undefined } },
  })
  onTestFinished(() => models.close())
  const churnModel = createChurnModel(models)
  const ports: Ports = { ...memory, churnModel }
  const ask = askOn(ports)
  const bytes = made.bytes as Uint8Array
  const sha256 = await artefacts.save(bytes)
  const rival = await loadModel(bytes, CHURN_FEATURES)
  onTestFinished(() => rival.close())
  answerOf(await ask(recordModel, describedBy('churn', rival, { sha256, bytes: bytes.length })))
  const named = { family: 'churn' as const, version: rival.version }
  const file = join(directory, `${sha256}.onnx`)
  return { ask, churnModel, rival, named, file, log: memory.store.log }
}

describe('a challenger', () => {
  test('scores beside the champion until its challenge ends, and changes nothing', async () => {
    const { ask, churnModel, rival, named, log } = await setUp()
    const alone = await churnModel.score(profile)
    expect(alone.challengers).toEqual([])
    answerOf(await ask(challengeModel, named))
    const [probability] = await rival.score(vectorOf(profile))
    expect(probability).not.toBe(alone.probability)
    const challengers = [{ model: 'rival-1', probability }]
    expect(await churnModel.score(profile)).toEqual({ ...alone, challengers })
    const person = { name: 'Ada Byron', email: 'ada@example.com', phone: '+442079460000' }
    const { customer } = answerOf(await ask(addChurnCustomer, { person, profile }))
    answerOf(await ask(predictChurn, { customer }))
    const scored = log.find(({ type }) => type === 'ChurnScored')
    expect(scored?.data).toMatchObject({ model: alone.model, challengers })
    answerOf(await ask(endChallenge, named))
    expect(await churnModel.score(profile)).toEqual(alone)
  })

  test('is the one that answers once it is promoted', async () => {
    const { ask, churnModel, named } = await setUp()
    await churnModel.version()
    answerOf(await ask(challengeModel, named))
    answerOf(await ask(promoteModel, { ...named, reason: 'better' }))
    expect(await churnModel.score(profile)).toMatchObject({ model: 'rival-1', challengers: [] })
  })

  test('that cannot be read keeps nobody from an answer', async () => {
    const { ask, churnModel, named, file } = await setUp()
    const alone = await churnModel.score(profile)
    rmSync(file)
    answerOf(await ask(challengeModel, named))
    expect(await churnModel.score(profile)).toEqual(alone)
  })
})
