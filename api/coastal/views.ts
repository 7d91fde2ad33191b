import { z } from '@hono/zod-openapi'
import { type Role, reachOf } from '../../domain/permissions.ts'
import type { UserView } from '../../projections/users.ts'
import type { Identity } from '../services.ts'
import { masks } from './masking.ts'

/** The highest first: who is several things is shown as the first of these. */
const ranks: readonly Role[] = [
  ...(['admin', 'operations_manager', 'manager', 'mobile_banker', 'teller', 'cashier'] as const),
  ...(['staff', 'customer'] as const),
]

/** What the product calls somebody; who is none of that here is staff without tasks. */
export const roleOf = (roles: readonly Role[]): Role =>
  ranks.find((rank) => roles.includes(rank)) ?? 'staff'

/** From managers on, personal data is shown as it is. */
export const seesPersonal = ({ roles }: Pick<Identity, 'roles'>): boolean =>
  reachOf(roles, 'members:personal') !== undefined

export const User = z
  .object({
    id: z.int().nullable(),
    username: z.string(),
    email: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    name: z.string(),
    role: z.string(),
    phone_number: z.string(),
    is_active: z.boolean(),
    is_staff: z.boolean(),
    is_superuser: z.boolean(),
  })
  .openapi('CoastalUser')

/** `Ama Serwaa Mensah`: the first name, and the rest. */
const partsOf = (name: string) => {
  const [first = '', ...rest] = name.split(/\s+/)
  return { first_name: first, last_name: rest.join(' ') }
}

/** A user as he is shown to somebody. Names are masked below managers. */
export const userShownTo = (identity: Pick<Identity, 'roles'>) => {
  const nameOf = seesPersonal(identity) ? (name: string) => name : masks.name
  return (user: UserView): z.infer<typeof User> => {
    const name = nameOf(user.name ?? '')
    const role = roleOf(user.roles)
    return {
      id: user.number,
      username: user.username ?? '',
      email: user.email ?? '',
      ...partsOf(name),
      name,
      role,
      phone_number: user.phone ?? '',
      is_active: user.status === 'active',
      is_staff: role !== 'customer',
      is_superuser: role === 'admin',
    }
  }
}
