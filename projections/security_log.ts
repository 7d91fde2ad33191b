import { z } from 'zod'
import { projection } from './kernel.ts'
import type { Table } from './table.ts'

/** What the bank's security rests on: who got in, who may what, who let what pass. */
export const SecurityKind = z.enum([
  ...(['log_in', 'log_in_failed', 'code_failed', 'staff_created', 'role_change'] as const),
  ...(['user_disabled', 'user_enabled', 'password_change', 'api_key', 'approval'] as const),
  'rejection',
])
type SecurityKind = z.infer<typeof SecurityKind>

const kinds: Readonly<Record<string, SecurityKind>> = {
  SessionOpened: 'log_in',
  LogInFailed: 'log_in_failed',
  OneTimeCodeFailed: 'code_failed',
  UserRolesChanged: 'role_change',
  UserDisabled: 'user_disabled',
  UserEnabled: 'user_enabled',
  UserPasswordChanged: 'password_change',
  ApiKeyIssued: 'api_key',
  ApiKeyRevoked: 'api_key',
}

const Registered = z.object({ roles: z.array(z.string()) })

const isStaff = (data: unknown): boolean => {
  const { success, data: registered } = Registered.safeParse(data)
  return success && registered.roles.some((role) => role !== 'customer')
}

/** Every module's approvals are called so. */
const kindOf = (type: string, data: unknown): SecurityKind | undefined => {
  if (type === 'UserRegistered') return isStaff(data) ? 'staff_created' : undefined
  if (type.endsWith('Approved')) return 'approval'
  return type.endsWith('Rejected') ? 'rejection' : kinds[type]
}

const securityLog: Table = {
  name: 'security_log',
  columns: {
    kind: 'text',
    type: 'text',
    stream: 'text',
    actor: 'text',
    recorded_at: 'timestamptz',
  },
  key: ['position'],
  indexes: [['recorded_at']],
}

export const securityBook = projection({
  name: 'security_log',
  version: 1,
  tables: [securityLog],
  schemas: {},
  on: {},
  every: ({ type, stream, data, metadata, recordedAt }, rows) => {
    const kind = kindOf(type, data)
    if (kind === undefined) return
    const recorded = { actor: metadata.actor ?? null, recorded_at: recordedAt.toISOString() }
    rows.put(securityLog, { kind, type, stream, ...recorded })
  },
})
