import { z } from '@hono/zod-openapi'
import { registryCommands } from '../commands/registry.ts'
import type { Registry } from '../domain/registry.ts'
import type { Query } from '../projections/kernel.ts'
import { type Route, read, write } from './route.ts'

/** The five routes of a registry, under `/v1/<plural>`. */
export const registryRoutes = (
  declaration: Registry,
  queries: { readonly list: Query; readonly get: Query },
  example: Readonly<Record<string, unknown>>,
): readonly Route[] => {
  const { singular, plural, fields } = declaration
  const { add, change, remove } = registryCommands(declaration)
  const tag = plural.charAt(0).toUpperCase() + plural.slice(1).replaceAll('_', ' ')
  const name = singular.replace(/(?<!^)([A-Z])/g, ' $1').toLowerCase()
  const Written = z.object({ id: z.string(), ...fields.shape })
  const Shown = z.object({ ...Written.shape, revision: z.int() }).openapi(singular)
  const Page = z.object({ items: z.array(Shown), next_cursor: z.string().nullable() })
  const captured = `${singular.toLowerCase()}_id`
  const path = `/v1/${plural}`
  const one = { id: `{${captured}}` }
  return [
    write('post', path, add, {
      tag,
      summary: `Add a ${name}`,
      response: Written,
      example: { body: example, capture: { [captured]: 'id' } },
      location: (answer) => `${path}/${(answer as { id: string }).id}`,
    }),
    read(path, queries.list, {
      tag,
      summary: `List ${plural.replaceAll('_', ' ')}`,
      description: `Every plain field filters; \`q\` searches ${declaration.search.join(', ')}.`,
      response: Page,
      problems: ['BAD_CURSOR'],
      example: { query: { order: '-id' } },
    }),
    read(`${path}/{id}`, queries.get, {
      tag,
      summary: `Show a ${name}`,
      response: Shown,
      problems: ['RESOURCE_NOT_FOUND'],
      example: { params: one },
      etag: (answer) => (answer as { revision: number }).revision,
    }),
    write('put', `${path}/{id}`, change, {
      tag,
      summary: `Change a ${name}`,
      response: Written,
      problems: ['RESOURCE_UNKNOWN', 'REVISION_MISMATCH'],
      example: { params: one, body: example },
    }),
    write('delete', `${path}/{id}`, remove, {
      tag,
      summary: `Remove a ${name}`,
      response: z.object({ id: z.string() }),
      problems: ['RESOURCE_UNKNOWN', 'REVISION_MISMATCH'],
      example: { params: one },
    }),
  ]
}
