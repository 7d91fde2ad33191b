import type { Connection, Table } from '../../projections/table.ts'
import type { Difference, Findings } from './report.ts'

/** Two relations with the same columns, which must hold the same rows. */
export type Comparison = {
  /** What to call it in the report. */
  readonly name: string
  /** Columns with their types, and the key by which rows are matched. */
  readonly table: Pick<Table, 'columns' | 'key'>
  /** The name of a relation that has an index on the key. */
  readonly expected: string
  /** The name of a relation, or a select in parentheses. */
  readonly actual: string
}

/** Rows at a time, so that no statement runs long, however large the tables. */
const CHUNK = 20_000

type Key = readonly string[]

const list = (columns: readonly string[], prefix = ''): string =>
  columns.map((column) => `${prefix}${column}`).join(', ')

const texts = (columns: readonly string[], prefix: string): string =>
  `jsonb_build_object(${columns.map((column) => `'${column}', ${prefix}.${column}::text`).join(', ')})`

const bounds = ({ table }: Comparison, after: Key | undefined, upTo: Key | undefined): string => {
  let next = 0
  const placeholders = (): string =>
    list(
      table.key.map((column) => {
        next += 1
        return `$${next}::${table.columns[column]}`
      }),
    )
  const terms: string[] = []
  if (after) terms.push(`(${list(table.key)}) > (${placeholders()})`)
  if (upTo) terms.push(`(${list(table.key)}) <= (${placeholders()})`)
  return terms.length > 0 ? `where ${terms.join(' and ')}` : ''
}

/** The key of the last expected row of the chunk; undefined when all the rest fits into it. */
const endOfChunk = async (
  sql: Connection,
  comparison: Comparison,
  after: Key | undefined,
): Promise<Key | undefined> => {
  const { key } = comparison.table
  const { rows } = await sql.query<Record<string, string>>(
    `select ${key.map((column) => `${column}::text`).join(', ')} from (
       select ${list(key)} from ${comparison.expected} ${bounds(comparison, after, undefined)}
       order by ${list(key)} offset ${CHUNK - 1} limit 1) last`,
    [...(after ?? [])],
  )
  return rows[0] && key.map((column) => rows[0]?.[column] ?? '')
}

type Pair = {
  key: Record<string, string>
  expected: Record<string, string | null> | null
  actual: Record<string, string | null> | null
}

const describePair = ({ name, table }: Comparison, { key, expected, actual }: Pair): Difference => {
  const differing = Object.keys(table.columns).filter(
    (column) => expected?.[column] !== actual?.[column],
  )
  const show = (row: Pair['expected']): string =>
    row === null
      ? 'no such row'
      : differing.map((column) => `${column}=${row[column] ?? 'null'}`).join(' ')
  const where = table.key.map((column) => `${column}=${key[column]}`).join(' ')
  return { what: name, where, expected: show(expected), actual: show(actual) }
}

/** Compares row by row and notes what differs. Answers how many rows were looked at. */
export const compareTables = async (
  sql: Connection,
  comparison: Comparison,
  findings: Findings,
): Promise<number> => {
  const { table, expected, actual } = comparison
  const { key } = table
  const columns = Object.keys(table.columns)
  const [first] = key
  let rows = 0
  let after: Key | undefined
  do {
    const upTo = await endOfChunk(sql, comparison, after)
    const range = bounds(comparison, after, upTo)
    const values = [...(after ?? []), ...(upTo ?? [])]
    const joined = `
      (select ${list(columns)} from ${expected} ${range}) e full join
      (select ${list(columns)} from ${actual} a ${range}) a using (${list(key)})`
    const differs = `row(${list(columns, 'e.')}) is distinct from row(${list(columns, 'a.')})`
    const counted = await sql.query<{ rows: string; differing: string }>(
      `select count(*) as rows, count(*) filter (where ${differs}) as differing from ${joined}`,
      values,
    )
    rows += Number(counted.rows[0]?.rows)
    const differing = Number(counted.rows[0]?.differing)
    if (differing > 0) {
      const room = Math.min(findings.room(), differing)
      const shown = await sql.query<Pair>(
        `select jsonb_build_object(${key.map((c) => `'${c}', ${c}::text`).join(', ')}) as key,
           case when e.${first} is not null then ${texts(columns, 'e')} end as expected,
           case when a.${first} is not null then ${texts(columns, 'a')} end as actual
         from ${joined} where ${differs} order by ${list(key)} limit ${room}`,
        values,
      )
      for (const pair of shown.rows) findings.add(describePair(comparison, pair))
      findings.count(differing - room)
    }
    after = upTo
  } while (after)
  return rows
}
