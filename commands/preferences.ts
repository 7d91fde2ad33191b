import { type PreferenceState, Preferences, UserPreferences } from '../domain/preferences.ts'
import { command } from './kernel.ts'
import type { Ports } from './ports.ts'

/** As they are now, by the log and not by a read model. */
export const lookAtPreferences = async (
  { engine }: Pick<Ports, 'engine'>,
  user: string,
): Promise<Preferences> => {
  const { state } = await engine.look(UserPreferences, `${UserPreferences.category}-${user}`)
  return (state as PreferenceState).preferences
}

/** One's own; what is not named stays as it is. */
export const changePreferences = command({
  name: 'preferences.change',
  permission: 'messages:use',
  input: Preferences.partial(),
  decider: UserPreferences,
  stream: (_input, { context }) => context.actor.id,
  on: 'any',
  otherwise: 'USER_NOT_FOUND',
  ifMatch: 'stream',
  enrich: (changes, { context, at }) => ({ user: context.actor.id, changes, changed_at: at }),
  decide: UserPreferences.decide.change,
  answer: (_events, _input, { user }) => ({ user }),
})
