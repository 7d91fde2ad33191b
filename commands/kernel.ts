import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { ulid } from 'ulid'
import type { z } from 'zod'
import { idFrom } from '../domain/ids.ts'
import {
  type AnyEvent,
  type Decider,
  type Decision,
  type Decoded,
  type Refusal,
  isRefusal,
  refuse,
} from '../domain/kernel.ts'
import type { EventStore, Metadata, Position } from '../domain/log.ts'
import { type Permission, type Reach, type Role, reachOf } from '../domain/permissions.ts'
import type { RefusalCode } from '../domain/refusals.ts'
import type { Engine } from './engine.ts'

export type Actor = { readonly id: string; readonly roles: readonly Role[] }

/** What commands need of the world; `infra` supplies it. */
export type Ports = {
  readonly store: EventStore
  readonly engine: Engine
  readonly clock: () => Date
  readonly secrets: Secrets
  readonly index: EntryIndex
}

export type Secrets = {
  hashPassword(password: string): Promise<string>
  verifyPassword(hash: string, password: string): Promise<boolean>
  /** A name that gives nothing away, under which a unique value can be claimed. */
  claim(kind: string, value: string): string
  signAccess(claims: AccessClaims): Promise<string>
  randomToken(): string
  digest(token: string): string
}

export type AccessClaims = {
  readonly user: string
  readonly session: string
  readonly roles: readonly Role[]
  readonly audience: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

export type EntryIndex = {
  /** The book's revision that holds the entry; undefined when there is no such entry. */
  locate(book: string, entry: string): Promise<number | undefined>
}

/** A request as it stands outside its body. */
export type Context = {
  readonly actor: Actor
  readonly at: Date
  readonly correlation: string
  readonly traceparent?: string | undefined
  readonly key?: string | undefined
  readonly ifMatch?: number | undefined
  readonly dryRun?: boolean | undefined
}

/** What `enrich` gets beside the input. */
export type Enrichment = {
  readonly context: Context
  readonly reach: Reach
  readonly ports: Ports
  /** ISO time of the request. */
  readonly at: string
  /** The id of what this request creates: the same when the request is repeated with its key. */
  readonly newId: (part?: string) => string
}

/** A declared command: who may, on which stream, and how the input becomes a decision. */
export type Command<Input extends z.ZodType = z.ZodType, Values = unknown, Answer = unknown> = {
  readonly name: string
  readonly permission: Permission
  readonly input: Input
  readonly decider: Decider
  /** The stream's id within the decider's category. */
  readonly stream: (input: z.infer<Input>, enrichment: Enrichment) => string
  readonly on: 'new' | 'existing' | 'any'
  readonly otherwise: RefusalCode
  /** `values`: If-Match is judged by the decider, not by the stream's revision. */
  readonly ifMatch: 'stream' | 'values'
  readonly enrich: (
    input: z.infer<Input>,
    enrichment: Enrichment,
  ) => Values | Refusal | Promise<Values | Refusal>
  readonly decide: (state: never, values: Values) => Decision<AnyEvent>
  readonly answer: (events: readonly Decoded[], input: z.infer<Input>) => Answer
}

/** Declares a command; the type parameters are inferred. */
export const command = <Input extends z.ZodType, Values, Answer>(
  declaration: Command<Input, Values, Answer>,
): Command<Input, Values, Answer> => declaration

export type Receipt<Answer> = {
  readonly answer: Answer
  readonly revision: number
  readonly position: Position | undefined
  readonly replayed: boolean
  readonly dryRun: boolean
}

const digestOf = (name: string, input: unknown): string =>
  createHash('sha256').update(`${name} ${canonicalize(input)}`).digest('base64url')

const requestId = (context: Context): string =>
  context.key === undefined ? ulid() : `${context.actor.id} ${context.key}`

const metadataOf = (
  command: Pick<Command, 'name'>,
  input: unknown,
  context: Context,
  id: string,
): Metadata => ({
  command: id,
  correlation: context.correlation,
  causation: command.name,
  actor: context.actor.id,
  schema: '1',
  ...(context.key !== undefined && { digest: digestOf(command.name, input) }),
  ...(context.traceparent !== undefined && { traceparent: context.traceparent }),
})

const idsFor = (id: string, context: Context) => {
  const stable = context.key !== undefined
  return (part = ''): string => (stable ? idFrom(`${id} ${part}`) : ulid(context.at.getTime()))
}

/**
 * Authorises, enriches, decides, appends. The input must have passed the command's schema.
 * Answers a receipt once the events are durable, or a refusal.
 */
export const execute = async <Input extends z.ZodType, Values, Answer>(
  ports: Ports,
  command: Command<Input, Values, Answer>,
  input: z.infer<Input>,
  context: Context,
): Promise<Receipt<Answer> | Refusal> => {
  const reach = reachOf(context.actor.roles, command.permission)
  if (!reach) return refuse('NOT_PERMITTED', `This needs the permission ${command.permission}.`)
  const id = requestId(context)
  const newId = idsFor(id, context)
  const enrichment = { context, reach, ports, at: context.at.toISOString(), newId }
  const values = await command.enrich(input, enrichment)
  if (isRefusal(values)) return values
  const decide = command.decide as (state: unknown, values: Values) => Decision<AnyEvent>
  const stream = `${command.decider.category}-${command.stream(input, enrichment)}`
  const outcome = await ports.engine.submit(command.decider, stream, {
    decide: (state) => decide(state, values),
    expect: command.on,
    otherwise: command.otherwise,
    revision: command.ifMatch === 'stream' ? context.ifMatch : undefined,
    metadata: metadataOf(command, input, context, id),
    at: context.at,
    dryRun: context.dryRun ?? false,
  })
  if (isRefusal(outcome)) return outcome
  return {
    answer: command.answer(outcome.events, input),
    revision: outcome.revision,
    position: outcome.position,
    replayed: outcome.replayed,
    dryRun: context.dryRun ?? false,
  }
}
