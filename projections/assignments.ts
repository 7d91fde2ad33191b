import { z } from 'zod'
import { assignmentEvents } from '../domain/assignments.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { onlyReached } from './reach.ts'
import { conditions } from './select.ts'
import type { Table } from './table.ts'

const assignments: Table = {
  name: 'assignments',
  columns: { client: 'text', banker: 'text', assigned_by: 'text', assigned_at: 'timestamptz' },
  key: ['client'],
  indexes: [['banker', 'client']],
}

export const assignmentBook = projection({
  name: 'assignments',
  version: 1,
  tables: [assignments],
  schemas: assignmentEvents,
  on: {
    ClientAssigned: ({ data }, rows) => rows.put(assignments, data),
    ClientUnassigned: ({ data: { client } }, rows) => rows.remove(assignments, { client }),
  },
})

export type AssignmentView = {
  client: string
  banker: string
  assigned_by: string
  assigned_at: Date
}

/** Who looks after whom; a mobile banker sees his own clients. */
export const listAssignments = query({
  name: 'assignments.list',
  permission: 'members:read',
  input: z.strictObject({ banker: Identifier.optional(), ...paging }),
  reads: ['assignments'],
  run: async (sql, { banker, cursor, limit }, asker) => {
    const where = conditions()
    where.addIf('banker = ?', banker)
    onlyReached(where, asker, 'client')
    const after = decodeCursor(cursor, 1)
    if (after) where.add('client > ?', ...after)
    const { rows } = await sql.query<AssignmentView>(
      `select client, banker, assigned_by, assigned_at from assignments${where.where()}
       order by client limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows, limit, ({ client }) => [client])
  },
})
