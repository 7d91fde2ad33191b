import { z } from 'zod'
import { Identifier } from '../domain/ledger/events.ts'
import { taskEvents } from '../domain/tasks.ts'
import { projection, query } from './kernel.ts'
import type { Table } from './table.ts'

const tasks: Table = {
  name: 'tasks',
  columns: {
    task: 'text',
    kind: 'text',
    requested_by: 'text',
    status: 'text',
    message: 'text',
    figures: 'jsonb',
    examples: 'jsonb',
    requested_at: 'timestamptz',
    ended_at: 'timestamptz',
  },
  key: ['task'],
  indexes: [{ columns: ['task'], where: "status = 'requested'" }],
}

const unended = { message: null, figures: null, examples: null, ended_at: null }

export const taskBook = projection({
  name: 'tasks',
  version: 2,
  tables: [tasks],
  schemas: taskEvents,
  on: {
    TaskRequested: ({ data: { input: _input, ...request } }, rows) =>
      rows.put(tasks, { ...request, ...unended, status: 'requested' }),
    TaskCompleted: ({ data: { task, completed_at: ended_at, ...result } }, rows) =>
      rows.patch(tasks, { task }, { ...result, status: 'completed', ended_at }),
    TaskFailed: ({ data: { task, message, failed_at } }, rows) =>
      rows.patch(tasks, { task }, { status: 'failed', message, ended_at: failed_at }),
  },
})

export type TaskView = {
  task: string
  kind: string
  requested_by: string
  status: 'requested' | 'completed' | 'failed'
  message: string | null
  figures: Record<string, number | string> | null
  examples: Record<string, number | string>[] | null
  requested_at: Date
  ended_at: Date | null
}

export const getTask = query({
  name: 'tasks.get',
  permission: 'tasks:read',
  input: z.strictObject({ task: Identifier }),
  reads: ['tasks'],
  run: async (sql, { task }, { id, reach }) => {
    const { rows } = await sql.query<TaskView>(
      `select task, kind, requested_by, status, message, figures, examples, requested_at, ended_at
       from tasks where task = $1 and ($2 or requested_by = $3)`,
      [task, reach === 'all', id],
    )
    return rows[0]
  },
})
