import { z } from 'zod'

export const Role = z.enum([
  'customer',
  'cashier',
  'staff',
  'manager',
  'admin',
  'auditor',
  'analyst',
  'regulator',
  'system',
])
export type Role = z.infer<typeof Role>

export const permissions = [
  'books:read',
  'books:open',
  'accounts:read',
  'accounts:open',
  'accounts:manage',
  'entries:read',
  'entries:post',
  'entries:reverse',
  'transfers:post',
  'holds:read',
  'holds:place',
  'periods:read',
  'periods:close',
  'users:read',
  'users:manage',
  'self:read',
  'events:read',
  'risk:read',
  'compliance:export',
  'projections:read',
] as const
export type Permission = (typeof permissions)[number]

/** `own`: only what belongs to the actor. A permission that is not listed is denied. */
export type Reach = 'all' | 'own'
type Grants = Partial<Record<Permission, Reach>>

const all = (...names: readonly Permission[]): Grants =>
  Object.fromEntries(names.map((name) => [name, 'all']))

const observer = all('books:read', 'accounts:read', 'entries:read', 'holds:read', 'periods:read')
const teller: Grants = {
  'self:read': 'all',
  ...all('books:read', 'accounts:read', 'entries:read', 'holds:read'),
  ...all('transfers:post', 'accounts:open', 'holds:place'),
}
const manager: Grants = {
  ...teller,
  ...all('entries:post', 'entries:reverse', 'accounts:manage', 'periods:read', 'users:read'),
  ...all('risk:read', 'projections:read'),
}

const grants: Readonly<Record<Role, Grants>> = {
  customer: {
    'self:read': 'all',
    'accounts:read': 'own',
    'entries:read': 'own',
    'holds:read': 'own',
    'transfers:post': 'own',
  },
  cashier: teller,
  staff: teller,
  manager,
  admin: all(...permissions),
  auditor: {
    'self:read': 'all',
    ...observer,
    ...all('events:read', 'risk:read', 'users:read', 'projections:read'),
  },
  analyst: { 'self:read': 'all', ...observer, ...all('risk:read') },
  regulator: { 'self:read': 'all', ...observer, ...all('compliance:export') },
  system: all(...permissions),
}

/** How far the roles reach with a permission; undefined: denied. */
export const reachOf = (roles: readonly Role[], permission: Permission): Reach | undefined => {
  let reach: Reach | undefined
  for (const role of roles) {
    const granted = grants[role][permission]
    if (granted === 'all') return 'all'
    reach ??= granted
  }
  return reach
}
