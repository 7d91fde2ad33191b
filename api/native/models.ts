import { z } from '@hono/zod-openapi'
import { challengeModel, endChallenge, promoteModel, rollBackModel } from '../../commands/models.ts'
import { ModelMetrics } from '../../domain/models.ts'
import { listModels } from '../../projections/models.ts'
import { type Route, read, write } from '../route.ts'
import { pageOf } from './views.ts'

const tag = 'Models'
const Family = z.enum(['churn', 'fraud'])

const Model = z
  .object({
    family: Family,
    version: z.string(),
    status: z.enum(['champion', 'challenger', 'idle']),
    sha256: z.string(),
    bytes: z.int(),
    metrics: ModelMetrics,
    importances: z.record(z.string(), z.number()),
    source: z.string(),
    trained_at: z.iso.datetime({ precision: 3 }),
  })
  .openapi('Model')

const Named = (status: string) =>
  z.object({ family: Family, version: z.string(), status: z.literal(status) })
const params = { family: 'churn' }

/** Behind the first prediction, which adopts the model that ships with Daybook. */
export const modelRoutes: readonly Route[] = [
  read('/v1/models', listModels, {
    tag,
    summary: 'List models, with how good each is and which one answers',
    description: 'Measured on rows that they had not seen.',
    response: pageOf(Model, 'Model'),
    problems: ['BAD_CURSOR'],
    example: { query: { family: 'churn' } },
  }),
  write('post', '/v1/models/{family}/challengers', challengeModel, {
    tag,
    summary: 'Let a model score the same traffic beside the one that answers',
    response: Named('challenger'),
    problems: ['MODEL_NOT_FOUND', 'TOO_MANY_CHALLENGERS'],
    example: { params, body: { version: '{trained_model}' } },
  }),
  write('post', '/v1/models/{family}/challengers/{version}/end', endChallenge, {
    tag,
    summary: 'End a challenge',
    status: 200,
    response: Named('idle'),
    problems: ['MODEL_NOT_FOUND'],
    example: { params: { family: 'churn', version: '{trained_model}' } },
  }),
  write('post', '/v1/models/{family}/champion', promoteModel, {
    tag,
    summary: 'Let a model answer from now on',
    status: 200,
    response: Named('champion'),
    problems: ['MODEL_NOT_FOUND'],
    example: { params, body: { version: '{trained_model}', reason: 'Better on what came since' } },
  }),
  write('post', '/v1/models/{family}/roll-back', rollBackModel, {
    tag,
    summary: 'Let the model before answer again',
    status: 200,
    response: Named('champion'),
    problems: ['MODEL_NOT_FOUND'],
    example: { params, body: { reason: 'It declines too much' } },
  }),
]
