import { z } from 'zod'
import { type Decision, decider, type EventOf } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

const AUTO_DELETE_DAYS = [1, 7, 30, 90, 365] as const

/** How somebody wants to hear of messages, and what others may see of him. */
export const Preferences = z.strictObject({
  /** Of new messages; codes and passwords are sent whatever this says. */
  email_notifications: z.boolean(),
  push_notifications: z.boolean(),
  /** Whether a notification quotes the message. */
  show_previews: z.boolean(),
  sound_enabled: z.boolean(),
  notification_sound: z.string().regex(/^[\w .-]{1,50}$/, 'is the name of a sound'),
  /** Whether others see what he has read. */
  read_receipts_enabled: z.boolean(),
  /** Whether others see that he is writing. */
  typing_indicators_enabled: z.boolean(),
  /** Whether others see if he is there, and when he last was. */
  last_seen_visible: z.boolean(),
  /** Whether messages older than so many days are no longer shown to him. */
  auto_delete_enabled: z.boolean(),
  auto_delete_days: z.literal(AUTO_DELETE_DAYS, {
    error: `must be one of ${AUTO_DELETE_DAYS.join(', ')}`,
  }),
  markdown_enabled: z.boolean(),
  emoji_shortcuts_enabled: z.boolean(),
  font_size: z.enum(['small', 'medium', 'large']),
})
export type Preferences = z.infer<typeof Preferences>

export const defaultPreferences: Preferences = {
  email_notifications: true,
  push_notifications: true,
  show_previews: true,
  sound_enabled: true,
  notification_sound: 'default',
  read_receipts_enabled: true,
  typing_indicators_enabled: true,
  last_seen_visible: true,
  auto_delete_enabled: false,
  auto_delete_days: 30,
  markdown_enabled: true,
  emoji_shortcuts_enabled: true,
  font_size: 'medium',
}

export const preferenceEvents = {
  PreferencesChanged: z.object({
    user: Identifier,
    /** All of them, as they are from now on. */
    preferences: Preferences,
    changed_at: Instant,
  }),
} as const

type PreferenceEvent = EventOf<typeof preferenceEvents>

export type PreferenceState = { readonly preferences: Preferences }

type Change = {
  readonly user: string
  readonly changes: { readonly [Name in keyof Preferences]?: Preferences[Name] | undefined }
  readonly changed_at: string
}

/** What is not named stays as it is; what changes nothing is no event. */
const change = (
  state: PreferenceState,
  { user, changes, changed_at }: Change,
): Decision<PreferenceEvent> => {
  const preferences = Preferences.parse({ ...state.preferences, ...changes })
  const names = Object.keys(preferences) as (keyof Preferences)[]
  if (names.every((name) => preferences[name] === state.preferences[name])) return []
  return [{ type: 'PreferencesChanged', data: { user, preferences, changed_at } }]
}

export const UserPreferences = decider({
  category: 'preferences',
  schemas: preferenceEvents,
  initial: (): PreferenceState => ({ preferences: defaultPreferences }),
  evolve: {
    PreferencesChanged: (_state, { preferences }): PreferenceState => ({ preferences }),
  },
  decide: { change },
})

/** From when on messages are shown to somebody; null: all of them. */
export const shownSince = (
  { auto_delete_enabled, auto_delete_days }: Preferences,
  at: Date,
): Date | null =>
  auto_delete_enabled ? new Date(at.getTime() - auto_delete_days * 86_400_000) : null
