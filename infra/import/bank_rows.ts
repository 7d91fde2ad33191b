/** Reading the CSV of bank transactions that docs/import-bank.md describes. */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse'
import { z } from 'zod'
import { Amount, Balance } from '../../domain/money.ts'

/** On which side of the customer's account each kind lies, and what stands against it. */
export const KINDS = {
  cash_deposit: { direction: 'credit', against: 'cash:vault' },
  cash_withdrawal: { direction: 'debit', against: 'cash:vault' },
  card_withdrawal: { direction: 'debit', against: 'clearing:cards' },
  transfer_in: { direction: 'credit', against: 'clearing:banks' },
  transfer_out: { direction: 'debit', against: 'clearing:banks' },
  interest: { direction: 'credit', against: 'expense:interest' },
} as const

const PURPOSES = [
  'statement_fee',
  'interest',
  'sanction_interest',
  'household',
  'pension',
  'insurance',
  'loan_payment',
] as const

const Label = z.string().max(64)
const Id = z.string().regex(/^[0-9a-z]{1,32}$/, 'expected 1 to 32 digits and lower-case letters')

const Row = z
  .object({
    date: z.iso.date('expected a date such as 1993-01-31'),
    account_id: Id,
    seq: z
      .string()
      .regex(/^\d{1,9}$/, 'expected a whole number')
      .transform(Number),
    transaction_id: Id,
    kind: z.enum(Object.keys(KINDS) as (keyof typeof KINDS)[]),
    purpose: z.enum(['', ...PURPOSES]),
    direction: z.enum(['credit', 'debit']),
    amount_minor: Amount,
    balance_after_minor: Balance,
    counter_bank: Label,
    counter_account: Label,
  })
  .refine(({ kind, direction }) => KINDS[kind].direction === direction, {
    path: ['direction'],
    error: ({ input }) => `does not go with the kind ${(input as { kind: string }).kind}`,
  })

export type BankRow = z.infer<typeof Row> & {
  /** In the file, counted from 1, the header being the first. */
  readonly line: number
}

export const COLUMNS = [
  'date',
  'account_id',
  'seq',
  'transaction_id',
  'kind',
  'purpose',
  'direction',
  'amount_minor',
  'balance_after_minor',
  'counter_bank',
  'counter_account',
] as const

/** The file cannot be imported as it is; the message says where and why, in one line. */
export class BadFile extends Error {
  override readonly name = 'BadFile'
}

export const badLine = (line: number, reason: string): BadFile =>
  new BadFile(`line ${line}: ${reason}`)

const openText = (path: string): NodeJS.ReadableStream => {
  const file = createReadStream(path)
  if (!path.endsWith('.gz')) return file
  // Errors of either reach the reader by way of the last one.
  return pipeline(file, createGunzip(), () => undefined)
}

const checkHeader = (names: string[]): string[] => {
  const missing = COLUMNS.filter((name) => !names.includes(name))
  if (missing.length > 0) throw badLine(1, `the column ${missing.join(', ')} is missing`)
  return names
}

type Parsed = { readonly record: unknown; readonly info: { readonly lines: number } }

const toRow = ({ record, info: { lines: line } }: Parsed): BankRow => {
  const parsed = Row.safeParse(record)
  if (parsed.success) return { ...parsed.data, line }
  const [issue] = parsed.error.issues
  throw badLine(line, `${issue?.path.join('.')}: ${issue?.message}`)
}

const reasonOf = (error: unknown): Error => {
  if (error instanceof BadFile) return error
  const { code, message, lines } = error as NodeJS.ErrnoException & { lines?: number }
  if (code === 'ENOENT') return new BadFile('there is no such file')
  if (lines !== undefined && code?.startsWith('CSV_')) return badLine(lines, message)
  return new BadFile(message)
}

/** The rows one by one, held in memory no longer than that. Throws BadFile. */
export async function* readBankRows(path: string): AsyncGenerator<BankRow> {
  const parser = parse({ columns: checkHeader, info: true, bom: true, skip_empty_lines: true })
  const text = openText(path)
  pipeline(text, parser, () => undefined)
  try {
    for await (const parsed of parser) yield toRow(parsed as Parsed)
  } catch (error) {
    throw reasonOf(error)
  } finally {
    parser.destroy()
  }
}
