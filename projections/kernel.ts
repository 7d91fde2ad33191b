import type { z } from 'zod'
import { type Decoded, decode, type EventSchemas, PoisonedEvent } from '../domain/kernel.ts'
import type { Recorded } from '../domain/log.ts'
import type { Permission, Reach } from '../domain/permissions.ts'
import type { Vault } from '../domain/vault.ts'
import { type Changes, createWriter, type Writer } from './rows.ts'
import type { Database, Table } from './table.ts'

export type Handler = (event: Decoded, rows: Writer) => void

/**
 * A read model: the events it listens to become rows of its tables. Raise the version whenever
 * handlers or tables change: the next start then builds it anew beside the old one.
 */
export type Projection = {
  readonly name: string
  readonly version: number
  readonly tables: readonly Table[]
  readonly schemas: EventSchemas
  readonly on: Readonly<Record<string, Handler>>
  /** Sees every event whatever its type, before its schema is applied. */
  readonly every?: (event: Recorded, rows: Writer) => void
}

type Handlers<Schemas extends EventSchemas> = {
  readonly [Type in keyof Schemas & string]?: (
    event: Decoded<{ type: Type; data: z.infer<Schemas[Type]> }>,
    rows: Writer,
  ) => void
}

/** Declares a projection over some modules' events; handlers are typed by their schemas. */
export const projection = <Schemas extends EventSchemas>(
  declaration: Omit<Projection, 'on' | 'schemas'> & {
    readonly schemas: Schemas
    readonly on: Handlers<Schemas>
  },
): Projection => declaration as unknown as Projection

/** What became of a batch of events; `poison` is the event that could not be handled, if any. */
export type Projected = {
  readonly changes: Changes
  readonly handled: number
  readonly poison?: { readonly event: Recorded; readonly error: Error }
}

const decoded = new WeakMap<Recorded, Decoded>()

/** Several projections handle the same event; its schema is applied once. */
const decodeOnce = (schemas: EventSchemas, event: Recorded): Decoded => {
  const known = decoded.get(event)
  if (known) return known
  const fresh = decode(schemas, event)
  decoded.set(event, fresh)
  return fresh
}

const handle = ({ schemas, on, every }: Projection, event: Recorded, changes: Changes): void => {
  const handler = on[event.type]
  if (!handler && !every) return
  const rows = createWriter(changes, event.position.commit.toString())
  every?.(event, rows)
  if (handler) handler(decodeOnce(schemas, event), rows)
}

/** Turns events into row changes. Pure; a poisoned event ends it without half of its effects. */
export const project = (projection: Projection, events: readonly Recorded[]): Projected => {
  const changes: Changes = new Map()
  for (const [index, event] of events.entries()) {
    try {
      handle(projection, event, changes)
    } catch (cause) {
      const error = cause instanceof Error ? cause : new PoisonedEvent(event, String(cause))
      const before = index > 0 ? project(projection, events.slice(0, index)).changes : new Map()
      return { changes: before, handled: index, poison: { event, error } }
    }
  }
  return { changes, handled: events.length }
}

/** A declared question to the read models. */
export type Query<Input extends z.ZodType = z.ZodType, Answer = unknown> = {
  readonly name: string
  readonly permission: Permission
  readonly input: Input
  /** The projections that must have seen a write before this query can show it. */
  readonly reads: readonly string[]
  /** Rows hold personal data sealed; the vault opens it for the answer. */
  readonly run: (
    sql: Database,
    input: z.infer<Input>,
    asker: Asker,
    vault: Vault,
  ) => Promise<Answer>
}

/** Who asks, and when: only what `id` reaches may be shown. */
export type Asker = { readonly id: string; readonly reach: Reach; readonly at: Date }

export const query = <Input extends z.ZodType, Answer>(
  declaration: Query<Input, Answer>,
): Query<Input, Answer> => declaration
