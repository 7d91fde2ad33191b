import { z } from '@hono/zod-openapi'
import type { TaskView } from '../../projections/tasks.ts'
import type { Call } from '../route.ts'

export const TaskStarted = z
  .object({ task_id: z.string(), status: z.string(), message: z.string() })
  .openapi('ChurnTask')

/** Lets a task that was asked for be done; nobody waits for it. */
export const beginTask = (call: Call, task: string, message: string) => {
  call.services.tasks.begin(task)
  return { body: { task_id: task, status: 'pending', message } }
}

const words = { requested: 'pending', completed: 'completed', failed: 'failed' } as const

/** How far a task is; what has begun is running. */
export const taskOf = (call: Call, task: TaskView) => {
  const running =
    task.status === 'requested' ? call.services.tasks.progressOf(task.task) : undefined
  return {
    task_id: task.task,
    status: running ? 'running' : words[task.status],
    progress: task.status === 'requested' ? Math.floor((running?.done ?? 0) * 100) : 100,
    message: task.message ?? running?.stage ?? 'It waits for its turn.',
    completed_at: task.ended_at,
  }
}
