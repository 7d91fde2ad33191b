import { setTimeout as wait } from 'node:timers/promises'
import { z } from '@hono/zod-openapi'
import { requestFraudBatch } from '../../commands/tasks.ts'
import type { RiskDecision } from '../../domain/judgement.ts'
import { findScoredPayment, type ScoredPaymentView } from '../../projections/payment_scores.ts'
import { getTask, type TaskView } from '../../projections/tasks.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { ADMIN, kept, STAFF } from './accounts.ts'
import { GivenId } from './amounts.ts'

const tag = 'Fraud'
const DAY_S = 86_400
const MOST_HOURS = 720
/** A score is made within a second or so of its entry. */
const TRIES = 20
const PAUSE_MS = 150

/** Below any threshold, and yet not like most. */
const MEDIUM_FROM = 0.1
/** What the average is taken for where there is none (facts of the contract). */
const NO_AVERAGE = 100

const levelOf = (decision: RiskDecision, probability: number): string => {
  if (decision === 'block') return 'critical'
  if (decision === 'review') return 'high'
  return probability >= MEDIUM_FROM ? 'medium' : 'low'
}

const Features = z.object({
  amount: z.number(),
  hour_of_day: z.int(),
  day_of_week: z.int().openapi({ description: '0: Monday' }),
  days_since_last_transaction: z.number(),
  transactions_last_24h: z.number(),
  amount_vs_avg_ratio: z.number(),
  account_age_days: z.number(),
  is_weekend: z.int(),
  velocity_score: z.number().openapi({ description: 'transactions a day over a week' }),
})

const Analysis = z
  .object({
    transaction_id: z.int(),
    analysis: z.object({
      is_anomaly: z.boolean(),
      risk_score: z.number(),
      risk_level: z.enum(['low', 'medium', 'high', 'critical']),
      features: Features,
      raw_score: z.number(),
    }),
    timestamp: z.string(),
  })
  .openapi('CoastalFraudAnalysis')

type Scored = ScoredPaymentView & {
  readonly probability: number
  readonly decision: RiskDecision
  readonly booked_at: Date
  readonly scored_at: Date
}

/** The product's own words for what the model saw. What had no value has the product's default. */
const featuresOf = ({ features, booked_at, week_count }: Scored): z.infer<typeof Features> => {
  const seen = features ?? {}
  const amount = seen.amount ?? 0
  const idle_s = seen.seconds_since_last
  return {
    amount,
    hour_of_day: booked_at.getUTCHours(),
    day_of_week: (booked_at.getUTCDay() + 6) % 7,
    days_since_last_transaction: Math.min(365, idle_s === undefined ? 365 : idle_s / DAY_S),
    transactions_last_24h: seen.count_1d ?? 0,
    amount_vs_avg_ratio: Math.min(100, seen.amount_to_mean ?? amount / NO_AVERAGE),
    account_age_days: Math.min(3650, seen.account_age_days ?? 0),
    is_weekend: seen.weekend ?? 0,
    velocity_score: Math.min(50, week_count / 7),
  }
}

const analysisOf = (payment: Scored) => ({
  transaction_id: payment.number,
  analysis: {
    is_anomaly: payment.decision !== 'approve',
    risk_score: payment.probability,
    risk_level: levelOf(payment.decision, payment.probability),
    features: featuresOf(payment),
    // The product's own scale: the lower, the stranger.
    raw_score: -0.5 - 0.5 * payment.probability,
  },
  timestamp: instant(payment.scored_at),
})

const isScored = (payment: ScoredPaymentView): payment is Scored => payment.decision !== null

/** Throws the problem of what can have no score. */
const requireScorable = ({ status, from }: ScoredPaymentView): void => {
  if (status !== 'completed') {
    const detail = 'Only completed transactions are analysed: no money of this one has moved.'
    throw new ProblemError(problem('PAYMENT_NOT_COMPLETED', detail))
  }
  if (from === null) {
    const detail = 'What comes in to an account is not analysed, only what leaves one.'
    throw new ProblemError(problem('SCORE_NOT_FOUND', detail))
  }
}

const Given = z.object({ transaction_id: GivenId })

