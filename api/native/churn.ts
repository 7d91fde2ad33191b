import { z } from '@hono/zod-openapi'
import { addChurnCustomer, recordChurnOutcome } from '../../commands/churn.ts'
import { configureChurnAlerts } from '../../commands/churn_alerts.ts'
import { requestChurnTraining } from '../../commands/tasks.ts'
import { ChurnProfile } from '../../domain/churn.ts'
import { getTask } from '../../projections/tasks.ts'
import { tell } from '../contract.ts'
import { type Call, type Route, read, write } from '../route.ts'

const tag = 'Churn'
const Timestamp = z.iso.datetime({ precision: 3 })

const Figures = z.record(z.string(), z.union([z.number(), z.string()]))

const Task = z
  .object({
    task: z.string(),
    kind: z.string(),
    requested_by: z.string(),
    status: z.enum(['requested', 'completed', 'failed']),
    message: z.string().nullable(),
    figures: Figures.nullable(),
    examples: z.array(Figures).nullable(),
    requested_at: Timestamp,
    ended_at: Timestamp.nullable(),
  })
  .openapi('Task')

const Settings = z.object({
  webhook_url: z.string().nullable(),
  is_enabled: z.boolean(),
  high_risk_threshold: z.number(),
  risk_increase_threshold: z.number().openapi({ description: 'percent' }),
})

/** Keeps the upload and asks for a training on it. */
const trainOnUpload = async (call: Call) => {
  const file = await call.services.churn.keepUpload(call.request.body)
  const receipt = await tell(call, requestChurnTraining, { input: { file } })
  const { task } = receipt.answer
  call.services.tasks.begin(task)
  const headers = call.services.receiptHeaders(receipt)
  return {
    body: { task, status: 'requested' },
    headers: { ...headers, Location: `/v1/tasks/${task}` },
  }
}

const csv = [
  'CustomerId,Age,Tenure,Balance,NumOfProducts,HasCrCard,IsActiveMember,EstimatedSalary,Exited',
  '15634602,42,2,0,1,1,1,101348.88,1',
].join('\n')

export const churnRoutes: readonly Route[] = [
  write('post', '/v1/churn/customers', addChurnCustomer, {
    tag,
    summary: 'Add a customer who may leave',
    response: z.object({
      customer: z.string(),
      number: z.int(),
      profile: ChurnProfile,
      recorded_at: Timestamp,
    }),
    problems: ['EMAIL_TAKEN'],
    example: {
      body: {
        person: { name: 'Jane Roe', email: 'jane.roe@example.com', phone: '+254700000001' },
        profile: {
          ...{ age: 38, tenure: 7, balance: 1200.5, products: 2 },
          ...{ credit_card: true, active: true, salary: 40_000 },
        },
      },
      capture: { churn_subject: 'customer' },
    },
  }),
  write('put', '/v1/churn/alert-settings', configureChurnAlerts, {
    tag,
    summary: 'Say when alerts are raised and where they are sent',
    description:
      'Sent as Standard Webhooks, signed with the secret `webhooks` of the data directory.',
    response: Settings,
    example: { body: { webhook_url: null, is_enabled: false } },
  }),
  write('post', '/v1/churn/customers/{customer}/outcome', recordChurnOutcome, {
    tag,
    summary: 'Say whether a customer left: models learn from it',
    status: 200,
    response: z.object({ customer: z.string(), churned: z.boolean() }),
    problems: ['CUSTOMER_NOT_FOUND'],
    example: { params: { customer: '{churn_subject}' }, body: { churned: true } },
  }),
  {
    method: 'post',
    path: '/v1/churn/trainings',
    tag,
    summary: 'Train a churn model on an uploaded CSV',
    description:
      'Columns Age, Tenure, Balance, NumOfProducts, HasCrCard, IsActiveMember, EstimatedSalary and ' +
      'Exited; others are passed over.',
    permission: 'churn:train',
    input: z.strictObject({}),
    source: 'stream',
    consumes: 'text/csv',
    status: 202,
    response: z.object({ task: z.string(), status: z.literal('requested') }),
    problems: ['BODY_TOO_LARGE'],
    example: { body: csv, capture: { training: 'task' } },
    run: trainOnUpload,
  },
  read('/v1/tasks/{task}', getTask, {
    tag,
    summary: 'Show a task',
    response: Task,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { task: '{training}' } },
  }),
]
