import { z } from 'zod'
import { idFrom } from '../domain/ids.ts'
import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { User, UserRoles, type userEvents } from '../domain/users.ts'
import { command, type Enrichment, execute, onExisting, takeNumber } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import type { Ports } from './ports.ts'
import { claimNames, claimOf, findUser, lookAtUser, provePassword } from './usernames.ts'

type Data<Type extends keyof typeof userEvents> = z.infer<(typeof userEvents)[Type]>

const NewName = z
  .string()
  .trim()
  .regex(/^[^\s\p{C}]{1,128}$/u, 'a username is 1 to 128 characters without spaces')
const Password = z.string().min(12).max(1024)
/** As somebody types it: the rules for a new one are no help to who guesses. */
export const GivenPassword = z.string().min(1).max(1024)
const Reason = z.string().trim().min(1).max(256)

/** Actors which are no users, and whom nobody shall be mistaken for. */
const reserved = new Set(['system', 'anonymous', 'scorer'])
const NewUserId = Identifier.refine((id) => !reserved.has(id), 'this id is reserved')

export const RegisterUser = z.strictObject({
  /** Absent: a ULID. */
  user: NewUserId.optional(),
  username: NewName,
  password: Password,
  name: z.string().trim().min(1).max(256),
  email: z.email().max(254).optional(),
  phone: z.string().trim().min(1).max(32).optional(),
  roles: UserRoles,
})
export type NewUser = Omit<z.infer<typeof RegisterUser>, 'user'> & {
  /** What else is known, to be sealed with the rest. */
  readonly details?: Readonly<Record<string, string>>
}

/**
 * What a registration records. The names are claimed first, the user follows: two appends or more.
 * Should the process end between them, the same request may be made again at once, and anybody else
 * may have the names after a minute.
 */
export const registration = async (
  input: NewUser,
  user: string,
  enrichment: Enrichment,
  { byEmail }: { readonly byEmail: boolean },
) => {
  const { ports, context, at } = enrichment
  const { username, name, email, phone, roles } = input
  // A user who exists claims no second name; the engine tells a repetition from a conflict.
  const known = await lookAtUser(ports, user)
  const names = { username, ...(byEmail && { email }) }
  const claims = await claimNames(ports, known ? undefined : user, names, context)
  if (isRefusal(claims)) return claims
  const fields = {
    ...input.details,
    ...{ username, name },
    ...(email !== undefined && { email }),
    ...(phone !== undefined && { phone }),
  }
  return {
    user,
    ...claims,
    number: known ? known.state.number : await takeNumber(enrichment, 'users'),
    // A dry run leaves nothing behind, so it makes no key either.
    profile: known || context.dryRun ? '' : await ports.vault.seal(user, fields),
    roles,
    password_hash: known ? '' : await ports.secrets.hashPassword(input.password),
    registered_at: at,
  }
}

/** A command that registers; with `byEmail`, the address is a name to sign in with as well. */
export const registering = (name: string, input: typeof RegisterUser, byEmail = false) =>
  command({
    name,
    permission: 'users:manage',
    input,
    decider: User,
    stream: ({ user }, { newId }) => user ?? newId(),
    on: 'new',
    otherwise: 'USER_EXISTS',
    ifMatch: 'stream',
    enrich: (input, enrichment) =>
      registration(input, input.user ?? enrichment.newId(), enrichment, { byEmail }),
    decide: User.decide.register,
    answer: (events, { username, name, email, roles }) => {
      const registered = dataOf<Data<'UserRegistered'>>(events, 'UserRegistered')
      const { user, number, registered_at } = registered
      return {
        ...{ user, number: number ?? null, username, name },
        ...{ email: email ?? null, roles, registered_at },
      }
    },
  })

/** Somebody new, with a password that is good enough. */
export const registerUser = registering('users.register', RegisterUser)

/** Somebody who comes from another product, with the password that he has there. */
export const ImportUser = RegisterUser.extend({ password: GivenPassword })
export const importUser = registering('users.import', ImportUser)

/** For those who manage users. */
const userCommand = onExisting({ decider: User, field: 'user', otherwise: 'USER_NOT_FOUND' })
const permission = 'users:manage'

