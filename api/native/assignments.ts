import { z } from '@hono/zod-openapi'
import { assignClient, unassignClient } from '../../commands/assignments.ts'
import { listAssignments } from '../../projections/assignments.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Assignments'

const Assignment = z
  .object({
    client: z.string(),
    banker: z.string(),
    assigned_by: z.string(),
    assigned_at: views.Timestamp,
  })
  .openapi('Assignment')

export const assignmentRoutes: readonly Route[] = [
  write('delete', '/v1/users/{user}/mobile-banker', unassignClient, {
    tag,
    summary: 'Leave a customer to no mobile banker',
    response: z.object({ client: z.string(), banker: z.null() }),
    problems: ['USER_NOT_FOUND'],
    example: { params: { user: '{client}' } },
  }),
  write('put', '/v1/users/{user}/mobile-banker', assignClient, {
    tag,
    summary: 'Have a mobile banker look after a customer',
    description: 'He sees and serves his own clients only. A customer has one at most.',
    response: z.object({ client: z.string(), banker: z.string() }),
    problems: ['USER_NOT_FOUND', 'ASSIGNMENT_UNFIT'],
    example: { params: { user: '{client}' }, body: { banker: '{mobile_banker}' } },
  }),
  read('/v1/assignments', listAssignments, {
    tag,
    summary: 'List who looks after whom',
    response: views.pageOf(Assignment, 'Assignment'),
    problems: ['BAD_CURSOR'],
    example: { query: { banker: '{mobile_banker}' } },
  }),
]
