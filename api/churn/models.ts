import { z } from '@hono/zod-openapi'
import { lookAtModels } from '../../commands/models.ts'
import { requestChurnTraining } from '../../commands/tasks.ts'
import { championOf } from '../../domain/models.ts'
import { getTask } from '../../projections/tasks.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { ProblemError, problem } from '../problems.ts'
import type { Route } from '../route.ts'
import { asAnalyst } from './customers.ts'
import { beginTask, TaskStarted, taskOf } from './tasks.ts'

const tag = 'Models'
const asLead = asAnalyst

export const modelRoutes: readonly Route[] = [
  route('get', '/api/model/info/', 'churn:use', {
    tag,
    summary: 'Show the model that answers, how good it is and what it looks at',
    description: 'Measured on customers it had not seen; accuracy says little without the others.',
    input: z.object({}),
    response: z.object({
      model_version: z.string(),
      last_trained: z.string(),
      metrics: z.object({
        accuracy: z.number(),
        precision: z.number(),
        recall: z.number(),
        f1_score: z.number(),
        auc: z.number(),
        average_precision: z.number(),
        brier: z.number(),
        threshold: z.number(),
        base_rate: z.number(),
      }),
      feature_importance: z.record(z.string(), z.number()),
    }),
    example: asAnalyst,
    run: async (call) => {
      const { ports } = call.services
      // The shipped model is adopted when it is first asked for.
      await ports.churnModel.version()
      const champion = championOf(await lookAtModels(ports, 'churn'))
      if (!champion) throw new ProblemError(problem('RESOURCE_NOT_FOUND', 'There is no model yet.'))
      const { rows: _rows, ...metrics } = champion.metrics
      return {
        body: {
          model_version: champion.version,
          last_trained: instant(champion.trained_at),
          metrics,
          feature_importance: champion.importances,
        },
      }
    },
  }),
  route('post', '/api/model/train/', 'churn:train', {
    tag,
    summary: 'Train a model on the customers of whom it is known whether they left',
    status: 202,
    input: z.object({}),
    response: TaskStarted,
    example: { ...asLead, capture: { churn_training: 'task_id' } },
    run: async (call) => {
      const { answer } = await tell(call, requestChurnTraining, { input: {} })
      return beginTask(call, answer.task, 'The training has been asked for.')
    },
  }),
  route('get', '/api/model/train/{task_id}/', 'churn:use', {
    tag,
    summary: 'Show how far a training is',
    input: z.object({ task_id: z.string() }),
    response: z.object({
      task_id: z.string(),
      status: z.enum(['pending', 'running', 'completed', 'failed']),
      progress: z.int(),
      message: z.string(),
      completed_at: z.string().nullable(),
    }),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...asAnalyst, params: { task_id: '{churn_training}' } },
    run: async (call) => {
      const id = call.input.task_id
      if (!/^[0-9A-Za-z_-]{1,64}$/.test(id)) {
        throw new ProblemError(problem('RESOURCE_NOT_FOUND', 'There is no such task.'))
      }
      const task = await ask(call, getTask, { task: id })
      const { completed_at, ...shown } = taskOf(call, task)
      return { body: { ...shown, completed_at: completed_at && instant(completed_at) } }
    },
  }),
]
