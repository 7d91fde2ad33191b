import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { BookId } from '../domain/ledger/events.ts'
import {
  ModelFamily,
  Models,
  type ModelsState,
  ModelVersion,
  modelEvents,
  type TrainedModel,
} from '../domain/models.ts'
import { AmountOrZero, Asset } from '../domain/money.ts'
import type { Outcome } from './engine.ts'
import {
  type Context,
  command,
  onExisting,
  type Step,
  type Stepping,
  submitStep,
} from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'

/** Keeps that a model was trained; its file lies under its digest already. */
export const recordModel = command({
  name: 'models.record',
  permission: 'models:manage',
  input: z.strictObject(modelEvents.ModelTrained.omit({ trained_at: true }).shape),
  decider: Models,
  stream: ({ family }) => family,
  on: 'any',
  otherwise: 'MODEL_NOT_FOUND',
  ifMatch: 'stream',
  enrich: (input, { at }) => ({ ...input, trained_at: at }),
  decide: Models.decide.train,
  answer: (_events, { family, version }) => ({ family, version }),
})

const modelCommand = onExisting({
  decider: Models,
  field: 'family',
  otherwise: 'MODEL_NOT_FOUND',
})
const permission = 'models:manage'
const Named = { family: ModelFamily, version: ModelVersion }
const Reason = z.string().trim().min(1).max(256)

/** Lets a model score the same traffic beside the one that answers. */
export const challengeModel = modelCommand({
  name: 'models.challenge',
  permission,
  input: z.strictObject(Named),
  enrich: (input, { at }) => ({ ...input, challenged_at: at }),
  decide: Models.decide.challenge,
  answer: (_events, { family, version }) => ({ family, version, status: 'challenger' as const }),
})

export const endChallenge = modelCommand({
  name: 'models.end_challenge',
  permission,
  input: z.strictObject(Named),
  enrich: (input, { at }) => ({ ...input, ended_at: at }),
  decide: Models.decide.endChallenge,
  answer: (_events, { family, version }) => ({ family, version, status: 'idle' as const }),
})

/** Lets a model answer from now on. */
export const promoteModel = modelCommand({
  name: 'models.promote',
  permission,
  input: z.strictObject({ ...Named, reason: Reason }),
  enrich: (input, { at }) => ({ ...input, promoted_at: at }),
  decide: Models.decide.promote,
  answer: (_events, { family, version }) => ({ family, version, status: 'champion' as const }),
})

/**
 * A contest with the champion: on which movements, how sure, and what looks and stops cost in minor
 * units of the asset.
 */
export const Contested = {
  ...Named,
  family: z.literal('fraud'),
  book: BookId,
  asset: Asset,
  matured_days: z.coerce.number().int().min(0).max(365).default(7),
  since_days: z.coerce.number().int().min(1).max(3_650).default(90),
  level: z.coerce.number().min(0.5).max(0.999).default(0.95),
  review: AmountOrZero.default('200'),
  wrong_block: AmountOrZero.default('1000'),
}

/** Lets a challenger answer if it has earned that: better in ranking and money, beyond chance. */
export const promoteByRule = modelCommand({
  name: 'models.promote_by_rule',
  permission,
  input: z.strictObject(Contested),
  enrich: async (input, { ports, at }) => {
    const contest = await ports.laboratory.contest(input)
    if (isRefusal(contest)) return contest
    const { challenger, earned, ...figures } = contest
    const { precision_lead, value_lead } = contest
    if (!earned) {
      return refuse(
        'PROMOTION_NOT_EARNED',
        `Of ${contest.rows} movements, its lead in average precision lies between ` +
          `${precision_lead.low.toFixed(4)} and ${precision_lead.high.toFixed(4)}, in net value ` +
          `between ${value_lead.low} and ${value_lead.high} minor units.`,
        {
          ...{ rows: contest.rows, frauds: contest.frauds },
          ...{ precision_low: precision_lead.low, value_low: value_lead.low },
        },
      )
    }
    const { family, book, asset } = input
    return {
      ...{
        family,
        version: challenger,
        promoted_at: at,
        reason: `Better than ${contest.champion}`,
      },
      evidence: { book, asset, ...figures },
    }
  },
  decide: Models.decide.promote,
  answer: (_events, { family, version }) => ({ family, version, status: 'champion' as const }),
})

/** Lets the one before answer again. */
export const rollBackModel = modelCommand({
  name: 'models.roll_back',
  permission,
  input: z.strictObject({ family: ModelFamily, reason: Reason }),
  enrich: (input, { at }) => ({ ...input, rolled_back_at: at }),
  decide: Models.decide.rollBack,
  answer: (events, { family }) => {
    const { version } = dataOf<{ version: string }>(events, 'ModelRolledBack')
    return { family, version, status: 'champion' as const }
  },
})

/** Lets the model that ships with Daybook answer, unless another one of its family does. */
export const adoptModel = (
  ports: Stepping,
  model: Omit<TrainedModel, 'trained_at'>,
  context: Context,
): Promise<Outcome | Refusal> => {
  const trained = { ...model, trained_at: context.at.toISOString() }
  const reason = 'It ships with Daybook'
  const step: Step = {
    ...{ name: 'models.adopt', decider: Models, stream: model.family, on: 'any' },
    otherwise: 'MODEL_NOT_FOUND',
    decide: (state: ModelsState) => Models.decide.adopt(state, { trained, reason }),
  }
  return submitStep(ports, step, context)
}

export const lookAtModels = (ports: Looking, family: ModelFamily): Promise<ModelsState> =>
  lookAt(ports, Models, family)
