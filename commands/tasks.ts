import { z } from 'zod'
import { BookId, Identifier, Instant } from '../domain/ledger/events.ts'
import { ModelVersion } from '../domain/models.ts'
import { Asset } from '../domain/money.ts'
import type { Permission } from '../domain/permissions.ts'
import { Task, type TaskRequest, type TaskState, taskEvents } from '../domain/tasks.ts'
import { command, onExisting } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'

const TaskInput = taskEvents.TaskRequested.shape.input
type TaskInput = TaskRequest['input']

const requesting = <Input extends z.ZodType<object>>(
  kind: TaskRequest['kind'],
  permission: Permission,
  input: Input,
  flat: (asked: z.infer<Input>) => TaskInput,
) =>
  command({
    name: `tasks.request_${kind}`,
    permission,
    input,
    decider: Task,
    stream: (_input, { newId }) => newId(),
    on: 'new',
    otherwise: 'TASK_EXISTS',
    ifMatch: 'stream',
    enrich: (asked, { newId, context, at }) => ({
      task: newId(),
      kind,
      input: flat(asked),
      requested_by: context.actor.id,
      requested_at: at,
    }),
    decide: Task.decide.request,
    answer: (events) => dataOf<TaskRequest>(events, 'TaskRequested'),
  })

const Flat = z.strictObject({ input: TaskInput })

/** `input.customers`: the integer ids of the customers to score. */
export const requestChurnBatch = requesting('churn_batch', 'churn:use', Flat, ({ input }) => input)
/** `input.file`: an uploaded CSV; without it, the customers and outcomes that are known. */
export const requestChurnTraining = requesting(
  'churn_training',
  'churn:train',
  Flat,
  ({ input }) => input,
)

const Days = z.int().min(0).max(365).default(7)

/** A fraud model of a book's own movements, of which it is known by now what they were. */
export const requestFraudTraining = requesting(
  'fraud_training',
  'models:manage',
  z.strictObject({ book: BookId, matured_days: Days }),
  ({ book, matured_days }) => ({ book, matured_days: String(matured_days) }),
)

/** The scores of a book's payments of the last hours. */
export const requestFraudBatch = requesting(
  'fraud_batch',
  'models:manage',
  z.strictObject({ book: BookId, asset: Asset, hours: z.int().min(1).max(720) }),
  ({ book, asset, hours }) => ({ book, asset, hours: String(hours) }),
)

const Cutoff = z.number().min(0).max(1)

/**
 * What another model, other thresholds or other rules would have made of a span of a book. Absent:
 * the champion, the policy's thresholds, the rules as they are declared.
 */
export const requestCounterfactual = requesting(
  'counterfactual',
  'risk:read',
  z.strictObject({
    ...{ book: BookId, booked_from: Instant, booked_until: Instant, matured_days: Days },
    model: ModelVersion.optional(),
    review_from: Cutoff.optional(),
    block_from: Cutoff.optional(),
    /** `live`: those in shadow and those that are snoozed too. */
    rules: z.enum(['declared', 'live', 'none']).default('declared'),
  }),
  (asked) =>
    Object.fromEntries(
      Object.entries(asked).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)]],
      ),
    ),
)

const taskCommand = onExisting({ decider: Task, field: 'task', otherwise: 'RESOURCE_UNKNOWN' })
const permission = 'models:manage'
const { figures, examples } = taskEvents.TaskCompleted.shape
const Ended = z.strictObject({ task: Identifier, message: z.string().max(512) })

/** What the one who does tasks says of one. */
export const completeTask = taskCommand({
  name: 'tasks.complete',
  permission,
  input: Ended.extend({ figures, examples }),
  enrich: (input, { at }) => ({ ...input, completed_at: at }),
  decide: Task.decide.complete,
  answer: (_events, { task }) => ({ task, status: 'completed' as const }),
})

export const failTask = taskCommand({
  name: 'tasks.fail',
  permission,
  input: Ended,
  enrich: (input, { at }) => ({ ...input, failed_at: at }),
  decide: Task.decide.fail,
  answer: (_events, { task }) => ({ task, status: 'failed' as const }),
})

export const lookAtTask = (ports: Looking, task: string): Promise<TaskState> =>
  lookAt(ports, Task, task)
