import { z } from 'zod'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

export const usernameEvents = {
  UsernameClaimed: z.object({ user: Identifier, claimed_at: Instant }),
  LogInFailed: z.object({ failed_at: Instant }),
  LogInFailuresCleared: z.object({ cleared_at: Instant }),
} as const

type UsernameEvent = EventOf<typeof usernameEvents>

export type UsernameState = {
  readonly user: string | null
  readonly claimedAt: string
  /** When the last wrong passwords came, oldest first; at most as many as lock it anywhere. */
  readonly failures: readonly string[]
}

/** When wrong passwords lock a name, and for how long. */
export type Lock = {
  readonly failures: number
  /** At most so far apart they count together, and so long the name is locked behind the last. */
  readonly lock_ms: number
  /** The last wrong password is answered as those behind it, and not as those before. */
  readonly isToldAtOnce: boolean
}

/** Where the product that is signed in to says nothing else. */
export const LOCK: Lock = { failures: 5, lock_ms: 15 * 60_000, isToldAtOnce: false }
/** As many as any product allows, and as long as any locks. */
const MOST_REMEMBERED = 10
const LONGEST_LOCK_MS = 30 * 60_000
/** Longer than the two appends of a registration can take together. */
const TAKE_OVER_AFTER_MS = 60_000

/** Those within a time before the last of them. */
const within = (failures: readonly string[], last: string, time_ms: number): readonly string[] => {
  const since = Date.parse(last) - time_ms
  return failures.filter((failure) => Date.parse(failure) > since)
}

/** The refusal while too many wrong passwords came of late. */
export const lockOf = (
  { failures }: UsernameState,
  at: string,
  lock = LOCK,
): Refusal | undefined => {
  const last = failures.at(-1)
  if (last === undefined) return undefined
  const left = Date.parse(last) + lock.lock_ms - Date.parse(at)
  if (left <= 0 || within(failures, last, lock.lock_ms).length < lock.failures) return undefined
  const seconds = Math.ceil(left / 1000)
  return refuse('LOGIN_LOCKED', `Too many wrong passwords: try again in ${seconds} seconds.`, {
    retry_after_s: seconds,
  })
}

/**
 * Gives the name to a user. `abandoned` is a holder who has been seen not to exist: the process
 * that registered him ended half-way. After a minute, somebody else may have the name.
 */
const claim = (
  state: UsernameState,
  command: { readonly user: string; readonly abandoned: string | null; readonly at: string },
): Decision<UsernameEvent> => {
  if (state.user === command.user) return []
  const age = Date.parse(command.at) - Date.parse(state.claimedAt)
  const free = state.user === null
  if (free || (state.user === command.abandoned && age >= TAKE_OVER_AFTER_MS)) {
    const data = { user: command.user, claimed_at: command.at }
    return [{ type: 'UsernameClaimed', data }]
  }
  return refuse('USERNAME_TAKEN', 'Somebody else has this username.', { field: 'username' })
}

/**
 * Records how a password that was given for the name turned out. Decided one after another, so
 * that many guesses sent at once are no more than many guesses sent in a row.
 */
const judge = (
  state: UsernameState,
  command: { readonly correct: boolean; readonly at: string; readonly lock?: Lock },
): Decision<UsernameEvent> => {
  const locked = lockOf(state, command.at, command.lock)
  if (locked) return locked
  if (!command.correct) return [{ type: 'LogInFailed', data: { failed_at: command.at } }]
  if (state.failures.length === 0) return []
  return [{ type: 'LogInFailuresCleared', data: { cleared_at: command.at } }]
}

const recent = (failures: readonly string[], at: string): readonly string[] =>
  [...within(failures, at, LONGEST_LOCK_MS), at].slice(-MOST_REMEMBERED)

/** A name to sign in with: who holds it, if anybody, and the wrong passwords that came for it. */
export const Username = decider({
  category: 'username',
  schemas: usernameEvents,
  initial: (): UsernameState => ({ user: null, claimedAt: '', failures: [] }),
  evolve: {
    UsernameClaimed: (state, { user, claimed_at }) => ({ ...state, user, claimedAt: claimed_at }),
    LogInFailed: (state, { failed_at }) => ({
      ...state,
      failures: recent(state.failures, failed_at),
    }),
    LogInFailuresCleared: (state) => ({ ...state, failures: [] }),
  },
  decide: { claim, judge },
})
