/** How the users of each contract log in, for `as` and `{{access.<ref>}}`. */
import { z } from 'zod'
import { excerpt } from './json_path.ts'
import { ask } from './request.ts'
import type { Contract, Scenario } from './scenario.ts'

export type LoggedIn = {
  /** What `{{access.<ref>}}` stands for. */
  readonly access: string
  /** What a request of this user carries. */
  readonly headers: Readonly<Record<string, string>>
}

export type User = Readonly<Record<string, unknown>>
export type LogIn = (baseUrl: string, user: User) => Promise<LoggedIn>
export type LogIns = Readonly<Partial<Record<Contract, LogIn>>>

const ChurnTokens = z.object({ access: z.string() })

const logInToChurn: LogIn = async (baseUrl, { username, password }) => {
  const { status, json, text } = await ask({ baseUrl }, `${baseUrl}/api/auth/login/`, {
    method: 'POST',
    body: JSON.stringify({ username, password }),
    headers: { 'Content-Type': 'application/json' },
  })
  const tokens = ChurnTokens.safeParse(json)
  if (status !== 200 || !tokens.success) {
    throw new Error(`${username} cannot log in: status ${status}: ${excerpt(text)}`)
  }
  const { access } = tokens.data
  return { access, headers: { Authorization: `Bearer ${access}` } }
}

/** The product gives out tokens in cookies only; as a bearer one is as good. */
const logInToCoastal: LogIn = async (baseUrl, { email, password }) => {
  const { status, headers, text } = await ask({ baseUrl }, `${baseUrl}/api/users/auth/login/`, {
    method: 'POST',
    body: JSON.stringify({ email, password }),
    headers: { 'Content-Type': 'application/json' },
  })
  const [access] = headers.getSetCookie().flatMap((cookie) => {
    const token = /^access=([^;]+)/.exec(cookie)?.[1]
    return token === undefined ? [] : [token]
  })
  if (status !== 200 || access === undefined) {
    throw new Error(`${email} cannot log in: status ${status}: ${excerpt(text)}`)
  }
  return { access, headers: { Authorization: `Bearer ${access}` } }
}

/** Each contract brings its own as soon as it is served; the machines of atm log in by steps. */
export const logIns: LogIns = { churn: logInToChurn, coastal: logInToCoastal }

const userOf = ({ given }: Scenario, ref: string): User => {
  const users = Array.isArray(given?.users) ? given.users : []
  const user = users.find((one) => one?.ref === ref)
  if (user) return user
  throw new Error(`${ref} is none of the given users`)
}

/** Logs in the user whom a scenario calls `ref`. */
export const logIn = async (
  baseUrl: string,
  contract: Contract,
  scenario: Scenario,
  ref: string,
  doors: LogIns,
): Promise<LoggedIn> => {
  const door = doors[contract]
  if (!door) throw new Error(`${ref} cannot log in: there is no log-in for ${contract} yet`)
  return door(baseUrl, userOf(scenario, ref))
}
