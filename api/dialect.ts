import type { z } from '@hono/zod-openapi'
import type { Problem } from './problems.ts'
import type { Identity, Services } from './services.ts'
import type { Scoped } from './throttle.ts'

/** A problem in a contract's own words. */
export type Fault = {
  readonly status: number
  readonly body: unknown
  /** What the contract calls it, for its OpenAPI document. */
  readonly code: string
}

/** Where a request failed, for those who write it into the answer. */
export type Failed = { readonly path: string; readonly requestId: string }

/**
 * How one product speaks over HTTP. What it says lies in its routes; what it says when something
 * goes wrong, and to whom it speaks at all, lies here, once for all of its addresses.
 */
export type Dialect = {
  /** Its document is `/openapi/<name>.json`. */
  readonly name: string
  readonly title: string
  readonly version: string
  readonly description: string
  /** The addresses that are its own, with or without a route: the longest that fits wins. */
  readonly prefixes: readonly string[]
  readonly errorType: string
  readonly error: z.ZodType
  readonly fault: (problem: Problem, failed: Failed) => Fault
  /** Throws a problem when nobody is recognised. */
  readonly identify: (headers: Headers, services: Services, at: Date) => Promise<Identity>
  /** Throws a problem for what nobody is to ask at all, known or not. */
  readonly guard?: (request: Request) => void
  /** Of all its routes together: for each address of who is not known, for each who is. */
  readonly limits?: { readonly unknown: Scoped; readonly known: Scoped }
  readonly security: { readonly name: string; readonly scheme: object }
  /** Headers of every answer, beside `X-Request-Id`. */
  readonly headers?: (requestId: string, status: number) => Readonly<Record<string, string>>
  /** The header in which a client may name its request, besides `X-Request-Id`. */
  readonly requestIdHeader?: string
  /** The header of idempotency keys, where it is not `Idempotency-Key`. */
  readonly idempotencyHeader?: string
  /** Fields that a schema does not name. */
  readonly unknownFields: 'refused' | 'ignored'
  /**
   * Reads show at least what the client names by a token, or all that this process has written:
   * for clients who know of no tokens.
   */
  readonly freshness: 'by token' | 'all written here'
}

/** True for the address itself and what lies under it. */
const owns = (prefix: string, path: string): boolean =>
  prefix === '/' || path === prefix || path.startsWith(`${prefix}/`)

/** Whose address it is: the dialect with the longest prefix. One of them must own `/`. */
export const dialectOf = (dialects: readonly Dialect[], path: string): Dialect => {
  let found: { readonly dialect: Dialect; readonly length: number } | undefined
  for (const dialect of dialects) {
    for (const prefix of dialect.prefixes) {
      const length = prefix.length
      if (owns(prefix, path) && length > (found?.length ?? 0)) found = { dialect, length }
    }
  }
  if (!found) throw new Error(`no dialect owns ${path}`)
  return found.dialect
}
