import { isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { LOCK, lockOf, Username, type UsernameState } from '../domain/usernames.ts'
import { User, type UserState } from '../domain/users.ts'
import { type Context, submitStep } from './kernel.ts'
import { type Looking, lookAt } from './look.ts'
import type { Ports } from './ports.ts'

/** Names differ neither by case nor by the ways of writing the same letter. */
export const claimOf = ({ secrets }: Pick<Ports, 'secrets'>, username: string): string =>
  secrets.claim('username', username.normalize('NFKC').toLowerCase())

export type FoundUser = {
  readonly id: string
  readonly revision: number
  readonly state: UserState
}

export const lookAtUser = async ({ engine }: Ports, id: string): Promise<FoundUser | undefined> => {
  const { state, revision } = await engine.look(User, `${User.category}-${id}`)
  return revision < 0 ? undefined : { id, revision, state: state as UserState }
}

const lookAtName = (ports: Looking, claim: string): Promise<UsernameState> =>
  lookAt(ports, Username, claim)

/**
 * Who holds a name. A holder who was registered under other names has none of this one. A name
 * that nobody holds costs as many looks as one that somebody does.
 */
const holderOf = async (
  ports: Ports,
  claim: string,
  { user }: UsernameState,
): Promise<FoundUser | undefined> => {
  const found = await lookAtUser(ports, user ?? claim)
  const { usernameClaim, emailClaim } = found?.state ?? {}
  return usernameClaim === claim || emailClaim === claim ? found : undefined
}

/** The user of this name, by the log and not by a read model. */
export const findUser = async (ports: Ports, username: string): Promise<FoundUser | undefined> => {
  const claim = claimOf(ports, username)
  return holderOf(ports, claim, await lookAtName(ports, claim))
}

const claimName = async (ports: Ports, claim: string, user: string, context: Context) => {
  const state = await lookAtName(ports, claim)
  const held = state.user !== null && (await holderOf(ports, claim, state)) !== undefined
  return submitStep(
    ports,
    {
      name: 'users.claim_name',
      decider: Username,
      stream: claim,
      on: 'any',
      otherwise: 'USERNAME_TAKEN',
      decide: (now: UsernameState) =>
        Username.decide.claim(now, {
          user,
          abandoned: held ? null : state.user,
          at: context.at.toISOString(),
        }),
    },
    context,
  )
}

const taken = (field: 'username' | 'email'): Refusal =>
  field === 'email'
    ? refuse('EMAIL_TAKEN', 'Somebody has this address already.', { field })
    : refuse('USERNAME_TAKEN', 'Somebody else has this username.', { field })

/**
 * Claims what somebody signs in with for a user; without one, only says what the claims are. A name
 * that is taken is found before any is claimed, or the others would wait for nobody for a minute.
 */
export const claimNames = async (
  ports: Ports,
  user: string | undefined,
  { username, email }: { readonly username: string; readonly email?: string | undefined },
  context: Context,
) => {
  const username_claim = claimOf(ports, username)
  const email_claim = email === undefined ? undefined : claimOf(ports, email)
  const claims = { username_claim, ...(email_claim !== undefined && { email_claim }) }
  if (user === undefined) return claims
  const wanted = [
    ...(email_claim === undefined ? [] : [['email', email_claim] as const]),
    ['username', username_claim] as const,
  ]
  for (const [field, claim] of wanted) {
    const holder = await holderOf(ports, claim, await lookAtName(ports, claim))
    if (holder && holder.id !== user) return taken(field)
  }
  for (const [field, claim] of wanted) {
    const claimed = await claimName(ports, claim, user, context)
    if (isRefusal(claimed)) return claimed.refused === 'USERNAME_TAKEN' ? taken(field) : claimed
  }
  return claims
}

/**
 * Compares a password and counts the wrong ones, which lock the name in the end. A name that
 * nobody holds takes as long, writes as much and is locked alike.
 */
export const provePassword = async (
  ports: Ports,
  claim: string,
  given: string,
  context: Context,
  lock = LOCK,
): Promise<FoundUser | Refusal> => {
  const at = context.at.toISOString()
  const name = await lookAtName(ports, claim)
  const locked = lockOf(name, at, lock)
  if (locked) return locked
  const found = await holderOf(ports, claim, name)
  const correct = await ports.secrets.verifyPassword(found?.state.passwordHash, given)
  const judged = await submitStep(
    ports,
    {
      name: 'users.prove_password',
      decider: Username,
      stream: claim,
      on: 'any',
      otherwise: 'CREDENTIALS_INVALID',
      decide: (now: UsernameState) => Username.decide.judge(now, { correct, at, lock }),
    },
    context,
  )
  if (isRefusal(judged)) return judged
  if (found && correct) return found
  const nowLocked = lock.isToldAtOnce ? lockOf(await lookAtName(ports, claim), at, lock) : undefined
  if (nowLocked) return nowLocked
  return refuse('CREDENTIALS_INVALID', 'Username or password is wrong.')
}
