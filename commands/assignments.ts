import { z } from 'zod'
import { Assignment } from '../domain/assignments.ts'
import { type Refusal, refuse } from '../domain/kernel.ts'
import { Identifier } from '../domain/ledger/events.ts'
import type { Role } from '../domain/permissions.ts'
import { command, type Enrichment } from './kernel.ts'
import { type Looking, lookAt } from './look.ts'
import type { Ports } from './ports.ts'
import { lookAtUser } from './usernames.ts'

/** Who looks after a client this moment, by the log; null: nobody. */
export const bankerOf = async (ports: Looking, client: string): Promise<string | null> =>
  (await lookAt(ports, Assignment, client)).banker

/**
 * The refusal unless the actor may serve this client: with reach `assigned`, only those who are
 * assigned to him; with `own`, nobody but himself.
 */
export const unservable = async (
  { ports, reach, context }: Pick<Enrichment, 'ports' | 'reach' | 'context'>,
  client: string,
): Promise<Refusal | undefined> => {
  const { id } = context.actor
  if (reach === 'all' || (reach === 'own' && client === id)) return undefined
  if (reach === 'assigned' && (await bankerOf(ports, client)) === id) return undefined
  return refuse('CLIENT_NOT_ASSIGNED', 'The customer is not one of your clients.')
}

/** The refusal unless there is such a user, who has the role and can still sign in with it. */
const unfit = async (
  ports: Ports,
  user: string,
  field: 'user' | 'banker',
  role: Role,
): Promise<Refusal | undefined> => {
  const found = await lookAtUser(ports, user)
  if (!found) return refuse('USER_NOT_FOUND', `There is no user ${user}.`, { field })
  const { roles, status } = found.state
  return status === 'active' && roles.includes(role)
    ? undefined
    : refuse('ASSIGNMENT_UNFIT', `${user} is no active ${role}.`, { field })
}

const ByClient = { user: Identifier }

const assignmentCommand = {
  permission: 'clients:assign',
  decider: Assignment,
  stream: ({ user }: { readonly user: string }) => user,
  on: 'any',
  otherwise: 'USER_NOT_FOUND',
  ifMatch: 'stream',
} as const

/** Gives a customer to a mobile banker; whoever had him before has him no longer. */
export const assignClient = command({
  ...assignmentCommand,
  name: 'assignments.assign',
  input: z.strictObject({ ...ByClient, banker: Identifier }),
  enrich: async ({ user: client, banker }, { ports, context, at }) =>
    (await unfit(ports, client, 'user', 'customer')) ??
    (await unfit(ports, banker, 'banker', 'mobile_banker')) ?? {
      ...{ client, banker, assigned_by: context.actor.id, assigned_at: at },
    },
  decide: Assignment.decide.assign,
  answer: (_events, { user, banker }) => ({ client: user, banker }),
})

/** Leaves a customer to no mobile banker. */
export const unassignClient = command({
  ...assignmentCommand,
  name: 'assignments.unassign',
  input: z.strictObject(ByClient),
  enrich: async ({ user: client }, { ports, context, at }) => {
    if (!(await lookAtUser(ports, client))) {
      return refuse('USER_NOT_FOUND', `There is no user ${client}.`)
    }
    return { client, unassigned_by: context.actor.id, unassigned_at: at }
  },
  decide: Assignment.decide.unassign,
  answer: (_events, { user }) => ({ client: user, banker: null }),
})
