import type { Connection, Table } from './table.ts'
import { physicalName } from './table.ts'

export type Row = Readonly<Record<string, unknown>>

/**
 * What a handler does to tables. All values are absolute, none relative to what a row held before,
 * so that handling an event twice changes nothing.
 */
export type Writer = {
  /** Writes a whole row. */
  put(table: Table, row: Row): void
  /** Changes some columns of a row; without such a row, nothing. */
  patch(table: Table, key: Row, columns: Row): void
  remove(table: Table, key: Row): void
}

type Change =
  | { readonly kind: 'put'; readonly row: Row }
  | { readonly kind: 'patch'; readonly row: Row }
  | { readonly kind: 'remove'; readonly row: Row }

/** The changes of a batch of events, at most one a row: what came later has been laid over. */
export type Changes = Map<Table, Map<string, Change>>

const keyOf = (table: Table, row: Row): string => {
  const [first, second] = table.key
  if (first !== undefined && table.key.length === 1) return String(row[first])
  if (first !== undefined && second !== undefined && table.key.length === 2) {
    return `${row[first]}\u0000${row[second]}`
  }
  return table.key.map((column) => row[column]).join('\u0000')
}

/** Collects a batch's changes; `position` is stamped on every row that is written. */
export const createWriter = (changes: Changes, position: string): Writer => {
  const at = (table: Table): Map<string, Change> => {
    let rows = changes.get(table)
    if (!rows) {
      rows = new Map()
      changes.set(table, rows)
    }
    return rows
  }
  return {
    put: (table, row) => {
      const stamped = { ...row, position }
      at(table).set(keyOf(table, stamped), { kind: 'put', row: stamped })
    },
    patch: (table, key, columns) => {
      const rows = at(table)
      const id = keyOf(table, key)
      const before = rows.get(id)
      if (before?.kind === 'remove') return
      const kind = before?.kind ?? 'patch'
      rows.set(id, { kind, row: { ...before?.row, ...key, ...columns, position } })
    },
    remove: (table, key) => {
      at(table).set(keyOf(table, key), { kind: 'remove', row: key })
    },
  }
}

const typeOf = (table: Table, column: string): string =>
  column === 'position' ? 'numeric' : (table.columns[column] ?? 'text')

// One JSON document a statement: JSON.stringify and json_to_recordset are both native code, which
// together cost less than serialising an array parameter for each column.
const recordset = (table: Table, columns: readonly string[]): string =>
  `json_to_recordset($1) as r(${columns.map((c) => `${c} ${typeOf(table, c)}`).join(', ')})`

const MAX_NAMES = 1000
const names = new Map<string, string>()

/** The same few statements again and again: each is planned once on its connection. */
const run = async (sql: Connection, text: string, rows: Row[]): Promise<void> => {
  let name = names.get(text)
  if (name === undefined && names.size < MAX_NAMES) {
    name = `write_${names.size}`
    names.set(text, name)
  }
  await sql.query({ text, values: [JSON.stringify(rows)], ...(name !== undefined && { name }) })
}

const putRows = async (sql: Connection, table: Table, build: number, rows: Row[]) => {
  const columns = [...Object.keys(table.columns), 'position']
  const updates = columns
    .filter((column) => !table.key.includes(column))
    .map((column) => `${column} = excluded.${column}`)
  await run(
    sql,
    `insert into ${physicalName(table, build)} (${columns.join(', ')})
     select ${columns.join(', ')} from ${recordset(table, columns)}
     on conflict (${table.key.join(', ')}) do update set ${updates.join(', ')}`,
    rows,
  )
}

const sameKey = (table: Table): string =>
  table.key.map((column) => `t.${column} = r.${column}`).join(' and ')

const patchRows = async (
  sql: Connection,
  table: Table,
  build: number,
  columns: readonly string[],
  rows: Row[],
) => {
  const updates = columns
    .filter((column) => !table.key.includes(column))
    .map((column) => `${column} = r.${column}`)
  await run(
    sql,
    `update ${physicalName(table, build)} t set ${updates.join(', ')}
     from ${recordset(table, columns)} where ${sameKey(table)}`,
    rows,
  )
}

const removeRows = async (sql: Connection, table: Table, build: number, rows: Row[]) => {
  await run(
    sql,
    `delete from ${physicalName(table, build)} t
     using ${recordset(table, table.key)} where ${sameKey(table)}`,
    rows,
  )
}

/** Writes a batch's changes: a statement for each table and kind of change. */
export const writeChanges = async (
  sql: Connection,
  build: number,
  changes: Changes,
): Promise<void> => {
  for (const [table, rows] of changes) {
    const puts: Row[] = []
    const removes: Row[] = []
    const patches = new Map<string, Row[]>()
    for (const { kind, row } of rows.values()) {
      if (kind === 'put') puts.push(row)
      else if (kind === 'remove') removes.push(row)
      else {
        const columns = Object.keys(row).sort().join()
        const alike = patches.get(columns)
        if (alike) alike.push(row)
        else patches.set(columns, [row])
      }
    }
    if (puts.length > 0) await putRows(sql, table, build, puts)
    for (const [columns, alike] of patches) {
      await patchRows(sql, table, build, columns.split(','), alike)
    }
    if (removes.length > 0) await removeRows(sql, table, build, removes)
  }
}
