import { setTimeout as wait } from 'node:timers/promises'
import { apiKeyEvents } from '../domain/api_keys.ts'
import { type AnyEvent, decode } from '../domain/kernel.ts'
import type { EventStore, Position } from '../domain/log.ts'
import { sessionEvents } from '../domain/sessions.ts'
import { userEvents } from '../domain/users.ts'
import { NOWHERE, readBuilds } from '../projections/builds.ts'
import type { Database } from '../projections/table.ts'
import type { Logger } from './services.ts'

/** Longer than any token, or anything else that was verified, is believed without asking again. */
const KEPT_MS = 20 * 60_000
const MAX_MARKS = 100_000
const RETRY_MS = 1000

/** What a request proves itself with, and since when we believe it. */
export type Credential = {
  /** Each with the revision of the subject that the credential speaks of. */
  readonly subjects: readonly (readonly [subject: string, revision: number])[]
  readonly believedSince: Date
}

/** Sessions and keys only ever end: credentials speak of their first revision, 0. */
const ENDED = 1

export const subjectOf = {
  user: (id: string): string => `user ${id}`,
  session: (id: string): string => `session ${id}`,
  apiKey: (id: string): string => `key ${id}`,
}

type Noted = AnyEvent & { readonly revision: number }

const schemas = { ...userEvents, ...sessionEvents, ...apiKeyEvents }

const userOf = ({ data }: Noted): string => subjectOf.user((data as { user: string }).user)

/** The events that make credentials void, and whose. */
const subjects: Readonly<Record<string, (event: Noted) => string>> = {
  UserPasswordChanged: userOf,
  UserRolesChanged: userOf,
  UserDisabled: userOf,
  SessionRevoked: ({ data }) => subjectOf.session((data as { session: string }).session),
  ApiKeyRevoked: ({ data }) => subjectOf.apiKey((data as { key: string }).key),
}

export type Revocations = {
  /** Whether something happened since that makes the credential worthless. */
  voids(credential: Credential): boolean
  /** The same store, whose appends take effect here before their caller is answered. */
  watch(store: EventStore): EventStore
  /**
   * Learns what has happened of late, from the read models and then from the log; resolves when
   * that is done, and goes on to follow the log until aborted.
   */
  follow(options: {
    readonly store: EventStore
    readonly database: Database
    readonly log: Pick<Logger, 'error'>
    readonly signal: AbortSignal
  }): Promise<void>
}

type Marks = {
  note(subject: string, revision: number): void
  voids(credential: Credential): boolean
}

/**
 * Subjects and the revision that voids what speaks of an earlier one, for as long as that may
 * still be believed. If there are too many, the oldest goes, and with it everything believed
 * since before it came: tokens have to be refreshed then, but nothing void passes.
 */
export const createMarks = (clock: () => Date, limit = MAX_MARKS): Marks => {
  const marks = new Map<string, { readonly revision: number; readonly at: number }>()
  let floor = Number.NEGATIVE_INFINITY

  const forgetOldest = (now: number): void => {
    for (const [subject, { at }] of marks) {
      const old = now - at > KEPT_MS
      if (!old && marks.size <= limit) return
      if (!old) floor = Math.max(floor, at)
      marks.delete(subject)
    }
  }
  return {
    note: (subject, revision) => {
      const now = clock().getTime()
      const known = marks.get(subject)?.revision ?? revision
      // Moved to the end: the front of the map is what was noted longest ago.
      marks.delete(subject)
      marks.set(subject, { revision: Math.max(known, revision), at: now })
      forgetOldest(now)
    },
    voids: ({ subjects, believedSince }) =>
      believedSince.getTime() <= floor ||
      subjects.some(([subject, revision]) => {
        const mark = marks.get(subject)
        return mark !== undefined && revision < mark.revision
      }),
  }
}

/** Where to go on in the log, after what the read models say of the last while. */
const readRecent = async (
  database: Database,
  marks: Marks,
  since: Date,
): Promise<Position | 'start'> => {
  // The positions first: rows that are newer than these are only learnt twice.
  const builds = await readBuilds(database)
  const positions = ['users', 'sessions'].map(
    (name) =>
      builds.find((build) => build.name === name && build.status !== 'building')?.position ??
      NOWHERE,
  )
  const changed = await database.query<{ id: string; revision: number }>(
    'select id, revision from users where changed_at > $1 and revision > 0 order by changed_at',
    [since],
  )
  for (const { id, revision } of changed.rows) marks.note(subjectOf.user(id), revision)
  const ended = await database.query<{ id: string }>(
    'select id from sessions where ended_at > $1 order by ended_at',
    [since],
  )
  for (const { id } of ended.rows) marks.note(subjectOf.session(id), ENDED)
  const [oldest] = positions.sort((a, b) => (a.commit < b.commit ? -1 : 1))
  return oldest && oldest.commit > 0n ? oldest : 'start'
}

export const createRevocations = (clock: () => Date): Revocations => {
  const marks = createMarks(clock)

  const note = (event: Noted): void => {
    const subject = subjects[event.type]?.(event)
    if (subject !== undefined) marks.note(subject, event.revision)
  }

  const watch = (store: EventStore): EventStore => ({
    ...store,
    append: async (stream, expected, events) => {
      const result = await store.append(stream, expected, events)
      if (result.outcome === 'appended') {
        const first = result.revision - events.length + 1
        for (const [index, event] of events.entries()) note({ ...event, revision: first + index })
      }
      return result
    },
  })

  const follow: Revocations['follow'] = async ({ store, database, log, signal }) => {
    let after = await readRecent(database, marks, new Date(clock().getTime() - KEPT_MS))
    const filter = { types: Object.keys(subjects) }
    const listen = async (onCaughtUp: () => void): Promise<void> => {
      for await (const item of store.subscribe({ after, filter, signal })) {
        if (item.kind === 'caught_up') onCaughtUp()
        else {
          after = item.event.position
          note(decode(schemas, item.event))
        }
      }
    }
    const keepListening = async (onCaughtUp: () => void): Promise<void> => {
      while (!signal.aborted) {
        await listen(onCaughtUp).catch((error: unknown) =>
          log.error({ error: String(error) }, 'revocations cannot be followed'),
        )
        await wait(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
      onCaughtUp()
    }
    await new Promise<void>((resolve) => void keepListening(resolve))
  }

  return { voids: marks.voids, watch, follow }
}
