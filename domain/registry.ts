import { z } from 'zod'
import { type Decider, type Decision, type EventSchemas, refuse } from './kernel.ts'
import { Identifier } from './ledger/events.ts'
import type { Permission } from './permissions.ts'

/**
 * A plain catalogue: things with fields that are added, changed and removed, with no rules between
 * them. Its events, stream, table, queries and routes all follow from this one declaration.
 */
export type Registry = {
  /** Of one thing, as in its events: `Holiday` gives `HolidayAdded`, stream `holiday-<id>`. */
  readonly singular: string
  /** Of all: the table and the address. */
  readonly plural: string
  readonly fields: z.ZodObject
  /** The text fields that a search looks into. */
  readonly search: readonly string[]
  readonly read: Permission
  readonly write: Permission
}

export const registry = (declaration: Registry): Registry => declaration

export type Thing = { readonly id: string; readonly fields: object }
export type RegistryState = { readonly thing: Thing | null; readonly existed: boolean }
type RegistryEvent = { readonly type: string; readonly data: object }

export const eventNames = ({ singular }: Registry) => ({
  added: `${singular}Added`,
  changed: `${singular}Changed`,
  removed: `${singular}Removed`,
})

export const schemasOf = (declaration: Registry): EventSchemas => {
  const { added, changed, removed } = eventNames(declaration)
  const whole = z.object({ id: Identifier, fields: declaration.fields })
  return { [added]: whole, [changed]: whole, [removed]: z.object({ id: Identifier }) }
}

type RegistryDecide = {
  add(state: RegistryState, thing: Thing): Decision<RegistryEvent>
  change(state: RegistryState, thing: Thing): Decision<RegistryEvent>
  remove(state: RegistryState, thing: Pick<Thing, 'id'>): Decision<RegistryEvent>
}

const made = new WeakMap<Registry, Decider<RegistryState, EventSchemas, RegistryDecide>>()

const makeDecider = (
  declaration: Registry,
): Decider<RegistryState, EventSchemas, RegistryDecide> => {
  const { added, changed, removed } = eventNames(declaration)
  const gone = (id: string) =>
    refuse('RESOURCE_UNKNOWN', `There is no ${declaration.singular} ${id}.`, { id })
  return {
    category: declaration.singular.toLowerCase(),
    schemas: schemasOf(declaration),
    initial: () => ({ thing: null, existed: false }),
    evolve: {
      [added]: (_state, data) => ({ thing: data as Thing, existed: true }),
      [changed]: (_state, data) => ({ thing: data as Thing, existed: true }),
      [removed]: () => ({ thing: null, existed: true }),
    },
    decide: {
      add: ({ existed }, thing) =>
        existed
          ? refuse('RESOURCE_EXISTS', `There is a ${declaration.singular} ${thing.id} already.`)
          : [{ type: added, data: thing }],
      change: (state, thing) => (state.thing ? [{ type: changed, data: thing }] : gone(thing.id)),
      remove: (state, { id }) => (state.thing ? [{ type: removed, data: { id } }] : gone(id)),
    },
  }
}

/** The registry's decider; the same one however often it is asked for. */
export const deciderOf = (declaration: Registry) => {
  const known = made.get(declaration) ?? makeDecider(declaration)
  made.set(declaration, known)
  return known
}
