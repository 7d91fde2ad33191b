import { z } from 'zod'
import {
  ModelFamily,
  Models,
  type ModelsState,
  ModelVersion,
  modelEvents,
} from '../domain/models.ts'
import { command, onExisting } from './kernel.ts'
import type { Ports } from './ports.ts'

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

/** Lets a model answer from now on; an earlier one too, to roll back. */
export const promoteModel = onExisting({
  decider: Models,
  field: 'family',
  otherwise: 'MODEL_NOT_FOUND',
})({
  name: 'models.promote',
  permission: 'models:manage',
  input: z.strictObject({
    family: ModelFamily,
    version: ModelVersion,
    reason: z.string().trim().min(1).max(256),
  }),
  enrich: (input, { at }) => ({ ...input, promoted_at: at }),
  decide: Models.decide.promote,
  answer: (_events, { family, version }) => ({ family, version, status: 'champion' as const }),
})

export const lookAtModels = async (
  { engine }: Pick<Ports, 'engine'>,
  family: ModelFamily,
): Promise<ModelsState> =>
  (await engine.look(Models, `${Models.category}-${family}`)).state as ModelsState
