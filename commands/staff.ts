import { z } from 'zod'
import { refuse } from '../domain/kernel.ts'
import { Role } from '../domain/permissions.ts'
import { User, type userEvents } from '../domain/users.ts'
import { command, type Enrichment } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import { queueMessage } from './outbox.ts'
import { RegisterUser, registration } from './users.ts'

type Registered = z.infer<(typeof userEvents)['UserRegistered']>

const StaffRole = Role.extract(['cashier', 'teller', 'mobile_banker', 'operations_manager'])

/** Without those that are easily taken for one another. */
const kinds = [
  'ABCDEFGHJKLMNPQRSTUVWXYZ',
  'abcdefghijkmnpqrstuvwxyz',
  '23456789',
  '#%+=?@',
] as const
const PASSWORD_LENGTH = 12

/**
 * Made of the new user's random id under a key that only the server has: nobody can guess it, and
 * the same request made again gives the same. A character of each kind, and then of any.
 */
const firstPassword = ({ ports, newId }: Enrichment): string => {
  const random = Buffer.from(ports.secrets.claim('first password', newId()), 'base64url')
  const pick = (characters: string, index: number) =>
    characters.charAt((random[index] ?? 0) % characters.length)
  const all = kinds.join('')
  return Array.from({ length: PASSWORD_LENGTH }, (_, index) =>
    pick(kinds[index] ?? all, index),
  ).join('')
}

/** Somebody new who serves customers. The first password goes to his phone and nowhere else. */
export const appointStaff = command({
  name: 'staff.appoint',
  permission: 'staff:appoint',
  input: RegisterUser.pick({ username: true, name: true }).extend({
    email: z.email().max(254),
    phone: z.string().trim().min(1).max(32),
    role: z.string().max(32),
    /** What else the bank has to know, by name. */
    details: z.record(z.string().max(32), z.string().max(128)).default({}),
  }),
  decider: User,
  stream: (_input, { newId }) => newId(),
  on: 'new',
  otherwise: 'USER_EXISTS',
  ifMatch: 'stream',
  enrich: ({ role: wanted, ...person }, enrichment) => {
    const role = StaffRole.safeParse(wanted)
    if (!role.success) {
      const roles = StaffRole.options.join(', ')
      return refuse('ROLE_NOT_APPOINTABLE', `Invalid role. Allowed roles: ${roles}.`)
    }
    const password = firstPassword(enrichment)
    const input = { ...person, roles: [role.data], password }
    return registration(input, enrichment.newId(), enrichment, { byEmail: true })
  },
  decide: User.decide.register,
  answer: (events) => {
    const { user, number } = dataOf<Registered>(events, 'UserRegistered')
    return { user, number: number ?? null }
  },
  after: ({ phone, username }, enrichment) => {
    const { ports, context, newId } = enrichment
    const password = firstPassword(enrichment)
    const message = {
      message: newId('message'),
      subject: newId(),
      channel: 'sms',
      purpose: 'first_password',
      recipient: phone,
      title: 'Your account',
      body: `Your account ${username} is open. Your first password is ${password}`,
      secret: password,
      expires_at: null,
    } as const
    return queueMessage(ports, message, context)
  },
})
