import { stringify } from 'csv-stringify/sync'

/** An amount as people read it; kept apart from text, which could be taken for a formula. */
export type Decimal = { readonly decimal: string }

/** Minor units are bigint. */
export type Cell = string | number | bigint | Decimal | null
export type ExportRow = Readonly<Record<string, Cell>>

/** How rows become the bytes of one kind of file. */
export type Encoding = {
  readonly extension: 'csv' | 'ndjson'
  header(columns: readonly string[]): string
  encode(columns: readonly string[], rows: readonly ExportRow[]): string
}

const isDecimal = (cell: unknown): cell is Decimal =>
  typeof cell === 'object' && cell !== null && 'decimal' in cell

/**
 * RFC 4180. Text that a spreadsheet would take for a formula, because it begins with `=`, `+`, `-`
 * or `@`, gets an apostrophe in front; numbers below zero stay numbers.
 */
export const csv: Encoding = {
  extension: 'csv',
  header: (columns) => `${columns.join(',')}\r\n`,
  encode: (columns, rows) =>
    stringify([...rows], {
      columns: [...columns],
      record_delimiter: 'windows',
      // Also a line feed alone, which is not the delimiter but ends a line for most readers.
      quote_record_delimiter: true,
      escape_formulas: true,
      cast: {
        object: (cell) =>
          isDecimal(cell) ? { value: cell.decimal, escape_formulas: false } : JSON.stringify(cell),
      },
    }),
}

const plain = (cell: Cell | undefined): string | number | null => {
  if (typeof cell === 'bigint') return cell.toString()
  if (isDecimal(cell)) return cell.decimal
  return cell ?? null
}

/** One JSON object a line; amounts are strings, because JSON numbers lose digits above 2^53. */
export const ndjson: Encoding = {
  extension: 'ndjson',
  header: () => '',
  encode: (columns, rows) =>
    rows
      .map((row) => Object.fromEntries(columns.map((column) => [column, plain(row[column])])))
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
}
