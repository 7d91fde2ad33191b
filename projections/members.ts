import { z } from 'zod'
import type { Vault } from '../domain/vault.ts'
import { query } from './kernel.ts'
import type { NumberedPage } from './paging.ts'
import { onlyReached } from './reach.ts'
import { conditions } from './select.ts'
import type { Database } from './table.ts'
import { selectUsers, type UserView } from './users.ts'

/** A customer who signs in, and the mobile banker who looks after him. */
export type MemberView = UserView & { readonly banker: UserView | null }

/** The mobile bankers of some clients, by client. */
const bankersOf = async (
  sql: Database,
  vault: Vault,
  clients: readonly string[],
): Promise<ReadonlyMap<string, UserView | undefined>> => {
  const { rows } = await sql.query<{ client: string; banker: string }>(
    'select client, banker from assignments where client = any($1)',
    [clients],
  )
  const where = conditions()
  where.add('id = any(?)', [...new Set(rows.map(({ banker }) => banker))])
  const users = await selectUsers(sql, vault, where, '')
  const bankers = new Map(users.map((user) => [user.user, user]))
  return new Map(rows.map(({ client, banker }) => [client, bankers.get(banker)]))
}

/** In the order of their numbers; a mobile banker sees his own clients. */
export const listMembers = query({
  name: 'users.members',
  permission: 'members:read',
  input: z.strictObject({ page: z.int().min(1), page_size: z.int().min(1).max(100) }),
  reads: ['users', 'assignments'],
  run: async (sql, { page, page_size }, asker, vault): Promise<NumberedPage<MemberView>> => {
    const where = conditions()
    where.add('roles @> ?::jsonb', JSON.stringify(['customer']))
    onlyReached(where, asker, 'id')
    const { rows } = await sql.query<{ count: string }>(
      `select count(*) as count from users${where.where()}`,
      where.values,
    )
    const rest = `order by number, id limit ${page_size} offset ${(page - 1) * page_size}`
    const members = await selectUsers(sql, vault, where, rest)
    const bankers = await bankersOf(
      sql,
      vault,
      members.map(({ user }) => user),
    )
    const results = members.map((member) => ({
      ...member,
      banker: bankers.get(member.user) ?? null,
    }))
    return { count: Number(rows[0]?.count ?? 0), results }
  },
})
