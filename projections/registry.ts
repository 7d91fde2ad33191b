import { z } from 'zod'
import { Identifier } from '../domain/ledger/events.ts'
import { eventNames, type Registry, schemasOf } from '../domain/registry.ts'
import { type Projection, type Query, query } from './kernel.ts'
import { decodeCursor, pageOf, paging } from './paging.ts'
import type { Row } from './rows.ts'
import { type Conditions, conditions, escapeLike } from './select.ts'
import type { ColumnType, Table } from './table.ts'

type Described = { readonly type?: string; readonly format?: string }

/** The column for a field, from what its schema says of itself. */
const columnTypeOf = ({ type, format }: Described): ColumnType => {
  if (type === 'string' && format === 'date') return 'date'
  if (type === 'string' && format === 'date-time') return 'timestamptz'
  if (type === 'string') return 'text'
  if (type === 'integer') return 'bigint'
  if (type === 'number') return 'double precision'
  if (type === 'boolean') return 'boolean'
  return 'jsonb'
}

const columnsOf = ({ fields }: Registry): Record<string, ColumnType> => {
  const { properties } = z.toJSONSchema(fields, { io: 'input', unrepresentable: 'any' })
  return Object.fromEntries(
    Object.entries(properties ?? {}).map(([name, described]) => [
      name,
      columnTypeOf(described as Described),
    ]),
  )
}

const tableOf = (declaration: Registry): Table => ({
  name: declaration.plural,
  columns: { id: 'text', revision: 'bigint', ...columnsOf(declaration) },
  key: ['id'],
})

type Stored = { id: string; revision: string } & Record<string, unknown>

const shown = ({ position: _position, ...row }: Stored) => ({
  ...row,
  id: row.id,
  revision: Number(row.revision),
})

const applySearch = (where: Conditions, { search }: Registry, text: string): void => {
  const pattern = `%${escapeLike(text)}%`
  const anywhere = search.map((field) => `"${field}" ilike ?`).join(' or ')
  where.add(anywhere, ...search.map(() => pattern))
}

/** What a registry's read side is made of: its projection and its two queries. */
export const registryBook = (
  declaration: Registry,
): { readonly projection: Projection; readonly list: Query; readonly get: Query } => {
  const table = tableOf(declaration)
  const { added, changed, removed } = eventNames(declaration)
  const put: Projection['on'][string] = ({ data, revision }, rows) => {
    const { id, fields } = data as { id: string; fields: object }
    rows.put(table, { id, revision, ...fields })
  }
  const projection: Projection = {
    name: declaration.plural,
    version: 1,
    tables: [table],
    schemas: schemasOf(declaration),
    on: {
      [added]: put,
      [changed]: put,
      [removed]: ({ data }, rows) => rows.remove(table, { id: (data as { id: string }).id }),
    },
  }
  const scalar = Object.entries(table.columns)
    .filter(([name, type]) => type !== 'jsonb' && !['id', 'revision'].includes(name))
    .map(([name]) => name)
  const filters = Object.fromEntries(scalar.map((name) => [name, z.string().max(256).optional()]))
  const orders = ['id', ...scalar].flatMap((name) => [name, `-${name}`])

  const list = query({
    name: `${declaration.plural}.list`,
    permission: declaration.read,
    input: z.strictObject({
      ...filters,
      q: z.string().trim().min(1).max(128).optional(),
      order: z.enum(orders).default('id'),
      ...paging,
    }),
    reads: [declaration.plural],
    run: async (sql, { q, order, cursor, limit, ...given }) => {
      const where = conditions()
      for (const name of scalar) where.addIf(`"${name}"::text = ?`, (given as Row)[name])
      if (q !== undefined) applySearch(where, declaration, q)
      const field = order.replace('-', '')
      const [direction, sign] = order.startsWith('-') ? ['desc', '<'] : ['asc', '>']
      const after = decodeCursor(cursor, 2)
      const type = table.columns[field]
      if (after) where.add(`("${field}", id) ${sign} (?::${type}, ?)`, ...after)
      const { rows } = await sql.query<Stored>(
        `select * from ${table.name}${where.where()}
         order by "${field}" ${direction}, id ${direction} limit ${limit + 1}`,
        where.values,
      )
      return pageOf(rows.map(shown), limit, (row) => [String((row as Row)[field]), row.id])
    },
  })
  const get = query({
    name: `${declaration.plural}.get`,
    permission: declaration.read,
    input: z.strictObject({ id: Identifier }),
    reads: [declaration.plural],
    run: async (sql, { id }) => {
      const { rows } = await sql.query<Stored>(`select * from ${table.name} where id = $1`, [id])
      return rows.map(shown)[0]
    },
  })
  return { projection, list: list as unknown as Query, get: get as Query }
}
