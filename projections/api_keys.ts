import { z } from 'zod'
import { apiKeyEvents } from '../domain/api_keys.ts'
import { Identifier } from '../domain/ledger/events.ts'
import type { Role } from '../domain/permissions.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'

const apiKeys: Table = {
  name: 'api_keys',
  columns: {
    id: 'text',
    name: 'text',
    roles: 'jsonb',
    issued_by: 'text',
    issued_at: 'timestamptz',
    expires_at: 'timestamptz',
    revoked_at: 'timestamptz',
    revoked_reason: 'text',
  },
  key: ['id'],
}

export const apiKeyBook = projection({
  name: 'api_keys',
  version: 1,
  tables: [apiKeys],
  schemas: apiKeyEvents,
  on: {
    ApiKeyIssued: ({ data: { key, secret_digest: _secret, ...issued } }, rows) =>
      rows.put(apiKeys, { ...issued, id: key, revoked_at: null, revoked_reason: null }),
    ApiKeyRevoked: ({ data: { key, reason, revoked_at } }, rows) =>
      rows.patch(apiKeys, { id: key }, { revoked_at, revoked_reason: reason }),
  },
})

export type ApiKeyView = {
  key: string
  name: string
  roles: Role[]
  status: 'active' | 'expired' | 'revoked'
  issued_by: string
  issued_at: Date
  expires_at: Date | null
  revoked_at: Date | null
  revoked_reason: string | null
}

const statusAt = (at: string): string => `case when revoked_at is not null then 'revoked'
  when expires_at <= ${at} then 'expired' else 'active' end`

const selectApiKeys = async (sql: Database, where: Conditions, status: string, limit: number) => {
  const { rows } = await sql.query<ApiKeyView>(
    `select id as key, name, roles, ${status} as status, issued_by, issued_at, expires_at,
       revoked_at, revoked_reason
     from api_keys${where.where()} order by id desc limit ${limit}`,
    where.values,
  )
  return rows
}

export const listApiKeys = query({
  name: 'api_keys.list',
  permission: 'users:manage',
  input: z.strictObject({ status: z.enum(['active', 'expired', 'revoked']).optional(), ...paging }),
  reads: ['api_keys'],
  run: async (sql, { status, cursor, limit }, { at }) => {
    const where = conditions()
    const present = statusAt(`${where.value(at)}::timestamptz`)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('id < ?', ...after)
    where.addIf(`${present} = ?`, status)
    return pageOf(await selectApiKeys(sql, where, present, limit + 1), limit, ({ key }) => [key])
  },
})

export const getApiKey = query({
  name: 'api_keys.get',
  permission: 'users:manage',
  input: z.strictObject({ key: Identifier }),
  reads: ['api_keys'],
  run: async (sql, { key }, { at }) => {
    const where = conditions()
    const present = statusAt(`${where.value(at)}::timestamptz`)
    where.add('id = ?', key)
    return (await selectApiKeys(sql, where, present, 1))[0]
  },
})
