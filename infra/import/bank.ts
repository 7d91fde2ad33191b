/** Loads bank transactions as entries and compares every balance with the bank's own. */
import { execute } from '../../commands/kernel.ts'
import { postEntry } from '../../commands/ledger/index.ts'
import type { Ports } from '../../commands/ports.ts'
import { isRefusal } from '../../domain/kernel.ts'
import type { Entry } from '../../domain/ledger/events.ts'
import { SYSTEM } from '../system.ts'
import { accountOf, noonOf, prepareBook } from './bank_accounts.ts'
import { type BankRow, badLine, KINDS, readBankRows } from './bank_rows.ts'
import { surveyBank } from './bank_survey.ts'
import { inFlight } from './in_flight.ts'
import { type Posted, readPosted } from './posted.ts'

/** The balance of an account after a row: ours and the bank's, in minor units. */
export type BalanceDifference = {
  readonly line: number
  readonly account: string
  readonly transaction: string
  readonly ours: string
  readonly banks: string
}

export type ImportFigures = {
  readonly book: string
  readonly rows: number
  readonly accounts: number
  readonly from: string
  readonly through: string
  posted: number
  already_there: number
  compared: number
  equal: number
  /** The first 20 of those that are not equal. */
  readonly differences: BalanceDifference[]
}

export type ImportOptions = {
  readonly path: string
  readonly book: string
  readonly signal: AbortSignal
  /** Called with the number of rows done and of all rows. */
  readonly onProgress?: ((done: number, rows: number) => void) | undefined
}

const IN_FLIGHT = 512
const MAX_SHOWN = 20

type Pending = { readonly row: BankRow; readonly posted: Entry | undefined }

const keyOf = ({ transaction_id }: BankRow): string => `bank-${transaction_id}`

/** The rows with what is known of them from an earlier import. */
async function* pendingRows(path: string, posted: Posted): AsyncGenerator<Pending> {
  for await (const row of readBankRows(path)) {
    yield { row, posted: await posted.find(`${SYSTEM.id} ${keyOf(row)}`) }
  }
}

/** Fees and overdraft interest go to the bank itself, however they are paid. */
const againstOf = ({ kind, purpose }: BankRow): string => {
  if (purpose === 'statement_fee') return 'income:fees'
  if (purpose === 'sanction_interest') return 'income:interest'
  return KINDS[kind].against
}

const entryOf = (book: string, row: BankRow) => {
  const { kind, purpose, direction, amount_minor: amount } = row
  const { seq, counter_bank, counter_account } = row
  const opposite = direction === 'credit' ? 'debit' : 'credit'
  return postEntry.input.parse({
    book,
    kind,
    value_date: row.date,
    description: (purpose || kind).replaceAll('_', ' '),
    reference: row.transaction_id,
    metadata: {
      seq: String(seq),
      ...(purpose && { purpose }),
      ...(counter_bank && { counter_bank }),
      ...(counter_account && { counter_account }),
    },
    lines: [
      { account: accountOf(row.account_id), direction, amount },
      { account: againstOf(row), direction: opposite, amount },
    ],
  })
}

type Wanted = ReturnType<typeof entryOf>

/** Whether an entry in the log is the one that a row asks for. */
const isSame = (entry: Entry, { kind, value_date, reference, lines }: Wanted): boolean =>
  entry.kind === kind &&
  entry.value_date === value_date &&
  entry.reference === reference &&
  entry.lines.length === lines.length &&
  entry.lines.every(({ account, direction, amount }, index) => {
    const line = lines[index]
    return line?.account === account && line.direction === direction && line.amount === amount
  })

/** The row's entry as it stands in the log, posted now or earlier. */
const postRow = async (
  ports: Ports,
  figures: ImportFigures,
  { row, posted }: Pending,
): Promise<Entry> => {
  const wanted = entryOf(figures.book, row)
  if (posted && isSame(posted, wanted)) {
    figures.already_there += 1
    return posted
  }
  const key = keyOf(row)
  const context = { actor: SYSTEM, at: noonOf(row.date), correlation: key, key }
  const outcome = await execute(ports, postEntry, wanted, context)
  if (isRefusal(outcome)) {
    throw badLine(row.line, `transaction ${row.transaction_id}: ${outcome.detail}`)
  }
  if (outcome.replayed) figures.already_there += 1
  else figures.posted += 1
  return outcome.answer
}

const compare = (figures: ImportFigures, row: BankRow, entry: Entry): void => {
  const account = accountOf(row.account_id)
  const ours = entry.lines.find((line) => line.account === account)?.balance ?? 'none'
  const banks = row.balance_after_minor
  figures.compared += 1
  if (ours === banks) figures.equal += 1
  else if (figures.differences.length < MAX_SHOWN) {
    const { line, transaction_id: transaction } = row
    figures.differences.push({ line, account, transaction, ours, banks })
  }
}

/**
 * Imports the file in two passes: the first only reads, the second posts with many rows in flight.
 * They are decided in the order in which they are asked for, which is the file's; so an import that
 * was cut off has left its first rows, and importing again goes on behind them. Throws BadFile with
 * the line, and the signal's reason when aborted.
 */
export const importBank = async (ports: Ports, options: ImportOptions): Promise<ImportFigures> => {
  const { path, book, signal, onProgress } = options
  const survey = await surveyBank(path, signal)
  const figures: ImportFigures = {
    book,
    rows: survey.rows,
    accounts: survey.accounts.size,
    from: survey.from,
    through: survey.through,
    posted: 0,
    already_there: 0,
    compared: 0,
    equal: 0,
    differences: [],
  }
  if (survey.rows === 0) return figures
  await prepareBook(ports, book, survey, signal)
  const post = async (pending: Pending): Promise<void> => {
    compare(figures, pending.row, await postRow(ports, figures, pending))
    onProgress?.(figures.compared, survey.rows)
  }
  const pending = pendingRows(path, readPosted(ports.store, book, signal))
  await inFlight(pending, IN_FLIGHT, post, signal)
  return figures
}
