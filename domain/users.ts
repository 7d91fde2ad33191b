import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'
import { Role } from './permissions.ts'

/** What a person may be. `system` is for the processes of Daybook themselves. */
export const UserRoles = z
  .array(Role.exclude(['system']))
  .min(1)
  .max(8)
  .refine((roles) => new Set(roles).size === roles.length, 'a role is named twice')

const Reason = z.string().max(256)
const ByUser = { user: Identifier }

export const userEvents = {
  UserRegistered: z.object({
    ...ByUser,
    /** The stream `username-<claim>` says who may use the name. */
    username_claim: z.string().max(128),
    /** The same of the e-mail address, for who signs in with that as well. */
    email_claim: z.string().max(128).optional(),
    /** What contracts with integer ids call him. */
    number: z.int().min(1).optional(),
    /** Sealed: username, name and, as far as they are known, e-mail address, phone and details. */
    profile: z.string().max(8192),
    roles: z.array(Role).max(16),
    password_hash: z.string().max(512),
    registered_at: Instant,
  }),
  UserPasswordChanged: z.object({
    ...ByUser,
    password_hash: z.string().max(512),
    changed_at: Instant,
  }),
  UserRolesChanged: z.object({ ...ByUser, roles: z.array(Role).max(16), changed_at: Instant }),
  UserDisabled: z.object({ ...ByUser, reason: Reason, disabled_at: Instant }),
  UserEnabled: z.object({ ...ByUser, reason: Reason, enabled_at: Instant }),
} as const

type UserEvent = EventOf<typeof userEvents>
type Data<Type extends keyof typeof userEvents> = z.infer<(typeof userEvents)[Type]>

export type UserState = {
  readonly status: 'unknown' | 'active' | 'disabled'
  readonly usernameClaim: string
  readonly emailClaim: string | undefined
  readonly number: number | undefined
  readonly roles: readonly Role[]
  readonly passwordHash: string
  /**
   * The revision from which sessions count: those opened on what the user was before have ended.
   * A revision and not a time, because the clocks of two machines never agree.
   */
  readonly sessionsFrom: number
}

const register = (state: UserState, command: Data<'UserRegistered'>): Decision<UserEvent> => {
  if (state.status !== 'unknown') return refuse('USER_EXISTS', `${command.user} exists already.`)
  return [{ type: 'UserRegistered', data: command }]
}

/** `replaces`: the hash that the given present password was compared with; null for a reset. */
const changePassword = (
  state: UserState,
  command: Data<'UserPasswordChanged'> & { readonly replaces: string | null },
): Decision<UserEvent> => {
  const { replaces, ...data } = command
  if (replaces !== null && replaces !== state.passwordHash) {
    return refuse('CREDENTIALS_INVALID', 'The password was changed in the meantime.')
  }
  return [{ type: 'UserPasswordChanged', data }]
}

/** An administrator who shut himself out would need another one, whom there may not be. */
const refuseOwn = (user: string, by: string) =>
  refuse('NOT_PERMITTED', 'Nobody disables himself or changes his own roles.', { user, by })

type By = { readonly by: string }

const changeRoles = (
  state: UserState,
  { by, ...data }: Data<'UserRolesChanged'> & By,
): Decision<UserEvent> => {
  if (by === data.user) return refuseOwn(data.user, by)
  const same = [...state.roles].sort().join() === [...data.roles].sort().join()
  return same ? [] : [{ type: 'UserRolesChanged', data }]
}

const disable = (
  state: UserState,
  { by, ...data }: Data<'UserDisabled'> & By,
): Decision<UserEvent> => {
  if (by === data.user) return refuseOwn(data.user, by)
  return state.status === 'disabled' ? [] : [{ type: 'UserDisabled', data }]
}

const enable = (state: UserState, data: Data<'UserEnabled'>): Decision<UserEvent> =>
  state.status === 'active' ? [] : [{ type: 'UserEnabled', data }]

/** Somebody who signs in. What a person is called is sealed and plays no part here. */
export const User = decider({
  category: 'user',
  schemas: userEvents,
  initial: (): UserState => ({
    status: 'unknown',
    usernameClaim: '',
    emailClaim: undefined,
    number: undefined,
    roles: [],
    passwordHash: '',
    sessionsFrom: 0,
  }),
  evolve: {
    UserRegistered: (state, data): UserState => ({
      ...state,
      status: 'active',
      usernameClaim: data.username_claim,
      emailClaim: data.email_claim,
      number: data.number,
      roles: data.roles,
      passwordHash: data.password_hash,
    }),
    UserPasswordChanged: (state, { password_hash }, revision): UserState => ({
      ...state,
      passwordHash: password_hash,
      sessionsFrom: revision,
    }),
    UserRolesChanged: (state, { roles }): UserState => ({ ...state, roles }),
    UserDisabled: (state, _data, revision): UserState => ({
      ...state,
      status: 'disabled',
      sessionsFrom: revision,
    }),
    UserEnabled: (state): UserState => ({ ...state, status: 'active' }),
  },
  decide: { register, changePassword, changeRoles, disable, enable },
})
