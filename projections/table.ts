import type { Pool, PoolClient } from 'pg'

/** What the read side needs of Postgres. */
export type Database = Pool
export type Connection = Pick<PoolClient, 'query'>

export type ColumnType =
  | 'text'
  | 'numeric'
  | 'bigint'
  | 'integer'
  | 'double precision'
  | 'boolean'
  | 'date'
  | 'timestamptz'
  | 'jsonb'

/** Some columns, or those of the rows that a condition picks: a smaller index is cheaper to keep. */
export type Index =
  | readonly string[]
  | { readonly columns: readonly string[]; readonly where: string }

/**
 * A read model's table as data. Every row also gets `position`: the log position of the event that
 * last wrote it. Each index is paid for by every row that is written.
 */
export type Table = {
  readonly name: string
  readonly columns: Readonly<Record<string, ColumnType>>
  readonly key: readonly string[]
  readonly indexes?: readonly Index[]
}

/** One build of a projection has tables of its own, so that a new one can grow beside the old. */
export const physicalName = (table: Table, build: number): string => `${table.name}_b${build}`

const POSITION = 'position numeric(20) not null'

export const createTableSql = (table: Table, build: number): string => {
  const name = physicalName(table, build)
  const columns = Object.entries(table.columns).map(([column, type]) => `${column} ${type}`)
  const indexes = (table.indexes ?? []).map((index) => {
    if (!('where' in index)) return `create index on ${name} (${index.join(', ')});`
    return `create index on ${name} (${index.columns.join(', ')}) where ${index.where};`
  })
  return `create table ${name} (${[...columns, POSITION].join(', ')},
    primary key (${table.key.join(', ')}));
    ${indexes.join('\n')}`
}

/** The name that queries use points at one build's table. */
export const pointViewSql = (table: Table, build: number): string =>
  `drop view if exists ${table.name};
   create view ${table.name} as select * from ${physicalName(table, build)};`

export const dropTableSql = (table: Table, build: number): string =>
  `drop table if exists ${physicalName(table, build)};`
