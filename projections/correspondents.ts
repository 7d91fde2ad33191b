import { z } from 'zod'
import { MOST_MEMBERS } from '../domain/conversations.ts'
import { query } from './kernel.ts'

/** Those who can be written to, by the numbers that contracts with integer ids call them. */
export const findCorrespondents = query({
  name: 'correspondents.find',
  permission: 'messages:use',
  input: z.strictObject({ numbers: z.array(z.int()).max(MOST_MEMBERS) }),
  reads: ['users'],
  run: async (sql, { numbers }): Promise<ReadonlyMap<number, string>> => {
    const { rows } = await sql.query<{ number: string; user: string }>(
      `select number, id as "user" from users where number = any($1) and status = 'active'`,
      [numbers],
    )
    return new Map(rows.map(({ number, user }) => [Number(number), user]))
  },
})
