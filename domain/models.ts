import { z } from 'zod'
import { Digest } from './exports.ts'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Instant } from './ledger/events.ts'

/** What models of a family answer: which customers leave, which payments are fraud. */
export const ModelFamily = z.enum(['churn', 'fraud'])
export type ModelFamily = z.infer<typeof ModelFamily>

export const ModelVersion = z.string().regex(/^[0-9A-Za-z._-]{1,64}$/)

/** Never accuracy alone: with one positive in five, saying no to everybody is right in four. */
export const ModelMetrics = z.object({
  rows: z.int().min(0),
  base_rate: z.number(),
  auc: z.number(),
  average_precision: z.number(),
  brier: z.number(),
  threshold: z.number(),
  accuracy: z.number(),
  precision: z.number(),
  recall: z.number(),
  f1_score: z.number(),
})
export type ModelMetrics = z.infer<typeof ModelMetrics>

const Named = { family: ModelFamily, version: ModelVersion }

export const modelEvents = {
  ModelTrained: z.object({
    ...Named,
    /** Of the ONNX file, under which it is kept. */
    sha256: Digest,
    bytes: z.int().min(1),
    metrics: ModelMetrics,
    /** Share of each feature in what the model says; they sum up to 1. */
    importances: z.record(z.string().max(64), z.number()),
    /** What it was trained on, in words. */
    source: z.string().max(256),
    trained_at: Instant,
  }),
  /** Answers from now on. */
  ModelPromoted: z.object({ ...Named, reason: z.string().max(256), promoted_at: Instant }),
} as const

type ModelEvent = EventOf<typeof modelEvents>
type Data<Type extends keyof typeof modelEvents> = z.infer<(typeof modelEvents)[Type]>
export type TrainedModel = Data<'ModelTrained'>

export type ModelsState = {
  readonly models: readonly TrainedModel[]
  /** The version that answers; null: none yet. */
  readonly champion: string | null
}

const MOST_MODELS = 200

const train = (state: ModelsState, data: TrainedModel): Decision<ModelEvent> =>
  state.models.some(({ version }) => version === data.version)
    ? refuse('MODEL_EXISTS', `There is a ${data.family} model ${data.version} already.`)
    : [{ type: 'ModelTrained', data }]

const promote = (state: ModelsState, data: Data<'ModelPromoted'>): Decision<ModelEvent> => {
  if (!state.models.some(({ version }) => version === data.version)) {
    return refuse('MODEL_NOT_FOUND', `There is no ${data.family} model ${data.version}.`)
  }
  return state.champion === data.version ? [] : [{ type: 'ModelPromoted', data }]
}

/** The models of one family, in the order in which they were trained, and the one that answers. */
export const Models = decider({
  category: 'models',
  schemas: modelEvents,
  initial: (): ModelsState => ({ models: [], champion: null }),
  evolve: {
    ModelTrained: (state, model): ModelsState => ({
      ...state,
      models: [...state.models, model].slice(-MOST_MODELS),
    }),
    ModelPromoted: (state, { version }): ModelsState => ({ ...state, champion: version }),
  },
  decide: { train, promote },
})

export const championOf = ({ models, champion }: ModelsState): TrainedModel | undefined =>
  models.find(({ version }) => version === champion)
