import { z } from 'zod'
import type { Vault } from '../domain/vault.ts'
import { query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
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
  input: z.strictObject(numbering),
  reads: ['users', 'assignments'],
  run: async (sql, { page, page_size }, asker, vault): Promise<NumberedPage<MemberView>> => {
    const where = conditions()
    where.add('roles @> ?::jsonb', JSON.stringify(['customer']))
    onlyReached(where, asker, 'id')
    const from = 'from users'
    const order = 'number, id'
    return readNumbered(sql, { page, page_size, from, where, order }, async (rest) => {
      const members = await selectUsers(sql, vault, where, rest)
      const bankers = await bankersOf(
        sql,
        vault,
        members.map(({ user }) => user),
      )
      return members.map((member) => ({ ...member, banker: bankers.get(member.user) ?? null }))
    })
  },
})
