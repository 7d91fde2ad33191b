import { readFile } from 'node:fs/promises'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import { lookAtModels, promoteModel } from '../../commands/models.ts'
import type { ChurnModel, Ports } from '../../commands/ports.ts'
import { CHURN_FEATURES, type ChurnProfile } from '../../domain/churn.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { challengersOf, championOf, type TrainedModel } from '../../domain/models.ts'
import { createTurns } from '../../domain/turns.ts'
import { loadModel, type Model, SHIPPED_CHURN_MODEL } from '../../ml/model.ts'
import type { Artefacts } from '../models/artefacts.ts'
import { keepModel } from '../models/keep.ts'
import { SYSTEM } from '../ports.ts'

type LogAccess = Pick<Ports, 'engine' | 'clock'>

/** What the model sees, in its order: yes is 1. */
export const vectorOf = (profile: ChurnProfile): Float32Array =>
  Float32Array.from(CHURN_FEATURES, (name) => Number(profile[name]))

const MOST_REASONS = 3

/** Keeps the shipped model and lets it answer, where none does yet. */
const adoptShipped = async (ports: Ports, artefacts: Artefacts): Promise<TrainedModel> => {
  const bytes = await readFile(SHIPPED_CHURN_MODEL)
  // Refused when another process was faster, which is as well.
  const { described } = await keepModel({ ports, artefacts }, 'churn', bytes)
  const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
  const { family, version } = described
  const promotion = { family, version, reason: 'It ships with Daybook' }
  const promoted = await execute(ports, promoteModel, promotion, context)
  const champion = championOf(await lookAtModels(ports, 'churn'))
  if (!champion) throw new Error(isRefusal(promoted) ? promoted.detail : 'no churn model answers')
  return champion
}

type Panel = { readonly champion: Model; readonly challengers: readonly Model[] }

/** Loads what is wanted and not there yet, and lets go of what is wanted no more. */
const createShelf = (artefacts: Artefacts) => {
  const loaded = new Map<string, Model>()

  const modelOf = async ({ sha256 }: TrainedModel): Promise<Model> => {
    const known = loaded.get(sha256)
    if (known) return known
    const model = await loadModel(await artefacts.load(sha256), CHURN_FEATURES)
    loaded.set(sha256, model)
    return model
  }
  const keepOnly = async (wanted: readonly TrainedModel[]): Promise<void> => {
    const digests = new Set(wanted.map(({ sha256 }) => sha256))
    for (const [sha256, model] of loaded) {
      if (digests.has(sha256)) continue
      loaded.delete(sha256)
      await model.close()
    }
  }
  return {
    take: async (champion: TrainedModel, challengers: readonly TrainedModel[]): Promise<Panel> => {
      const answering = await modelOf(champion)
      // Who only watches must not keep the champion from answering.
      const watching = await Promise.allSettled(challengers.map(modelOf))
      await keepOnly([champion, ...challengers])
      return {
        champion: answering,
        challengers: watching.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
      }
    },
    clear: () => keepOnly([]),
  }
}

/** The champion of the log and its challengers, loaded when first asked and whenever they change. */
export const createChurnModel = (
  portsOf: () => Ports,
  artefacts: Artefacts,
): ChurnModel & { readonly close: () => Promise<void> } => {
  const shelf = createShelf(artefacts)
  const inTurn = createTurns()

  const load = async (): Promise<Panel> => {
    const state = await lookAtModels(portsOf() as LogAccess, 'churn')
    const champion = championOf(state) ?? (await adoptShipped(portsOf(), artefacts))
    return shelf.take(champion, challengersOf(state))
  }
  /** One after another: a model must not be let go of while it works. */
  const withPanel = <Result>(work: (panel: Panel) => Promise<Result>): Promise<Result> =>
    inTurn(async () => work(await load()))
  const probabilityOf = async (model: Model, vector: Float32Array): Promise<number> => {
    const [probability = Number.NaN] = await model.score(vector)
    return probability
  }
  return {
    version: () => withPanel(async ({ champion }) => champion.version),
    score: (profile) =>
      withPanel(async ({ champion, challengers }) => {
        const vector = vectorOf(profile)
        const reasons = champion.explain(vector).slice(0, MOST_REASONS)
        return {
          model: champion.version,
          probability: await probabilityOf(champion, vector),
          reasons: reasons.map(({ feature, value, contribution }) => ({
            feature,
            value,
            contribution,
          })),
          challengers: await Promise.all(
            challengers.map(async (model) => ({
              model: model.version,
              probability: await probabilityOf(model, vector),
            })),
          ),
        }
      }),
    close: () => inTurn(shelf.clear),
  }
}
