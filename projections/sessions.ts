import { z } from 'zod'
import { Identifier } from '../domain/ledger/events.ts'
import { sessionEvents } from '../domain/sessions.ts'
import { type Asker, projection, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import { conditions } from './select.ts'
import type { Database, Table } from './table.ts'

const sessions: Table = {
  name: 'sessions',
  columns: {
    id: 'text',
    user_id: 'text',
    user_revision: 'integer',
    audience: 'text',
    opened_at: 'timestamptz',
    refreshed_at: 'timestamptz',
    expires_at: 'timestamptz',
    ended_at: 'timestamptz',
    end_reason: 'text',
  },
  key: ['id'],
  indexes: [['user_id', 'id'], ['ended_at']],
}

export const sessionBook = projection({
  name: 'sessions',
  version: 1,
  tables: [sessions],
  schemas: sessionEvents,
  on: {
    SessionOpened: ({ data }, rows) =>
      rows.put(sessions, {
        id: data.session,
        user_id: data.user,
        user_revision: data.user_revision,
        audience: data.audience,
        opened_at: data.opened_at,
        refreshed_at: null,
        expires_at: data.expires_at,
        ended_at: null,
        end_reason: null,
      }),
    SessionRefreshed: ({ data: { session, refreshed_at } }, rows) =>
      rows.patch(sessions, { id: session }, { refreshed_at }),
    SessionRevoked: ({ data: { session, reason, revoked_at } }, rows) =>
      rows.patch(sessions, { id: session }, { ended_at: revoked_at, end_reason: reason }),
  },
})

/** `ended_at` is null also when it expired, or when a change to the user ended it. */
export type SessionView = {
  session: string
  user: string
  audience: string
  active: boolean
  opened_at: Date
  refreshed_at: Date | null
  expires_at: Date
  ended_at: Date | null
  end_reason: string | null
}

const activeAt = (at: string): string => `s.ended_at is null and s.expires_at > ${at}
  and s.user_revision >= coalesce(u.sessions_from, 0)`

type Wanted = {
  user?: string | undefined
  active?: 'true' | 'false' | undefined
  cursor?: string | undefined
  limit: number
}

/** Newest first: a session's id begins with its time. */
const pageOfSessions = async (
  sql: Database,
  { user, active, cursor, limit }: Wanted,
  { at }: Asker,
) => {
  const where = conditions()
  const isActive = activeAt(`${where.value(at)}::timestamptz`)
  const after = decodeCursor(cursor, 1)
  if (after) where.add('s.id < ?', ...after)
  where.addIf('s.user_id = ?', user)
  where.addIf(`(${isActive}) = ?::boolean`, active)
  const { rows } = await sql.query<SessionView>(
    `select s.id as session, s.user_id as "user", s.audience, (${isActive}) as active,
       s.opened_at, s.refreshed_at, s.expires_at, s.ended_at, s.end_reason
     from sessions s left join users u on u.id = s.user_id${where.where()}
     order by s.id desc limit ${limit + 1}`,
    where.values,
  )
  return pageOf(rows, limit, ({ session }) => [session])
}

const Active = z.enum(['true', 'false']).optional()

export const listSessions = query({
  name: 'sessions.list',
  permission: 'users:read',
  input: z.strictObject({ user: Identifier.optional(), active: Active, ...paging }),
  reads: ['sessions', 'users'],
  run: pageOfSessions,
})

export const listOwnSessions = query({
  name: 'sessions.own',
  permission: 'self:read',
  input: z.strictObject({ active: Active, ...paging }),
  reads: ['sessions', 'users'],
  run: (sql, input, asker) => pageOfSessions(sql, { ...input, user: asker.id }, asker),
})
