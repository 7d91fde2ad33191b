import type { z } from '@hono/zod-openapi'
import type { Command, PublicCommand, Receipt } from '../commands/kernel.ts'
import type { Query } from '../projections/kernel.ts'
import type { Dialect } from './dialect.ts'
import type { Call, Method, Route } from './route.ts'

/** Another product's API, or our own: a way of speaking, and what there is to say. */
export type Contract = { readonly dialect: Dialect; readonly routes: readonly Route[] }

/** Runs a shared command with what the contract's request comes to. */
export const tell = async <Input extends z.ZodType, Values, Answer>(
  call: Call,
  command: Command<Input, Values, Answer>,
  input: z.input<Input>,
): Promise<Receipt<Answer>> => {
  const parsed = command.input.parse(input)
  const receipt = await call.services.execute(command as Command, { ...call, input: parsed })
  return receipt as Receipt<Answer>
}

/** Asks a shared query for what the contract's request comes to. Nothing found is a problem. */
export const ask = async <Input extends z.ZodType, Answer>(
  call: Call,
  query: Query<Input, Answer>,
  input: z.input<Input>,
): Promise<NonNullable<Answer>> => {
  const parsed = query.input.parse(input)
  const answer = await call.services.ask(query as Query, { ...call, input: parsed })
  return answer as NonNullable<Answer>
}

type Described = Pick<Route, 'tag' | 'summary' | 'example' | 'response'> &
  Partial<Pick<Route, 'description' | 'problems' | 'status' | 'furtherExamples' | 'headers'>>

/** A route of a contract: what it takes, and the function that answers from shared parts. */
export const route = <Body extends z.ZodType>(
  method: Method,
  path: string,
  permission: Route['permission'],
  described: Described & {
    readonly input: Body
    readonly contentType?: string
    readonly multipart?: true
    readonly throttles?: NonNullable<Route['throttles']>
    readonly run: (call: Call<z.infer<Body>>) => ReturnType<Route['run']>
  },
): Route => ({
  status: 200,
  ...described,
  method,
  path,
  permission,
  source: method === 'get' ? 'query' : 'body',
  run: described.run as Route['run'],
})

/** Runs a command that nobody needs to be known for. */
export const tellPublic = async <Input extends z.ZodType, Answer>(
  call: Call,
  command: PublicCommand<Input, Answer>,
  input: z.input<Input>,
): Promise<Receipt<Answer>> => {
  const parsed = command.input.parse(input)
  const receipt = await call.services.executePublic(command as PublicCommand, {
    ...call,
    input: parsed,
  })
  return receipt as Receipt<Answer>
}
