import { parse, serialize } from 'hono/utils/cookie'
import type { Tokens } from '../../commands/sessions.ts'
import { ProblemError, problem } from '../problems.ts'
import type { Call } from '../route.ts'

const ACCESS = 'access'
const REFRESH = 'refresh'
/** Where the refresh token is of use; it goes nowhere else. */
const REFRESH_PATH = '/api/users/auth'

const cookieOf = (headers: Headers, name: string): string | undefined => {
  const cookies = headers.get('cookie')
  return cookies === null ? undefined : parse(cookies, name)[name]
}

/** The Authorization header, or what stands for it: an access token in a cookie. */
export const authorizationOf = (headers: Headers): string | undefined => {
  const header = headers.get('authorization')
  if (header !== null) return header
  const access = cookieOf(headers, ACCESS)
  return access === undefined ? undefined : `Bearer ${access}`
}

export const refreshTokenOf = (
  { request }: Pick<Call, 'request'>,
  inBody: string | undefined,
): string | undefined => inBody ?? cookieOf(request.headers, REFRESH)

/** A proxy that ends TLS says so; who lies about it has cookies that he never gets back. */
const isSecure = ({ request, services }: Call): boolean =>
  services.secureCookies ||
  request.url.startsWith('https:') ||
  request.headers.get('x-forwarded-proto') === 'https'

const optionsOf = (call: Call) =>
  ({ httpOnly: true, sameSite: 'Lax', secure: isSecure(call) }) as const

/** Cookies that bring a browser the tokens, where no script can read them. */
export const tokenCookies = (call: Call, tokens: Tokens): readonly string[] => {
  const options = optionsOf(call)
  const left_ms = Date.parse(tokens.refresh_expires_at) - call.at.getTime()
  return [
    serialize(ACCESS, tokens.access_token, { ...options, path: '/', maxAge: tokens.expires_in }),
    serialize(REFRESH, tokens.refresh_token, {
      ...options,
      path: REFRESH_PATH,
      maxAge: Math.max(0, Math.floor(left_ms / 1000)),
    }),
  ]
}

export const clearedCookies = (call: Call): readonly string[] => {
  const options = { ...optionsOf(call), maxAge: 0 }
  return [
    serialize(ACCESS, '', { ...options, path: '/' }),
    serialize(REFRESH, '', { ...options, path: REFRESH_PATH }),
  ]
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

const hostOf = (address: string): string | undefined =>
  URL.canParse(address) ? new URL(address).host : undefined

/**
 * Cross-site request forgery: browsers send cookies along with what another site makes them ask.
 * They say themselves where a request began, in a header that no script can set (Fetch Metadata),
 * or, the oldest, at least the page's origin; who says neither is no browser, and brings cookies of
 * its own will. So there is no token to keep, and clients that know of none go on to work. What
 * changes nothing may be asked from anywhere, and nobody is made to send an Authorization header.
 * Log-in is covered too, lest somebody be logged in as somebody else.
 */
export const refuseForgery = ({ method, headers, url }: Request): void => {
  if (SAFE.has(method) || headers.has('authorization')) return
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  const isOurs =
    site === null
      ? origin === null || hostOf(origin) === hostOf(url)
      : site === 'same-origin' || site === 'none'
  if (isOurs) return
  throw new ProblemError(problem('CROSS_SITE', 'CSRF Failed: another site made this request.'))
}
