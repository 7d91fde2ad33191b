import { z } from '@hono/zod-openapi'
import { PREDICTION_TRIES, predictChurn } from '../../commands/churn.ts'
import { requestChurnBatch } from '../../commands/tasks.ts'
import { ChurnProfile } from '../../domain/churn.ts'
import { findChurnCustomers, getChurnCustomer } from '../../projections/churn/index.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { invalidField, ProblemError } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import type { Throttled } from '../throttle.ts'
import { asAnalyst } from './customers.ts'
import { beginTask, TaskStarted } from './tasks.ts'
import { risk } from './views.ts'

const tag = 'Predictions'
const HOUR_S = 3600
const prediction: Throttled = {
  scope: 'prediction',
  requests: 100,
  seconds: HOUR_S,
  key: (_input, { id }) => id,
}

const isOutrun = (error: unknown): boolean =>
  error instanceof ProblemError && error.problem.code === 'REVISION_MISMATCH'

/** Again when somebody else scored him meanwhile. */
const predict = async (call: Call, customer: string, tries = PREDICTION_TRIES) => {
  try {
    return await tell(call, predictChurn, { customer })
  } catch (error) {
    if (tries > 1 && isOutrun(error)) return predict(call, customer, tries - 1)
    throw error
  }
}

const Batch = z.object({ customer_ids: z.array(z.int().min(1)).min(1).max(1000) })

const startBatch = async (call: Call<z.infer<typeof Batch>>) => {
  const numbers = [...new Set(call.input.customer_ids)]
  const found = await ask(call, findChurnCustomers, { numbers })
  if (found.length === 0) {
    throw new ProblemError(invalidField('customer_ids', 'none of them is a customer'))
  }
  const customers = found.map(({ number }) => number)
  const { answer } = await tell(call, requestChurnBatch, { input: { customers } })
  const left = numbers.length - customers.length
  const unknown = left === 0 ? '' : `; ${left} unknown ids were left out`
  return beginTask(call, answer.task, `${customers.length} customers will be scored${unknown}`)
}

export const predictionRoutes: readonly Route[] = [
  route('post', '/api/predict/', 'churn:use', {
    tag,
    summary: 'Say how likely a customer is to leave',
    description: 'Within an hour, the same facts get the same answer and no new entry.',
    input: z.object({ customer_id: z.int().min(1) }),
    response: z.object({
      customer_id: z.int(),
      risk_score: z.number(),
      prediction_time: z.string(),
      features_used: ChurnProfile,
    }),
    problems: ['RESOURCE_NOT_FOUND'],
    throttles: [prediction],
    example: { ...asAnalyst, body: { customer_id: '{churn_customer}' } },
    run: async (call) => {
      const number = call.input.customer_id
      const { customer } = await ask(call, getChurnCustomer, { number })
      const { answer } = await predict(call, customer)
      for (const alert of answer.alerts) call.services.churn.deliver(customer, alert)
      return {
        body: {
          customer_id: number,
          risk_score: risk(answer.probability),
          prediction_time: instant(answer.scored_at),
          features_used: answer.features,
        },
      }
    },
  }),
  route('post', '/api/predict/batch/', 'churn:use', {
    tag,
    summary: 'Score many customers in the background',
    status: 202,
    input: Batch,
    response: TaskStarted,
    throttles: [prediction],
    example: { ...asAnalyst, body: { customer_ids: ['{churn_customer}'] } },
    run: startBatch,
  }),
]
