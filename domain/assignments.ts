import { z } from 'zod'
import { type Decision, decider, type EventOf } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

const Between = { client: Identifier, banker: Identifier }

export const assignmentEvents = {
  /** Of a client who had another banker before, too. */
  ClientAssigned: z.object({ ...Between, assigned_by: Identifier, assigned_at: Instant }),
  ClientUnassigned: z.object({ ...Between, unassigned_by: Identifier, unassigned_at: Instant }),
} as const

type AssignmentEvent = EventOf<typeof assignmentEvents>
type Data<Type extends keyof typeof assignmentEvents> = z.infer<(typeof assignmentEvents)[Type]>

export type AssignmentState = { readonly banker: string | null }

const assign = (
  { banker }: AssignmentState,
  data: Data<'ClientAssigned'>,
): Decision<AssignmentEvent> => (banker === data.banker ? [] : [{ type: 'ClientAssigned', data }])

const unassign = (
  { banker }: AssignmentState,
  data: Omit<Data<'ClientUnassigned'>, 'banker'>,
): Decision<AssignmentEvent> =>
  banker === null ? [] : [{ type: 'ClientUnassigned', data: { ...data, banker } }]

/** Which mobile banker looks after a client: at most one at a time. */
export const Assignment = decider({
  category: 'assignment',
  schemas: assignmentEvents,
  initial: (): AssignmentState => ({ banker: null }),
  evolve: {
    ClientAssigned: (_state, { banker }): AssignmentState => ({ banker }),
    ClientUnassigned: (): AssignmentState => ({ banker: null }),
  },
  decide: { assign, unassign },
})
