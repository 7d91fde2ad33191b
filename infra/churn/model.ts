import type { ChurnModel } from '../../commands/ports.ts'
import { CHURN_FEATURES, type ChurnProfile } from '../../domain/churn.ts'
import type { Model } from '../../ml/model.ts'
import type { Bench } from '../models/panel.ts'

/** What the model sees, in its order: yes is 1. */
export const vectorOf = (profile: ChurnProfile): Float32Array =>
  Float32Array.from(CHURN_FEATURES, (name) => Number(profile[name]))

const MOST_REASONS = 3

const probabilityOf = async (model: Model, vector: Float32Array): Promise<number> => {
  const [probability = Number.NaN] = await model.score(vector)
  return probability
}

/** The churn models of the registry, asked about a customer. */
export const createChurnModel = ({ withPanel }: Pick<Bench, 'withPanel'>): ChurnModel => ({
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
})
