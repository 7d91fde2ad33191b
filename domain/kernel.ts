import { z } from 'zod'
import type { Recorded } from './log.ts'
import type { RefusalCode } from './refusals.ts'

/** Event type name -> schema of its data. The names and shapes are wire contracts. */
export type EventSchemas = Readonly<Record<string, z.ZodType<object>>>

/** The union of `{ type, data }` that a table of schemas describes. */
export type EventOf<Schemas extends EventSchemas> = {
  [Type in keyof Schemas & string]: { readonly type: Type; readonly data: z.infer<Schemas[Type]> }
}[keyof Schemas & string]

export type AnyEvent = { readonly type: string; readonly data: object }

/** A business refusal: a value with a code, never an exception. */
export type Refusal = {
  readonly refused: RefusalCode
  readonly detail: string
  /** What a client needs to react: the figures behind the refusal, the offending field. */
  readonly facts?: Readonly<Record<string, string | number | boolean | null>>
}

export const refuse = (refused: RefusalCode, detail: string, facts?: Refusal['facts']): Refusal =>
  facts ? { refused, detail, facts } : { refused, detail }

export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && 'refused' in value

/** What a decision comes to: the events that now happen (none: nothing to do), or a refusal. */
export type Decision<Event extends AnyEvent> = readonly Event[] | Refusal

/**
 * One kind of stream: which events it holds, how they fold into state, and what may happen next.
 * After Chassaing's Decider. `evolve` may change the state in place when the decider offers
 * `savepoint`; otherwise it returns a new one.
 */
// biome-ignore lint/suspicious/noExplicitAny: each decider narrows its own commands
export type Decider<State = any, Schemas extends EventSchemas = any, Decide = any> = {
  readonly category: string
  readonly schemas: Schemas
  readonly initial: () => State
  readonly evolve: {
    readonly [Type in keyof Schemas & string]: (
      state: State,
      data: z.infer<Schemas[Type]>,
      revision: number,
    ) => State
  }
  readonly decide: Decide
  /** For states changed in place: returns the way back to the present state. */
  readonly savepoint?: (state: State) => {
    readonly rollback: () => void
    readonly keep: () => void
  }
  /** For states kept as snapshots. A new version makes older snapshots void. */
  readonly snapshot?: {
    readonly version: number
    readonly save: (state: State) => unknown
    readonly load: (saved: unknown) => State
  }
}

type DecideTable<State, Event extends AnyEvent> = Readonly<
  // biome-ignore lint/suspicious/noExplicitAny: commands differ by name
  Record<string, (state: State, command: any) => Decision<Event>>
>

/** Declares a decider; the type parameters are all inferred. */
export const decider = <
  State,
  Schemas extends EventSchemas,
  Decide extends DecideTable<State, EventOf<Schemas>>,
>(
  declaration: Decider<State, Schemas, Decide>,
): Decider<State, Schemas, Decide> => declaration

/** Folds one event. Throws on an event type the decider does not know: that is a bug. */
export const fold = <State>(
  decider: Decider<State>,
  state: State,
  event: AnyEvent,
  revision: number,
): State => {
  const evolve = decider.evolve[event.type]
  if (!evolve) throw new Error(`${decider.category} does not know the event ${event.type}`)
  return evolve(state, event.data, revision)
}

/** An event whose data has passed its schema. */
export type Decoded<Event extends AnyEvent = AnyEvent> = Omit<Recorded, 'type' | 'data'> & Event

export class PoisonedEvent extends Error {
  readonly event: Recorded
  constructor(event: Recorded, reason: string) {
    super(`event ${event.type} at ${event.stream}@${event.revision} cannot be read: ${reason}`)
    this.name = 'PoisonedEvent'
    this.event = event
  }
}

/** Applies an event's schema to what was read. Throws PoisonedEvent. */
export const decode = (schemas: EventSchemas, event: Recorded): Decoded => {
  const schema = schemas[event.type]
  if (!schema) throw new PoisonedEvent(event, 'its type is unknown')
  const parsed = schema.safeParse(event.data)
  if (!parsed.success) throw new PoisonedEvent(event, z.prettifyError(parsed.error))
  return { ...event, data: parsed.data }
}
