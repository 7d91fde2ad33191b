import { readFile } from 'node:fs/promises'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import { lookAtModels, promoteModel, recordModel } from '../../commands/models.ts'
import type { ChurnModel, Ports } from '../../commands/ports.ts'
import { CHURN_FEATURES, type ChurnProfile } from '../../domain/churn.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { championOf, type TrainedModel } from '../../domain/models.ts'
import { loadModel, type Model, SHIPPED_CHURN_MODEL } from '../../ml/model.ts'
import type { Artefacts } from '../models/artefacts.ts'
import { describedBy } from '../models/described.ts'
import { SYSTEM } from '../ports.ts'

type LogAccess = Pick<Ports, 'engine' | 'clock'>

/** What the model sees, in its order: yes is 1. */
export const vectorOf = (profile: ChurnProfile): Float32Array =>
  Float32Array.from(CHURN_FEATURES, (name) => Number(profile[name]))

const MOST_REASONS = 3

type Loaded = { readonly sha256: string; readonly model: Model }

/** Keeps the shipped model and lets it answer, where none does yet. */
const adoptShipped = async (ports: Ports, artefacts: Artefacts): Promise<TrainedModel> => {
  const bytes = await readFile(SHIPPED_CHURN_MODEL)
  const sha256 = await artefacts.save(bytes)
  const model = await loadModel(bytes, CHURN_FEATURES)
  const described = describedBy('churn', model, { sha256, bytes: bytes.length })
  await model.close()
  const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
  // Refused when another process was faster, which is as well.
  await execute(ports, recordModel, described, context)
  const { family, version } = described
  const promotion = { family, version, reason: 'It ships with Daybook' }
  const promoted = await execute(ports, promoteModel, promotion, context)
  const champion = championOf(await lookAtModels(ports, 'churn'))
  if (!champion) throw new Error(isRefusal(promoted) ? promoted.detail : 'no churn model answers')
  return champion
}

/** The champion of the log, loaded when it is first asked for and whenever it has changed. */
export const createChurnModel = (
  portsOf: () => Ports,
  artefacts: Artefacts,
): ChurnModel & { readonly close: () => Promise<void> } => {
  let loaded: Loaded | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const champion = async (): Promise<TrainedModel> => {
    const known = championOf(await lookAtModels(portsOf() as LogAccess, 'churn'))
    return known ?? adoptShipped(portsOf(), artefacts)
  }
  const load = async (): Promise<Model> => {
    const { sha256 } = await champion()
    if (loaded?.sha256 === sha256) return loaded.model
    const model = await loadModel(await artefacts.load(sha256), CHURN_FEATURES)
    const before = loaded?.model
    loaded = { sha256, model }
    await before?.close()
    return model
  }
  /** One after another: a model must not be let go of while it works. */
  const inTurn = <Result>(work: (model: Model) => Promise<Result>): Promise<Result> => {
    const done = turn.then(load, load).then(work)
    turn = done.catch(() => undefined)
    return done
  }
  return {
    version: () => inTurn(async ({ version }) => version),
    score: (profile) =>
      inTurn(async (model) => {
        const vector = vectorOf(profile)
        const [probability = Number.NaN] = await model.score(vector)
        const reasons = model.explain(vector).slice(0, MOST_REASONS)
        return {
          model: model.version,
          probability,
          reasons: reasons.map(({ feature, value, contribution }) => ({
            feature,
            value,
            contribution,
          })),
        }
      }),
    close: async () => {
      await turn
      await loaded?.model.close()
    },
  }
}
