import canonicalize from 'canonicalize'
import type { z } from 'zod'
import { idFrom } from '../domain/ids.ts'
import {
  type AnyEvent,
  type Decider,
  type Decision,
  type Decoded,
  isRefusal,
  type Refusal,
  refuse,
} from '../domain/kernel.ts'
import type { Metadata, Position } from '../domain/log.ts'
import { type Permission, type Reach, reachOf } from '../domain/permissions.ts'
import type { RefusalCode } from '../domain/refusals.ts'
import type { Outcome } from './engine.ts'
import { newUlid } from './ids.ts'
import type { Actor, Ports } from './ports.ts'
import type { SequenceId } from './sequences.ts'

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
  /**
   * The id of what this request creates, or of a part of it: the same whenever it is asked for, and
   * also when the request is repeated with its key.
   */
  readonly newId: (part?: string) => string
  /**
   * Whether the request was made before under its key: what it was answered then stands, whatever
   * is decided now. For what must not be done twice, as counting a wrong PIN.
   */
  readonly isRepeated: () => Promise<boolean>
}

/** What is known before anything was looked up. */
type Asking = Omit<Enrichment, 'isRepeated'>

/** The next number of a sequence. A dry run takes none: what it answers is only an example. */
export const takeNumber = async (
  { ports, context }: Pick<Enrichment, 'ports' | 'context'>,
  sequence: SequenceId,
): Promise<number> => (context.dryRun ? 1 : ports.numbers.next(sequence))

/** A declared command: who may, on which stream, and how the input becomes a decision. */
export type Command<Input extends z.ZodType = z.ZodType, Values = unknown, Answer = unknown> = {
  readonly name: string
  readonly permission: Permission
  readonly input: Input
  readonly decider: Decider
  /** The stream's id within the decider's category. */
  readonly stream: (input: z.infer<Input>, asking: Asking) => string
  readonly on: 'new' | 'existing' | 'any'
  readonly otherwise: RefusalCode
  /** `values`: If-Match is judged by the decider, not by the stream's revision. */
  readonly ifMatch: 'stream' | 'values'
  readonly enrich: (
    input: z.infer<Input>,
    enrichment: Enrichment,
  ) => Values | Refusal | Promise<Values | Refusal>
  readonly decide: (state: never, values: Values) => Decision<AnyEvent>
  /** A refusal, where what was decided and recorded is a no. */
  readonly answer: (
    events: readonly Decoded[],
    input: z.infer<Input>,
    values: Values,
  ) => Answer | Refusal
  /** What must follow once it is durable; a repetition of the request does it again. */
  readonly after?: (input: z.infer<Input>, enrichment: Enrichment) => Promise<void>
}

/** Declares a command; the type parameters are inferred. */
export const command = <Input extends z.ZodType, Values, Answer>(
  declaration: Command<Input, Values, Answer>,
): Command<Input, Values, Answer> => declaration

/**
 * Declares commands to streams of one kind that exist, which the input names in a field:
 * `onExisting({ decider: User, field: 'user', otherwise: 'USER_NOT_FOUND' })`.
 */
export const onExisting =
  <Field extends string>({
    decider,
    field,
    otherwise,
    ifMatch = 'stream',
  }: Pick<Command, 'decider' | 'otherwise'> &
    Partial<Pick<Command, 'ifMatch'>> & { readonly field: Field }) =>
  <Input extends z.ZodType<Record<Field, string>>, Values, Answer>(
    declaration: Omit<
      Command<Input, Values, Answer>,
      'decider' | 'stream' | 'on' | 'otherwise' | 'ifMatch'
    >,
  ): Command<Input, Values, Answer> =>
    command({
      ...declaration,
      ...{ decider, otherwise, ifMatch, on: 'existing' },
      stream: (input) => input[field],
    })

export type Receipt<Answer> = {
  readonly answer: Answer
  readonly revision: number
  readonly position: Position | undefined
  readonly replayed: boolean
  readonly dryRun: boolean
}

/** Keyed, because an input may hold a password, which a plain digest would let anybody guess. */
const digestOf = ({ secrets }: Ports, name: string, input: unknown): string =>
  secrets.claim('request', `${name} ${canonicalize(input)}`)

const requestId = (context: Context): string =>
  context.key === undefined ? newUlid() : `${context.actor.id} ${context.key}`

