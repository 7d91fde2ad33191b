import { z } from 'zod'
import { Identifier } from '../domain/ledger/events.ts'
import { deciderOf, type Registry } from '../domain/registry.ts'
import { type Command, command } from './kernel.ts'

/** The three commands of a registry. Changing replaces all fields. */
export const registryCommands = (declaration: Registry) => {
  const { plural, fields, write: permission } = declaration
  const decider = deciderOf(declaration)
  const common = { permission, decider, ifMatch: 'stream' } as const
  const existing = {
    ...common,
    stream: ({ id }: { id: string }) => id,
    on: 'existing',
    otherwise: 'RESOURCE_UNKNOWN',
  } as const
  const withId = z.strictObject({ id: Identifier, ...fields.shape })

  const add = command({
    ...common,
    name: `${plural}.add`,
    input: fields,
    stream: (_input, { newId }) => newId('thing'),
    on: 'new',
    otherwise: 'RESOURCE_EXISTS',
    enrich: (input, { newId }) => ({ id: newId('thing'), fields: input }),
    decide: decider.decide.add,
    answer: ([event]) => flat(event?.data),
  })
  const change = command({
    ...existing,
    name: `${plural}.change`,
    input: withId,
    enrich: ({ id, ...rest }) => ({ id: String(id), fields: rest }),
    decide: decider.decide.change,
    answer: ([event]) => flat(event?.data),
  })
  const remove = command({
    ...existing,
    name: `${plural}.remove`,
    input: z.strictObject({ id: Identifier }),
    enrich: ({ id }) => ({ id }),
    decide: decider.decide.remove,
    answer: (_events, { id }) => ({ id }),
  })
  return { add: add as Command, change: change as unknown as Command, remove: remove as Command }
}

const flat = (data: object | undefined): object => {
  const { id, fields } = data as { id: string; fields: object }
  return { id, ...fields }
}
