import { z } from 'zod'
import { Identifier } from '../domain/ledger/events.ts'
import { Task, type TaskRequest, type TaskState, taskEvents } from '../domain/tasks.ts'
import { command, onExisting } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import type { Ports } from './ports.ts'

const TaskInput = taskEvents.TaskRequested.shape.input

const requesting = (kind: TaskRequest['kind'], permission: 'churn:use' | 'churn:train') =>
  command({
    name: `tasks.request_${kind}`,
    permission,
    input: z.strictObject({ input: TaskInput }),
    decider: Task,
    stream: (_input, { newId }) => newId(),
    on: 'new',
    otherwise: 'TASK_EXISTS',
    ifMatch: 'stream',
    enrich: ({ input }, { newId, context, at }) => ({
      task: newId(),
      kind,
      input,
      requested_by: context.actor.id,
      requested_at: at,
    }),
    decide: Task.decide.request,
    answer: (events) => dataOf<TaskRequest>(events, 'TaskRequested'),
  })

/** `input.customers`: the integer ids of the customers to score. */
export const requestChurnBatch = requesting('churn_batch', 'churn:use')
/** `input.file`: an uploaded CSV; without it, the customers and outcomes that are known. */
export const requestChurnTraining = requesting('churn_training', 'churn:train')

const taskCommand = onExisting({ decider: Task, field: 'task', otherwise: 'RESOURCE_UNKNOWN' })
const permission = 'models:manage'
const Ended = z.strictObject({ task: Identifier, message: z.string().max(512) })

/** What the one who does tasks says of one. */
export const completeTask = taskCommand({
  name: 'tasks.complete',
  permission,
  input: Ended,
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

export const lookAtTask = async (
  { engine }: Pick<Ports, 'engine'>,
  task: string,
): Promise<TaskState> => (await engine.look(Task, `${Task.category}-${task}`)).state as TaskState
