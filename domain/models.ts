import { z } from 'zod'
import { Digest } from './exports.ts'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { BookId, Instant } from './ledger/events.ts'
import { Asset, Balance } from './money.ts'

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

const BothSides = z.object({ champion: z.number(), challenger: z.number() })
const Lead = z.object({ difference: z.number(), low: z.number(), high: z.number() })

const BothValues = z.object({ champion: Balance, challenger: Balance })
const ValueLead = z.object({ difference: Balance, low: Balance, high: Balance })

/** A contest of two models on the same movements. */
const Evidence = z.object({
  book: BookId,
  asset: Asset,
  champion: ModelVersion,
  rows: z.int().min(1),
  frauds: z.int().min(1),
  average_precision: BothSides,
  net_value: BothValues,
  precision_lead: Lead,
  value_lead: ValueLead,
})

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
  /** Scores the same traffic beside the one that answers; what it says changes nothing. */
  ModelChallenged: z.object({ ...Named, challenged_at: Instant }),
  ChallengeEnded: z.object({ ...Named, ended_at: Instant }),
  /** Answers from now on. */
  ModelPromoted: z.object({
    ...Named,
    reason: z.string().max(256),
    /** The figures by which it has earned it; absent: somebody's word. */
    evidence: Evidence.optional(),
    promoted_at: Instant,
  }),
  /** The one before answers again. */
  ModelRolledBack: z.object({
    ...Named,
    replaces: ModelVersion,
    reason: z.string().max(256),
    rolled_back_at: Instant,
  }),
} as const

type ModelEvent = EventOf<typeof modelEvents>
type Data<Type extends keyof typeof modelEvents> = z.infer<(typeof modelEvents)[Type]>
export type TrainedModel = Data<'ModelTrained'>

export type ModelsState = {
  readonly models: readonly TrainedModel[]
  /** The version that answers; null: none yet. */
  readonly champion: string | null
  /** Those that answered before, the latest last. */
  readonly former: readonly string[]
  /** Those that score beside it. */
  readonly challengers: readonly string[]
}

const MOST_MODELS = 200
const MOST_CHALLENGERS = 4

const train = (state: ModelsState, data: TrainedModel): Decision<ModelEvent> =>
  state.models.some(({ version }) => version === data.version)
    ? refuse('MODEL_EXISTS', `There is a ${data.family} model ${data.version} already.`)
    : [{ type: 'ModelTrained', data }]

type Name = { readonly family: ModelFamily; readonly version: string }

const missing = (state: ModelsState, { family, version }: Name): Refusal | undefined =>
  state.models.some((model) => model.version === version)
    ? undefined
    : refuse('MODEL_NOT_FOUND', `There is no ${family} model ${version}.`)

const challenge = (state: ModelsState, data: Data<'ModelChallenged'>): Decision<ModelEvent> => {
  const unknown = missing(state, data)
  if (unknown) return unknown
  if (state.champion === data.version || state.challengers.includes(data.version)) return []
  if (state.challengers.length >= MOST_CHALLENGERS) {
    return refuse('TOO_MANY_CHALLENGERS', `${MOST_CHALLENGERS} models challenge already.`)
  }
  return [{ type: 'ModelChallenged', data }]
}

const endChallenge = (state: ModelsState, data: Data<'ChallengeEnded'>): Decision<ModelEvent> =>
  missing(state, data) ??
  (state.challengers.includes(data.version) ? [{ type: 'ChallengeEnded', data }] : [])

const promote = (state: ModelsState, data: Data<'ModelPromoted'>): Decision<ModelEvent> =>
  missing(state, data) ?? (state.champion === data.version ? [] : [{ type: 'ModelPromoted', data }])

/** Lets a model answer where none does: the first one of a family. */
const adopt = (
  state: ModelsState,
  { trained, reason }: { readonly trained: TrainedModel; readonly reason: string },
): Decision<ModelEvent> => {
  if (state.champion !== null) return []
  const { family, version, trained_at: promoted_at } = trained
  const isKnown = state.models.some((model) => model.version === version)
  return [
    ...(isKnown ? [] : [{ type: 'ModelTrained' as const, data: trained }]),
    { type: 'ModelPromoted', data: { family, version, reason, promoted_at } },
  ]
}

type RollBack = Omit<Data<'ModelRolledBack'>, 'version' | 'replaces'>

const rollBack = (state: ModelsState, command: RollBack): Decision<ModelEvent> => {
  const version = state.former.at(-1)
  if (version === undefined || state.champion === null) {
    return refuse('MODEL_NOT_FOUND', `No ${command.family} model answered before this one.`)
  }
  return [{ type: 'ModelRolledBack', data: { ...command, version, replaces: state.champion } }]
}

const without = (versions: readonly string[], version: string): readonly string[] =>
  versions.filter((one) => one !== version)

/** The models of one family, in the order in which they were trained, and which of them answers. */
export const Models = decider({
  category: 'models',
  schemas: modelEvents,
  initial: (): ModelsState => ({ models: [], champion: null, former: [], challengers: [] }),
  evolve: {
    ModelTrained: (state, model): ModelsState => ({
      ...state,
      models: [...state.models, model].slice(-MOST_MODELS),
    }),
    ModelChallenged: (state, { version }): ModelsState => ({
      ...state,
      challengers: [...state.challengers, version],
    }),
    ChallengeEnded: (state, { version }): ModelsState => ({
      ...state,
      challengers: without(state.challengers, version),
    }),
    ModelPromoted: (state, { version }): ModelsState => ({
      ...state,
      champion: version,
      former: [...state.former, ...(state.champion ? [state.champion] : [])].slice(-MOST_MODELS),
      challengers: without(state.challengers, version),
    }),
    ModelRolledBack: (state, { version }): ModelsState => ({
      ...state,
      champion: version,
      former: state.former.slice(0, -1),
    }),
  },
  decide: { train, adopt, challenge, endChallenge, promote, rollBack },
})

/** Those that score beside the champion. */
export const challengersOf = ({ models, champion, challengers }: ModelsState): TrainedModel[] =>
  models.filter(({ version }) => version !== champion && challengers.includes(version))

export const championOf = ({ models, champion }: ModelsState): TrainedModel | undefined =>
  models.find(({ version }) => version === champion)
