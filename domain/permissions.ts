import { z } from 'zod'

export const Role = z.enum([
  'customer',
  'cashier',
  'teller',
  'staff',
  'mobile_banker',
  'manager',
  'operations_manager',
  'admin',
  'auditor',
  'analyst',
  'regulator',
  'retention',
  'retention_lead',
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
  /** Serve customers with cash in and out of their accounts. */
  'payments:counter',
  /** Let payments of others pass, or not. */
  'payments:approve',
  'loans:read',
  /** File a loan. */
  'loans:request',
  'loans:repay',
  /** Decide about loans below a limit. */
  'loans:approve',
  /** Approve a loan of any amount. */
  'loans:approve_large',
  'loans:write_off',
  /** Ask for a payment to be given back. */
  'refunds:request',
  /** Take in checks of other banks, decide about them, say what became of them. */
  'checks:process',
  /** Ask for cash of the counter, to be paid back; to see what was asked for. */
  'advances:request',
  /** Approve, hand out and take back cash that others have asked for. */
  'advances:decide',
  /** Submit openings of accounts for those who are no customers yet, and see them. */
  'openings:work',
  /** Decide about openings that others have submitted. */
  'openings:decide',
  /** Ask for accounts to be closed, and decide about it. */
  'closures:manage',
  'holds:read',
  'holds:place',
  'periods:read',
  'periods:close',
  'users:read',
  'users:manage',
  'self:read',
  /** Take on those who serve customers, with less than one may oneself. */
  'staff:appoint',
  /** Customers who sign in, as far as everybody who serves them needs to know them. */
  'members:read',
  /** Say which mobile banker looks after whom. */
  'clients:assign',
  /** Plan visits to clients, and pay them. */
  'visits:work',
  /** What collecting earns. */
  'commissions:read',
  'commissions:pay',
  /** Keep a till: open it in the morning, count it in the evening. */
  'tills:use',
  /** Look at what another has counted. */
  'tills:approve',
  /** Reckon what interest or a commission would come to. */
  'calculators:use',
  /** How the bank and those who work for it are doing. */
  'operations:read',
  /** How the machines are doing. */
  'system:read',
  /** Names and what else is personal, unmasked. */
  'members:personal',
  /** Write to others, and say how to hear of what they write. */
  'messages:use',
  /** What was sent to whom, in full: codes and passwords too. */
  'outbox:read',
  /** Say what became of a message. */
  'outbox:deliver',
  'events:read',
  'risk:read',
  /** Open cases, assign them, comment, propose a decision. */
  'risk:work',
  'risk:decide',
  'risk:label',
  /** Thresholds, rules, lists and the brake of a book. */
  'risk:govern',
  'compliance:export',
  'projections:read',
  'calendars:read',
  'calendars:manage',
  'customers:read',
  'customers:manage',
  'cards:manage',
  /** Money and PIN of one's own card, as at a machine. */
  'cards:use',
  'machines:manage',
  'statements:read',
  'statements:make',
  /** Bring about what has become due. */
  'clock:work',
  'churn:use',
  /** E-mail and phone as they are. */
  'churn:personal',
  'churn:train',
  'models:manage',
  'tasks:read',
] as const
export type Permission = (typeof permissions)[number]

/**
 * `own`: only what belongs to the actor; `assigned`: also what belongs to the clients whom he looks
 * after. A permission that is not listed is denied.
 */
export type Reach = 'all' | 'assigned' | 'own'
type Grants = Partial<Record<Permission, Reach>>

const granting =
  (reach: Reach) =>
  (...names: readonly Permission[]): Grants =>
    Object.fromEntries(names.map((name) => [name, reach]))
const all = granting('all')
const assigned = granting('assigned')

const anybody: Grants = {
  ...all('self:read', 'calendars:read', 'messages:use'),
  'tasks:read': 'own',
}
const observer = all('books:read', 'accounts:read', 'entries:read', 'holds:read', 'periods:read')
const teller: Grants = {
  ...anybody,
  ...all('books:read', 'accounts:read', 'entries:read', 'holds:read'),
  ...all('transfers:post', 'payments:counter', 'accounts:open', 'holds:place'),
  ...all('advances:decide', 'checks:process'),
  'advances:request': 'own',
  ...all('loans:read', 'loans:request', 'loans:repay'),
  ...all('customers:read', 'customers:manage', 'cards:manage', 'machines:manage'),
  ...all('calculators:use'),
  'tills:use': 'own',
  ...all('statements:read', 'members:read', 'openings:work'),
}
/** Out with his clients: does for them what a teller does, and has neither machines nor cards. */
const mobileBanker: Grants = {
  ...anybody,
  ...assigned('accounts:read', 'entries:read', 'holds:read', 'members:read'),
  ...assigned('loans:read', 'loans:request', 'loans:repay'),
  ...assigned('accounts:open', 'payments:counter'),
  ...all('calculators:use'),
  'visits:work': 'own',
  'commissions:read': 'own',
  'transfers:post': 'own',
  'openings:work': 'own',
  'advances:decide': 'all',
}
const manager: Grants = {
  ...teller,
  ...all('entries:post', 'entries:reverse', 'accounts:manage', 'periods:read', 'users:read'),
  ...all('payments:approve', 'refunds:request', 'advances:request'),
  ...all('loans:approve', 'loans:write_off'),
  ...all('openings:decide', 'closures:manage'),
  ...all('risk:read', 'risk:work', 'risk:decide', 'risk:govern'),
  ...all('projections:read', 'calendars:manage'),
  ...all('staff:appoint', 'members:personal', 'clients:assign'),
  ...all('tills:use', 'tills:approve', 'visits:work', 'operations:read'),
  ...all('commissions:read', 'commissions:pay'),
}

const grants: Readonly<Record<Role, Grants>> = {
  customer: {
    ...anybody,
    'accounts:read': 'own',
    'entries:read': 'own',
    'holds:read': 'own',
    'transfers:post': 'own',
    'loans:read': 'own',
    'loans:request': 'own',
    'loans:repay': 'own',
    'cards:use': 'own',
    'statements:read': 'own',
  },
  cashier: teller,
  teller,
  staff: teller,
  mobile_banker: mobileBanker,
  manager: { ...manager, ...all('loans:approve_large') },
  operations_manager: manager,
  admin: all(...permissions),
  auditor: {
    ...anybody,
    ...observer,
    ...all('events:read', 'risk:read', 'users:read', 'projections:read'),
    ...all('customers:read', 'loans:read'),
  },
  analyst: {
    ...anybody,
    ...observer,
    ...all('risk:read', 'risk:work', 'risk:decide', 'risk:label'),
  },
  retention: { ...anybody, ...all('churn:use') },
  retention_lead: { ...anybody, ...all('churn:use', 'churn:personal', 'churn:train') },
  regulator: { ...anybody, ...observer, ...all('compliance:export') },
  system: all(...permissions),
}

const widestFirst: readonly Reach[] = ['all', 'assigned', 'own']

/** How far the roles reach with a permission; undefined: denied. */
export const reachOf = (roles: readonly Role[], permission: Permission): Reach | undefined => {
  const granted = roles.map((role) => grants[role][permission])
  return widestFirst.find((reach) => granted.includes(reach))
}