const metadataOf = (name: string, context: Context, id: string): Metadata => ({
  command: id,
  correlation: context.correlation,
  causation: name,
  actor: context.actor.id,
  schema: '1',
  ...(context.traceparent !== undefined && { traceparent: context.traceparent }),
})

const idsFor = (id: string, context: Context): Enrichment['newId'] => {
  if (context.key !== undefined) return (part = '') => idFrom(`${id} ${part}`)
  const made = new Map<string, string>()
  return (part = '') => {
    const known = made.get(part)
    if (known !== undefined) return known
    const fresh = newUlid(context.at.getTime())
    made.set(part, fresh)
    return fresh
  }
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
  const asking = { context, reach, ports, at: context.at.toISOString(), newId }
  const stream = `${command.decider.category}-${command.stream(input, asking)}`
  const attempt = {
    otherwise: command.otherwise,
    metadata: {
      ...metadataOf(command.name, context, id),
      ...(context.key !== undefined && { digest: digestOf(ports, command.name, input) }),
    },
    at: context.at,
    dryRun: context.dryRun ?? false,
  }
  const isRepeated = async (): Promise<boolean> => {
    if (context.key === undefined) return false
    const asked = { ...attempt, decide: () => [], expect: 'any', revision: undefined } as const
    const found = await ports.engine.submit(command.decider, stream, asked)
    return !isRefusal(found) && found.replayed
  }
  const enrichment = { ...asking, isRepeated }
  const values = await command.enrich(input, enrichment)
  if (isRefusal(values)) return values
  const decide = command.decide as (state: unknown, values: Values) => Decision<AnyEvent>
  const outcome = await ports.engine.submit(command.decider, stream, {
    ...attempt,
    decide: (state) => decide(state, values),
    expect: command.on,
    revision: command.ifMatch === 'stream' ? context.ifMatch : undefined,
  })
  if (isRefusal(outcome)) return outcome
  if (command.after && !context.dryRun) await command.after(input, enrichment)
  const answer = command.answer(outcome.events, input, values)
  if (isRefusal(answer)) return answer
  return {
    answer,
    revision: outcome.revision,
    position: outcome.position,
    replayed: outcome.replayed,
    dryRun: context.dryRun ?? false,
  }
}

/**
 * One decision that is part of a larger request. The request's idempotency key is left to its main
 * decision: this one must say for itself what a repetition comes to.
 */
export type Step = {
  readonly name: string
  readonly decider: Decider
  /** The stream's id within the decider's category. */
  readonly stream: string
  readonly on: Command['on']
  readonly otherwise: RefusalCode
  readonly decide: (state: never) => Decision<AnyEvent>
}

/** What a step needs of the world. */
export type Stepping = { readonly engine: Pick<Ports['engine'], 'submit'> }

export const submitStep = (
  { engine }: Stepping,
  step: Step,
  context: Context,
): Promise<Outcome | Refusal> =>
  engine.submit(step.decider, `${step.decider.category}-${step.stream}`, {
    decide: step.decide as (state: unknown) => Decision<AnyEvent>,
    expect: step.on,
    otherwise: step.otherwise,
    revision: undefined,
    metadata: metadataOf(step.name, context, newUlid()),
    at: context.at,
    dryRun: context.dryRun ?? false,
  })

/** The receipt of a request whose steps were decided one by one. */
export const receiptOf = <Answer>(
  { revision, position }: Outcome,
  answer: Answer,
): Receipt<Answer> => ({ answer, revision, position, replayed: false, dryRun: false })

/**
 * A declared request that anybody may make, signed in or not, and that takes several decisions:
 * its own function makes them. It knows no idempotency key and no dry run.
 */
export type PublicCommand<Input extends z.ZodType = z.ZodType, Answer = unknown> = {
  readonly name: string
  readonly permission: 'public'
  readonly input: Input
  readonly run: (
    ports: Ports,
    input: z.infer<Input>,
    context: Context,
  ) => Promise<Receipt<Answer> | Refusal>
}

/** Declares a public command; the type parameters are inferred. */
export const publicCommand = <Input extends z.ZodType, Answer>(
  declaration: PublicCommand<Input, Answer>,
): PublicCommand<Input, Answer> => declaration
