import { z } from 'zod'
import { defaultPreferences, type Preferences, preferenceEvents } from '../domain/preferences.ts'
import { projection, query } from './kernel.ts'
import type { Database, Table } from './table.ts'

const preferences: Table = {
  name: 'preferences',
  columns: { user_id: 'text', preferences: 'jsonb', changed_at: 'timestamptz' },
  key: ['user_id'],
}

export const preferenceBook = projection({
  name: 'preferences',
  version: 1,
  tables: [preferences],
  schemas: preferenceEvents,
  on: {
    PreferencesChanged: ({ data: { user, preferences: changed, changed_at } }, rows) =>
      rows.put(preferences, { user_id: user, preferences: changed, changed_at }),
  },
})

/** The defaults, until he has changed any. */
export const preferencesOf = async (sql: Database, user: string): Promise<Preferences> => {
  const { rows } = await sql.query<{ preferences: Preferences }>(
    'select preferences from preferences where user_id = $1',
    [user],
  )
  return rows[0]?.preferences ?? defaultPreferences
}

/** In SQL: whether a member `column` lets others see something; he does unless he said no. */
export const allowsSql = (
  column: string,
  what: 'read_receipts_enabled' | 'last_seen_visible',
): string =>
  `coalesce((select (preferences->>'${what}')::boolean from preferences
     where user_id = ${column}), true)`

/** Whoever asks, his own. */
export const getPreferences = query({
  name: 'preferences.get',
  permission: 'messages:use',
  input: z.strictObject({}),
  reads: ['preferences'],
  run: (sql, _input, { id }) => preferencesOf(sql, id),
})