/** Of one's own. All sessions of the user end, also the one that asks. */
export const changePassword = command({
  name: 'users.change_password',
  permission: 'self:read',
  input: z.strictObject({ current_password: GivenPassword, new_password: Password }),
  decider: User,
  stream: (_input, { context }) => context.actor.id,
  on: 'existing',
  otherwise: 'USER_NOT_FOUND',
  ifMatch: 'stream',
  enrich: async ({ current_password, new_password }, { ports, context, at, isRepeated }) => {
    const user = context.actor.id
    const known = await lookAtUser(ports, user)
    if (!known) return refuse('USER_NOT_FOUND', `There is no user ${user}.`)
    const { usernameClaim } = known.state
    const proven = (await isRepeated())
      ? known
      : await provePassword(ports, usernameClaim, current_password, context)
    if (isRefusal(proven)) return proven
    return {
      user,
      password_hash: await ports.secrets.hashPassword(new_password),
      changed_at: at,
      replaces: proven.state.passwordHash,
    }
  },
  decide: User.decide.changePassword,
  answer: (_events, _input, { user }) => ({ user }),
})

/** Of somebody else, who has lost it. All his sessions end. */
export const resetPassword = userCommand({
  name: 'users.reset_password',
  permission,
  input: z.strictObject({ user: Identifier, new_password: Password }),
  enrich: async ({ user, new_password }, { ports, at }) => ({
    user,
    password_hash: await ports.secrets.hashPassword(new_password),
    changed_at: at,
    replaces: null,
  }),
  decide: User.decide.changePassword,
  answer: (_events, { user }) => ({ user }),
})

/** Access tokens with the old roles are void at once; a refresh gives one with the new. */
export const changeRoles = userCommand({
  name: 'users.change_roles',
  permission,
  input: z.strictObject({ user: Identifier, roles: UserRoles }),
  enrich: ({ user, roles }, { at, context }) => ({
    user,
    roles,
    changed_at: at,
    by: context.actor.id,
  }),
  decide: User.decide.changeRoles,
  answer: (_events, { user, roles }) => ({ user, roles }),
})

/** The user cannot log in any more, and all his sessions end. */
export const disableUser = userCommand({
  name: 'users.disable',
  permission,
  input: z.strictObject({ user: Identifier, reason: Reason }),
  enrich: ({ user, reason }, { at, context }) => ({
    user,
    reason,
    disabled_at: at,
    by: context.actor.id,
  }),
  decide: User.decide.disable,
  answer: (_events, { user }) => ({ user, status: 'disabled' as const }),
})

export const enableUser = userCommand({
  name: 'users.enable',
  permission,
  input: z.strictObject({ user: Identifier, reason: Reason }),
  enrich: ({ user, reason }, { at }) => ({ user, reason, enabled_at: at }),
  decide: User.decide.enable,
  answer: (_events, { user }) => ({ user, status: 'active' as const }),
})

/**
 * Makes sure that somebody can get in: registers the administrator unless the name is taken. Never
 * changes a user who exists, neither his password nor his roles. May be run by several at once.
 */
export const ensureAdministrator = async (
  ports: Ports,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<{ readonly user: string; readonly created: boolean } | Refusal> => {
  const existing = await findUser(ports, username)
  if (existing) return { user: existing.id, created: false }
  const input = RegisterUser.safeParse({ username, password, name: username, roles: ['admin'] })
  if (!input.success) {
    return refuse('CREDENTIALS_INVALID', z.prettifyError(input.error))
  }
  const claim = claimOf(ports, username)
  // The same id in every process and after a crash, so that an unfinished attempt is finished.
  const user = idFrom(`administrator ${claim}`)
  const receipt = await execute(
    ports,
    registerUser,
    { ...input.data, user },
    {
      actor: { id: 'system', roles: ['system'] },
      at: ports.clock(),
      correlation: user,
    },
  )
  if (!isRefusal(receipt)) return { user, created: true }
  const other = await findUser(ports, username)
  return other ? { user: other.id, created: false } : receipt
}
