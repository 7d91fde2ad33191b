import { z } from 'zod'
import type { Vault } from '../domain/vault.ts'
import { query } from './kernel.ts'
import { SecurityKind } from './security_log.ts'
import { conditions } from './select.ts'
import type { Database } from './table.ts'
import { selectUsers, type UserView } from './users.ts'

/** No more than the newest so many events are looked at, however long the time is. */
const MOST_EVENTS = 50_000
const MOST_NAMED = 100
const MOST_SECURITY_EVENTS = 50

export type AuditEvent = {
  readonly position: string
  readonly type: string
  readonly stream: string
  readonly correlation: string | null
  readonly actor: string | null
  /** The user that the actor is, if he is one. */
  readonly user: UserView | null
  readonly recorded_at: Date
}

export type SecurityEvent = Omit<AuditEvent, 'correlation'> & {
  readonly kind: z.infer<typeof SecurityKind>
}

export type AuditSummary = {
  readonly count: number
  /** False: there were more events than are looked at. */
  readonly isComplete: boolean
  readonly events: readonly AuditEvent[]
  /** The busiest first. */
  readonly byActor: readonly { actor: string; user: UserView | null; count: number }[]
  readonly byType: readonly { type: string; count: number }[]
  /** Over the whole time. */
  readonly security: Readonly<Record<z.infer<typeof SecurityKind>, number>>
  /** The newest of them. */
  readonly securityEvents: readonly SecurityEvent[]
  /** Names with as many wrong passwords as lock them. */
  readonly locked: number
}

const LOCKED_FROM = 5

const recent = `(select * from event_index order by position desc limit ${MOST_EVENTS}) e
  where e.recorded_at > $1`

type Counted = { key: string | null; count: string }

const countBy = async (sql: Database, column: 'actor' | 'type', since: Date): Promise<Counted[]> =>
  (
    await sql.query<Counted>(
      `select ${column} as key, count(*) as count from ${recent}
       group by ${column} order by count(*) desc, ${column} limit ${MOST_NAMED}`,
      [since],
    )
  ).rows

const namesOf = async (sql: Database, vault: Vault, actors: readonly (string | null)[]) => {
  const where = conditions()
  where.add('id = any(?)', [...new Set(actors.filter((actor) => actor !== null))])
  return new Map((await selectUsers(sql, vault, where, '')).map((user) => [user.user, user]))
}

const countSecurity = async (sql: Database, since: Date) => {
  const { rows } = await sql.query<Counted>(
    'select kind as key, count(*) as count from security_log where recorded_at > $1 group by kind',
    [since],
  )
  const counts = new Map(rows.map(({ key, count }) => [key, Number(count)]))
  const kinds = SecurityKind.options.map((kind) => [kind, counts.get(kind) ?? 0] as const)
  return Object.fromEntries(kinds) as AuditSummary['security']
}

type Stored<Event> = Omit<Event, 'user'>

const newestOfSecurity = async (sql: Database, since: Date): Promise<Stored<SecurityEvent>[]> =>
  (
    await sql.query<Stored<SecurityEvent>>(
      `select position, kind, type, stream, actor, recorded_at from security_log
       where recorded_at > $1 order by recorded_at desc, position desc
       limit ${MOST_SECURITY_EVENTS}`,
      [since],
    )
  ).rows

const countLocked = async (sql: Database, since: Date): Promise<number> => {
  const { rows } = await sql.query<{ count: string }>(
    `select count(*) as count from (select stream from security_log
       where recorded_at > $1 and kind = 'log_in_failed'
       group by stream having count(*) >= ${LOCKED_FROM}) locked`,
    [since],
  )
  return Number(rows[0]?.count ?? 0)
}

/** What happened in the last hours, the newest first: who did what, and what touches security. */
export const getAuditSummary = query({
  name: 'audit.summary',
  permission: 'events:read',
  input: z.strictObject({
    hours: z.int().min(1).max(168),
    ...{ page: z.int().min(1), page_size: z.int().min(1).max(100) },
  }),
  reads: ['event_index', 'security_log', 'users'],
  run: async (sql, { hours, page, page_size }, { at }, vault): Promise<AuditSummary> => {
    const since = new Date(at.getTime() - hours * 3_600_000)
    const { rows: events } = await sql.query<Stored<AuditEvent>>(
      `select e.position, e.type, e.stream, e.correlation, e.actor, e.recorded_at from ${recent}
       order by e.position desc limit ${page_size} offset ${(page - 1) * page_size}`,
      [since],
    )
    const { rows: totals } = await sql.query<{ count: string }>(
      `select count(*) as count from ${recent}`,
      [since],
    )
    const byActor = await countBy(sql, 'actor', since)
    const byType = await countBy(sql, 'type', since)
    const security = await newestOfSecurity(sql, since)
    const acting = [...events, ...security].map(({ actor }) => actor)
    const names = await namesOf(sql, vault, [...byActor.map(({ key }) => key), ...acting])
    const userOf = (actor: string | null) => names.get(actor ?? '') ?? null
    const count = Number(totals[0]?.count ?? 0)
    return {
      count,
      isComplete: count < MOST_EVENTS,
      events: events.map((event) => ({ ...event, user: userOf(event.actor) })),
      byActor: byActor.map(({ key, count: of }) => ({
        ...{ actor: key ?? 'unknown', user: userOf(key), count: Number(of) },
      })),
      byType: byType.map(({ key, count: of }) => ({ type: key ?? '', count: Number(of) })),
      security: await countSecurity(sql, since),
      securityEvents: security.map((event) => ({ ...event, user: userOf(event.actor) })),
      locked: await countLocked(sql, since),
    }
  },
})
