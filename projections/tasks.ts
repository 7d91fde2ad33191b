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
    requested_at: 'timestamptz',
    ended_at: 'timestamptz',
  },
  key: ['task'],
  indexes: [{ columns: ['task'], where: "status = 'requested'" }],
}

export const taskBook = projection({
  name: 'tasks',
  version: 1,
  tables: [tasks],
  schemas: taskEvents,
  on: {
    TaskRequested: ({ data: { input: _input, ...request } }, rows) =>
      rows.put(tasks, { ...request, status: 'requested', message: null, ended_at: null }),
    TaskCompleted: ({ data: { task, message, completed_at } }, rows) =>
      rows.patch(tasks, { task }, { status: 'completed', message, ended_at: completed_at }),
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
  requested_at: Date
  ended_at: Date | null
}

export const getTask = query({
  name: 'tasks.get',
  permission: 'churn:use',
  input: z.strictObject({ task: Identifier }),
  reads: ['tasks'],
  run: async (sql, { task }) => {
    const { rows } = await sql.query<TaskView>(
      `select task, kind, requested_by, status, message, requested_at, ended_at
       from tasks where task = $1`,
      [task],
    )
    return rows[0]
  },
})
