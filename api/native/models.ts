import { z } from '@hono/zod-openapi'
import { promoteModel } from '../../commands/models.ts'
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
    champion: z.boolean(),
    sha256: z.string(),
    bytes: z.int(),
    metrics: ModelMetrics,
    importances: z.record(z.string(), z.number()),
    source: z.string(),
    trained_at: z.iso.datetime({ precision: 3 }),
  })
  .openapi('Model')

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
  write('post', '/v1/models/{family}/champion', promoteModel, {
    tag,
    summary: 'Let a model answer from now on: a new one, or an earlier one again',
    status: 200,
    response: z.object({
      family: Family,
      version: z.string(),
      status: z.literal('champion'),
    }),
    problems: ['MODEL_NOT_FOUND'],
    example: {
      params: { family: 'churn' },
      body: { version: 'churn-1', reason: 'Back to what ships' },
    },
  }),
]
