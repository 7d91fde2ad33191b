import { z } from 'zod'
import { refuse } from '../domain/kernel.ts'
import { Role } from '../domain/permissions.ts'
import { User, type userEvents } from '../domain/users.ts'
import { firstPasswordOf } from './first_passwords.ts'
import { command } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import { queueMessage } from './outbox.ts'
import { RegisterUser, registration } from './users.ts'

type Registered = z.infer<(typeof userEvents)['UserRegistered']>

const StaffRole = Role.extract(['cashier', 'teller', 'mobile_banker', 'operations_manager'])

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
    const password = firstPasswordOf(enrichment.ports, enrichment.newId())
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
    const password = firstPasswordOf(ports, newId())
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
