import { z } from 'zod'
import { Identifier } from '../domain/ledger/events.ts'
import { Role } from '../domain/permissions.ts'
import { userEvents } from '../domain/users.ts'
import type { Vault } from '../domain/vault.ts'
import { projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'

/** `sessions_from`: sessions opened on an earlier revision of the user have ended. */
const users: Table = {
  name: 'users',
  columns: {
    id: 'text',
    number: 'bigint',
    profile: 'text',
    roles: 'jsonb',
    status: 'text',
    status_reason: 'text',
    registered_at: 'timestamptz',
    changed_at: 'timestamptz',
    revision: 'integer',
    sessions_from: 'integer',
  },
  key: ['id'],
  indexes: [['changed_at'], ['number']],
}

export const userBook = projection({
  name: 'users',
  version: 2,
  tables: [users],
  schemas: userEvents,
  on: {
    UserRegistered: ({ data, revision }, rows) =>
      rows.put(users, {
        id: data.user,
        number: data.number ?? null,
        profile: data.profile,
        roles: data.roles,
        status: 'active',
        status_reason: null,
        registered_at: data.registered_at,
        changed_at: data.registered_at,
        revision,
        sessions_from: revision,
      }),
    UserPasswordChanged: ({ data: { user, changed_at }, revision }, rows) =>
      rows.patch(users, { id: user }, { changed_at, revision, sessions_from: revision }),
    UserRolesChanged: ({ data: { user, roles, changed_at }, revision }, rows) =>
      rows.patch(users, { id: user }, { roles, changed_at, revision }),
    UserDisabled: ({ data: { user, reason, disabled_at }, revision }, rows) =>
      rows.patch(
        users,
        { id: user },
        {
          status: 'disabled',
          status_reason: reason,
          changed_at: disabled_at,
          revision,
          sessions_from: revision,
        },
      ),
    UserEnabled: ({ data: { user, reason, enabled_at }, revision }, rows) =>
      rows.patch(
        users,
        { id: user },
        { status: 'active', status_reason: reason, changed_at: enabled_at, revision },
      ),
  },
})

type Stored = {
  user: string
  /** Null for who was registered before there were such numbers. */
  number: number | null
  profile: string
  roles: Role[]
  status: 'active' | 'disabled'
  status_reason: string | null
  registered_at: Date
  changed_at: Date
  revision: number
}

/** A person's data are null once he has been forgotten. */
export type UserView = Omit<Stored, 'profile'> & {
  readonly username: string | null
  readonly name: string | null
  readonly email: string | null
  readonly phone: string | null
}

/** Users with what is personal opened. */
export const selectUsers = async (
  sql: Database,
  vault: Vault,
  where: Conditions,
  rest: string,
): Promise<UserView[]> => {
  const { rows } = await sql.query<Stored>(
    `select id as "user", number, profile, roles, status, status_reason, registered_at, changed_at,
       revision
     from users${where.where()} ${rest}`,
    where.values,
  )
  const texts = rows.map(({ user, profile }) => ({ subject: user, sealed: profile }))
  const opened = await vault.openAll(texts)
  return rows.map(({ profile: _sealed, ...row }, index) => ({
    ...row,
    number: row.number === null ? null : Number(row.number),
    username: opened[index]?.username ?? null,
    name: opened[index]?.name ?? null,
    email: opened[index]?.email ?? null,
    phone: opened[index]?.phone ?? null,
  }))
}

const oneUser = async (sql: Database, vault: Vault, user: string) => {
  const where = conditions()
  where.add('id = ?', user)
  return (await selectUsers(sql, vault, where, 'limit 1'))[0]
}

/** In the order of their ids, which for ids made here is the order of registration. */
export const listUsers = query({
  name: 'users.list',
  permission: 'users:read',
  input: z.strictObject({
    role: Role.optional(),
    status: z.enum(['active', 'disabled']).optional(),
    ...paging,
  }),
  reads: ['users'],
  run: async (sql, { role, status, cursor, limit }, _asker, vault) => {
    const where = conditions()
    const after = decodeCursor(cursor, 1)
    if (after) where.add('id > ?', ...after)
    where.addIf('status = ?', status)
    if (role !== undefined) where.add('roles @> ?::jsonb', JSON.stringify([role]))
    const rows = await selectUsers(sql, vault, where, `order by id limit ${limit + 1}`)
    return pageOf(rows, limit, ({ user }) => [user])
  },
})

export const getUser = query({
  name: 'users.get',
  permission: 'users:read',
  input: z.strictObject({ user: Identifier }),
  reads: ['users'],
  run: (sql, { user }, _asker, vault) => oneUser(sql, vault, user),
})

/** Whoever asks, about himself. A service that signs in with an API key is no user. */
export const getSelf = query({
  name: 'users.self',
  permission: 'self:read',
  input: z.strictObject({}),
  reads: ['users'],
  run: (sql, _input, asker, vault) => oneUser(sql, vault, asker.id),
})
