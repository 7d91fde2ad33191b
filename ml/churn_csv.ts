import type { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import type { ChurnFeature, ChurnRow } from './churn.ts'
import { churnVector } from './churn.ts'

/** Something in the file cannot be read; the message says in which line and column. */
export class ChurnCsvError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ChurnCsvError'
  }
}

type Kind = 'number' | 'flag'
type Field = { readonly column: string; readonly kind: Kind; readonly most: number }

const MOST_ROWS = 1_000_000
const MOST_BYTES_PER_LINE = 10_000
const MOST_MONEY = 1e15

/** The file's columns by feature; the others are passed over. */
const FIELDS: Readonly<Record<ChurnFeature, Field>> = {
  age: { column: 'Age', kind: 'number', most: 150 },
  tenure: { column: 'Tenure', kind: 'number', most: 150 },
  balance: { column: 'Balance', kind: 'number', most: MOST_MONEY },
  products: { column: 'NumOfProducts', kind: 'number', most: 1_000 },
  credit_card: { column: 'HasCrCard', kind: 'flag', most: 1 },
  active: { column: 'IsActiveMember', kind: 'flag', most: 1 },
  salary: { column: 'EstimatedSalary', kind: 'number', most: MOST_MONEY },
}
const OUTCOME = 'Exited'
const COLUMNS = [...Object.values(FIELDS).map(({ column }) => column), OUTCOME]

type Parsed = {
  readonly record: Readonly<Record<string, string>>
  readonly info: { readonly lines: number }
}

const wrong = (line: number, column: string, value: string, wanted: string): ChurnCsvError =>
  new ChurnCsvError(`line ${line}, column ${column}: ${JSON.stringify(value)} is not ${wanted}`)

const numberAt = ({ record, info }: Parsed, { column, kind, most }: Field): number | undefined => {
  const text = (record[column] ?? '').trim()
  if (text === '') return undefined
  const value = Number(text)
  if (kind === 'flag' && value !== 0 && value !== 1) throw wrong(info.lines, column, text, '0 or 1')
  if (value >= 0 && value <= most) return value
  throw wrong(info.lines, column, text, `a number from 0 to ${most}`)
}

const rowOf = (parsed: Parsed): ChurnRow => {
  const facts = Object.entries(FIELDS).map(([feature, field]) => [feature, numberAt(parsed, field)])
  const churned = numberAt(parsed, { column: OUTCOME, kind: 'flag', most: 1 })
  if (churned === undefined) throw wrong(parsed.info.lines, OUTCOME, '', '0 or 1')
  return { vector: churnVector(Object.fromEntries(facts)), churned: churned === 1 }
}

const checkHeader = (header: string[]): string[] => {
  const names = header.map((name) => name.trim())
  for (const column of COLUMNS) {
    const times = names.filter((name) => name === column).length
    if (times === 0) throw new ChurnCsvError(`line 1: there is no column ${column}`)
    if (times > 1) throw new ChurnCsvError(`line 1: column ${column} stands there ${times} times`)
  }
  return names
}

/**
 * Reads churn rows from CSV with a header. An empty field is a missing value; only the outcome must
 * be there. Throws ChurnCsvError, which names line and column, and when there are more rows than
 * `most`.
 */
export const readChurnCsv = async (stream: Readable, most = MOST_ROWS): Promise<ChurnRow[]> => {
  const parser = parse({
    columns: checkHeader,
    info: true,
    bom: true,
    skip_empty_lines: true,
    max_record_size: MOST_BYTES_PER_LINE,
  })
  stream.once('error', (error) => parser.destroy(error))
  const rows: ChurnRow[] = []
  try {
    for await (const parsed of stream.pipe(parser)) {
      if (rows.length === most) throw new ChurnCsvError(`there are more than ${most} rows`)
      rows.push(rowOf(parsed as Parsed))
    }
  } catch (error) {
    throw error instanceof CsvError ? new ChurnCsvError(error.message) : error
  } finally {
    stream.destroy()
  }
  if (rows.length === 0) throw new ChurnCsvError('there are no rows')
  return rows
}
