import type { z } from '@hono/zod-openapi'
import type { Command, PublicCommand, Receipt } from '../commands/kernel.ts'
import type { Permission, Reach } from '../domain/permissions.ts'
import type { Query } from '../projections/kernel.ts'
import type { ProblemCode } from './problems.ts'
import type { Identity, Services } from './services.ts'
import type { Throttled } from './throttle.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** One authenticated request, validated, on its way to a handler. */
export type Call<Input = unknown> = {
  readonly services: Services
  readonly identity: Identity
  readonly reach: Reach
  readonly at: Date
  readonly requestId: string
  readonly request: Request
  readonly input: Input
  readonly key: string | undefined
  readonly ifMatch: number | undefined
  readonly consistency: bigint | undefined
  readonly dryRun: boolean
}

/** What a handler answers with; JSON unless `stream` is there. */
export type Answer = {
  readonly status?: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly stream?: ReadableStream<Uint8Array>
  /** Values of Set-Cookie. */
  readonly cookies?: readonly string[]
}

/** A request that works when the routes' examples are run in order on an empty system. */
export type Example = {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Files beside the body's fields, all in one form. */
  readonly files?: Readonly<Record<string, { readonly name: string; readonly base64: string }>>
  readonly headers?: Readonly<Record<string, string>>
  /** Values of the answer that later examples use as `{name}`: name -> field of the answer. */
  readonly capture?: Readonly<Record<string, string>>
  /** The same of cookies that the answer sets. */
  readonly cookies?: Readonly<Record<string, string>>
  /** What it is refused with: for what an empty system cannot show otherwise. */
  readonly refused?: ProblemCode
  /** By somebody else than the examples before it, of the same roles. */
  readonly by?: 'another'
}

/** An address as data: OpenAPI, validation, permission and documentation follow from it. */
export type Route = {
  readonly method: Method
  /** OpenAPI form: `/v1/books/{book}`. A last parameter with a colon in its values is fine. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** `public`: nobody needs to log in. */
  readonly permission: Permission | 'public'
  readonly input: z.ZodType
  /** Where the fields of the input that are not in the path come from. */
  readonly source: 'query' | 'body' | 'stream'
  /** The media type of a stream, where it is not application/x-ndjson. */
  readonly consumes?: string
  /** The body may be a form too, with files in it: see `upload`. */
  readonly multipart?: boolean
  readonly status: number
  readonly response: z.ZodType
  /** The body of a 202, where it may come to that. */
  readonly accepted?: z.ZodType
  /** Other than application/json. */
  readonly contentType?: string
  readonly headers?: readonly (
    | 'Idempotency-Key'
    | 'X-Idempotency-Key'
    | 'If-Match'
    | 'Consistency-Token'
  )[]
  readonly problems?: readonly ProblemCode[]
  readonly throttles?: readonly Throttled[]
  readonly example: Example
  /** Run after the first, for what later routes' examples need. */
  readonly furtherExamples?: readonly Example[]
  readonly run: (call: Call) => Promise<Answer>
}

type Described = Pick<Route, 'tag' | 'summary' | 'example' | 'response'> &
  Partial<Pick<Route, 'description' | 'problems' | 'status' | 'furtherExamples'>>

/** Puts a command at an address. `view` makes the answer's body from the receipt. */
export const write = <Input extends z.ZodType, Values, Result>(
  method: Exclude<Method, 'get'>,
  path: string,
  command: Command<Input, Values, Result>,
  described: Described & {
    readonly view?: (answer: Result, receipt: Receipt<Result>) => unknown
    readonly location?: (answer: Result) => string
    /** Answers that say that it has begun and is not done. */
    readonly accepted?: {
      readonly response: z.ZodType
      readonly when: (answer: Result & object) => boolean
    }
  },
): Route => {
  const { view, location, accepted, ...route } = described
  return {
    ...route,
    ...(accepted && { accepted: accepted.response }),
    method,
    path,
    permission: command.permission,
    input: command.input,
    source: 'body',
    status: route.status ?? (method === 'post' ? 201 : 200),
    headers: ['Idempotency-Key', 'If-Match'],
    run: async (call) => {
      const receipt = await call.services.execute(command as Command, call)
      const answer = receipt.answer as Result
      return {
        body: view ? view(answer, receipt as Receipt<Result>) : answer,
        ...(accepted?.when(answer as Result & object) && { status: 202 }),
        ...(receipt.dryRun && { status: 200 }),
        headers: {
          ...call.services.receiptHeaders(receipt),
          ...(location && !receipt.dryRun && { Location: location(answer) }),
        },
      }
    },
  }
}

/** Puts a command that nobody needs to be known for at an address. */
export const writePublic = <Input extends z.ZodType, Result>(
  path: string,
  command: PublicCommand<Input, Result>,
  described: Described,
): Route => ({
  status: 201,
  ...described,
  method: 'post',
  path,
  permission: 'public',
  input: command.input,
  source: 'body',
  run: async (call) => {
    const receipt = await call.services.executePublic(command as PublicCommand, call)
    return { body: receipt.answer, headers: call.services.receiptHeaders(receipt) }
  },
})

/** Puts a query at an address. An answer that is not there is a 404. */
export const read = <Input extends z.ZodType, Result>(
  path: string,
  query: Query<Input, Result>,
  described: Described & {
    readonly etag?: (answer: NonNullable<Result>) => number
    readonly view?: (answer: NonNullable<Result>) => unknown
  },
): Route => {
  const { etag, view, ...route } = described
  return {
    ...route,
    method: 'get',
    path,
    permission: query.permission,
    input: query.input,
    source: 'query',
    status: 200,
    headers: ['Consistency-Token'],
    run: async (call) => {
      const answer = (await call.services.ask(query as Query, call)) as NonNullable<Result>
      const revision = etag?.(answer)
      const body = view ? view(answer) : answer
      return revision === undefined ? { body } : { body, headers: { ETag: `"${revision}"` } }
    },
  }
}