/** Waits, briefly, for a score that is being made. */
const analyze = async (call: Call<z.infer<typeof Given>>) => {
  const asked = { ...kept, number: call.input.transaction_id }
  for (let tries = 1; ; tries += 1) {
    const payment = await ask(call, findScoredPayment, asked)
    requireScorable(payment)
    if (isScored(payment)) return { body: analysisOf(payment) }
    if (tries === TRIES) break
    await wait(PAUSE_MS, undefined, { signal: call.services.stopping })
  }
  throw new ProblemError(problem('SCORE_NOT_READY', 'Its score is still being made: ask again.'))
}

const Started = z.object({ message: z.string(), task_id: z.string() })
const Batch = z.object({ hours: z.int().min(1).max(MOST_HOURS).default(24) })

const startBatch = async (call: Call<z.infer<typeof Batch>>) => {
  const { hours } = call.input
  const { answer } = await tell(call, requestFraudBatch, { ...kept, hours })
  call.services.tasks.begin(answer.task)
  const message = `The transactions of the last ${hours} hours are being analysed.`
  return { body: { message, task_id: answer.task } }
}

const Task = z
  .object({
    task_id: z.string(),
    status: z.enum(['pending', 'running', 'completed', 'failed']),
    message: z.string(),
    analyzed: z.int().nullable(),
    anomalies: z.int().nullable(),
    alerts: z.int().nullable(),
    transactions: z.array(
      z.object({ transaction_id: z.int(), risk_score: z.number(), risk_level: z.string() }),
    ),
    completed_at: z.string().nullable(),
  })
  .openapi('CoastalFraudTask')

const words = { requested: 'pending', completed: 'completed', failed: 'failed' } as const

const taskOf = (call: Call, task: TaskView) => {
  const running =
    task.status === 'requested' ? call.services.tasks.progressOf(task.task) : undefined
  const { analyzed = null, anomalies = null, alerts = null } = task.figures ?? {}
  return {
    task_id: task.task,
    status: running ? 'running' : words[task.status],
    message: task.message ?? running?.stage ?? 'It waits for its turn.',
    ...{ analyzed, anomalies, alerts },
    transactions: (task.examples ?? []).map(({ transaction_id, risk_score, decision }) => ({
      ...{ transaction_id, risk_score },
      risk_level: levelOf(decision as RiskDecision, Number(risk_score)),
    })),
    completed_at: task.ended_at && instant(task.ended_at),
  }
}

const ByTask = z.object({ task_id: z.string().regex(/^[0-9A-Za-z_-]{1,64}$/) })

export const fraudRoutes: readonly Route[] = [
  route('post', '/api/ml/fraud/analyze/', 'entries:read', {
    tag,
    summary: 'Say how suspicious a transaction is: staff of any, customers of their own',
    description:
      'From the score that the fraud model gave it when it was booked. `high` and `critical` are ' +
      'what it would have reviewed or blocked.',
    input: Given,
    response: Analysis,
    problems: ['RESOURCE_NOT_FOUND', 'PAYMENT_NOT_COMPLETED', 'SCORE_NOT_FOUND', 'SCORE_NOT_READY'],
    example: { ...STAFF, body: { transaction_id: '{coastal_transaction}' } },
    run: analyze,
  }),
  route('post', '/api/ml/fraud/batch-analyze/', 'models:manage', {
    tag,
    summary: 'Analyse the transactions of the last hours in the background, at most 1000',
    description: 'For what needs a person, a case is opened, once for each transaction.',
    status: 202,
    input: Batch,
    response: Started,
    example: { ...ADMIN, body: { hours: 24 }, capture: { coastal_fraud_task: 'task_id' } },
    run: startBatch,
  }),
  route('get', '/api/ml/fraud/tasks/{task_id}/', 'tasks:read', {
    tag,
    summary: 'Show how far an analysis is, and what it found',
    input: ByTask,
    response: Task,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...ADMIN, params: { task_id: '{coastal_fraud_task}' } },
    run: async (call) => ({
      body: taskOf(call, await ask(call, getTask, { task: call.input.task_id })),
    }),
  }),
]
