import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

export const TaskKind = z.enum([
  'churn_batch',
  'churn_training',
  'fraud_training',
  'fraud_batch',
  'counterfactual',
])
export type TaskKind = z.infer<typeof TaskKind>

const ByTask = { task: Identifier }
const Message = z.string().max(512)

/** What came of it in figures, for who reckons with it: money in minor units, as text. */
const Figures = z.record(z.string().max(64), z.union([z.number(), z.string().max(64)]))
/** Entries to look at, each with what it is about. */
const Examples = z.array(Figures).max(20)

export const taskEvents = {
  TaskRequested: z.object({
    ...ByTask,
    kind: TaskKind,
    /** What the kind of task needs: flat, and nothing personal. */
    input: z.record(
      z.string().max(64),
      z.union([z.string().max(256), z.array(z.int()).max(10_000)]),
    ),
    requested_by: Identifier,
    requested_at: Instant,
  }),
  TaskCompleted: z.object({
    ...ByTask,
    message: Message,
    figures: Figures.optional(),
    examples: Examples.optional(),
    completed_at: Instant,
  }),
  TaskFailed: z.object({ ...ByTask, message: Message, failed_at: Instant }),
} as const

type TaskEvent = EventOf<typeof taskEvents>
type Data<Type extends keyof typeof taskEvents> = z.infer<(typeof taskEvents)[Type]>
export type TaskRequest = Data<'TaskRequested'>
export type TaskResult = Pick<Data<'TaskCompleted'>, 'message' | 'figures' | 'examples'>

export type TaskState = {
  readonly status: 'unknown' | 'requested' | 'completed' | 'failed'
  readonly request: TaskRequest | null
}

const request = ({ status }: TaskState, data: TaskRequest): Decision<TaskEvent> =>
  status === 'unknown'
    ? [{ type: 'TaskRequested', data }]
    : refuse('TASK_EXISTS', `There is a task ${data.task} already.`)

// A task ends once: what another process made of it at the same time is the same.
const complete = ({ status }: TaskState, data: Data<'TaskCompleted'>): Decision<TaskEvent> =>
  status === 'requested' ? [{ type: 'TaskCompleted', data }] : []

const fail = ({ status }: TaskState, data: Data<'TaskFailed'>): Decision<TaskEvent> =>
  status === 'requested' ? [{ type: 'TaskFailed', data }] : []

/** Work that takes longer than a request: asked for, then done in the background. */
export const Task = decider({
  category: 'task',
  schemas: taskEvents,
  initial: (): TaskState => ({ status: 'unknown', request: null }),
  evolve: {
    TaskRequested: (_state, data): TaskState => ({ status: 'requested', request: data }),
    TaskCompleted: (state): TaskState => ({ ...state, status: 'completed' }),
    TaskFailed: (state): TaskState => ({ ...state, status: 'failed' }),
  },
  decide: { request, complete, fail },
})
