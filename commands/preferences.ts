import { Preferences, UserPreferences } from '../domain/preferences.ts'
import { command } from './kernel.ts'
import { type Looking, lookAt } from './look.ts'

/** As they are now, by the log and not by a read model. */
export const lookAtPreferences = async (ports: Looking, user: string): Promise<Preferences> =>
  (await lookAt(ports, UserPreferences, user)).preferences

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
