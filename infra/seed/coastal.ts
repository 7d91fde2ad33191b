/** Customers and staff of a savings bank: for tests of the coastal contract. */
import { z } from 'zod'
import { importMember } from '../../commands/members.ts'
import type { Ports } from '../../commands/ports.ts'
import { logIn } from '../../commands/sessions.ts'
import { Role } from '../../domain/permissions.ts'
import { audiences } from '../../domain/sessions.ts'
import type { Ask as AskAt } from './ask.ts'
import { GivenRoom, GivenThread, seedConversations } from './coastal_chat.ts'
import { GivenLoan, seedLoans } from './coastal_loans.ts'
import { GivenAccount, GivenTransaction, seedMoney } from './coastal_money.ts'
import {
  decideClosures,
  GivenClosure,
  GivenOpening,
  seedClosures,
  seedOpenings,
} from './coastal_openings.ts'
import { GivenRefund, seedRefunds } from './coastal_refunds.ts'
import type { Refs } from './machine.ts'

const StaffOrCustomer = Role.extract([
  ...(['customer', 'cashier', 'teller', 'staff', 'mobile_banker'] as const),
  ...(['manager', 'operations_manager', 'admin'] as const),
])

const User = z.strictObject({
  ref: z.string().min(1).max(128),
  email: z.email(),
  password: z.string().min(1).max(1024),
  role: StaffOrCustomer.default('customer'),
  /** Absent: the ref. */
  username: z.string().min(1).max(128).optional(),
  name: z.string().min(1).max(256).optional(),
  phone_number: z.string().max(32).optional(),
  /** Follows from the role. */
  is_staff: z.boolean().optional(),
  is_superuser: z.boolean().default(false),
  locked_until: z.iso.datetime({ offset: true }).optional(),
})
type User = z.infer<typeof User>

export const CoastalSeed = z.strictObject({
  users: z.array(User).max(1000).default([]),
  accounts: z.array(GivenAccount).max(1000).default([]),
  transactions: z.array(GivenTransaction).max(1000).default([]),
  loans: z.array(GivenLoan).max(1000).default([]),
  openings: z.array(GivenOpening).max(1000).default([]),
  closures: z.array(GivenClosure).max(1000).default([]),
  refunds: z.array(GivenRefund).max(1000).default([]),
  rooms: z.array(GivenRoom).max(1000).default([]),
  threads: z.array(GivenThread).max(1000).default([]),
})
export type CoastalSeed = z.infer<typeof CoastalSeed>

/** Wrong passwords, so many and so early that the address is locked until then. */
const lock = async (ports: Ports, { email, password }: User, until: string): Promise<void> => {
  const { failures, lock_ms } = audiences.coastal.lock
  const context = {
    actor: { id: 'anonymous', roles: [] },
    at: new Date(Date.parse(until) - lock_ms),
    correlation: 'given',
  }
  const wrong = { username: email, password: `not ${password}`, audience: 'coastal' } as const
  for (let tries = 0; tries < failures; tries += 1) await logIn.run(ports, wrong, context)
}

const provideUser = async (ports: Ports, ask: AskAt, given: User, at: Date) => {
  const { ref, email, password, role, username = ref, phone_number, locked_until } = given
  const registered = await ask(
    undefined,
    importMember,
    {
      ...{ username, email, password, name: given.name ?? username },
      ...(phone_number !== undefined && { phone: phone_number }),
      roles: given.is_superuser && role !== 'admin' ? [role, 'admin'] : [role],
    },
    at,
  )
  if (locked_until !== undefined) await lock(ports, given, locked_until)
  return { id: Number(registered.number), email, user: registered.user }
}

export type Sowing = { readonly ports: Ports; readonly ask: AskAt; readonly at: Date }

/** Brings it all about through commands. Throws SeedRefused. */
export const seedCoastal = async (sowing: Sowing, seed: CoastalSeed): Promise<Refs> => {
  const { ports, ask, at } = sowing
  const users = await Promise.all(
    seed.users.map(async (given) => {
      return [given.ref, await provideUser(ports, ask, given, at)] as const
    }),
  )
  const refs: Refs = Object.fromEntries(users)
  const close = (accounts: Refs) => seedClosures(sowing, seed.closures, { ...refs, ...accounts })
  const known = { ...refs, ...(await seedMoney(sowing, seed, refs, close)) }
  const refunds = await seedRefunds(sowing, seed.refunds, known)
  const loans = await seedLoans(sowing, seed.loans, seed, known)
  const talk = await seedConversations({ ports, ask, at }, seed, refs)
  const openings = await seedOpenings(sowing, seed.openings, refs)
  await decideClosures(sowing, seed.closures, known)
  return { ...known, ...talk, ...refunds, ...loans, ...openings }
}
