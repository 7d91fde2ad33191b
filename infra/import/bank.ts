/** Loads bank transactions as entries and compares every balance with the bank's own. */
import { execute, type Ports } from '../../commands/kernel.ts'
import { postEntry } from '../../commands/ledger/index.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { SYSTEM } from '../ports.ts'
import { accountOf, noonOf, prepareBook } from './bank_accounts.ts'
import { type BankRow, badLine, KINDS, readBankRows } from './bank_rows.ts'
import { surveyBank } from './bank_survey.ts'
import { inFlight } from './in_flight.ts'

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

/** Posts one row, unless it was posted before, and compares the balance that is in the log. */
const postRow = async (ports: Ports, figures: ImportFigures, row: BankRow): Promise<void> => {
  const account = accountOf(row.account_id)
  const key = `bank-${row.transaction_id}`
  const context = { actor: SYSTEM, at: noonOf(row.date), correlation: key, key }
  const outcome = await execute(ports, postEntry, entryOf(figures.book, row), context)
  if (isRefusal(outcome)) {
    throw badLine(row.line, `transaction ${row.transaction_id}: ${outcome.detail}`)
  }
  if (outcome.replayed) figures.already_there += 1
  else figures.posted += 1
  const ours = outcome.answer.lines.find((line) => line.account === account)?.balance ?? 'none'
  figures.compared += 1
  const banks = row.balance_after_minor
  if (ours === banks) figures.equal += 1
  else if (figures.differences.length < MAX_SHOWN) {
    const { line, transaction_id: transaction } = row
    figures.differences.push({ line, account, transaction, ours, banks })
  }
}

/**
 * Imports the file in two passes: the first only reads, the second posts with many rows in flight.
 * A row waits for the one before it on the same account, so that whatever happens, each account has
 * its rows up to some point and none after it; importing again goes on from there. Throws BadFile
 * with the line, and the signal's reason when aborted.
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
  const previous = new Map<string, Promise<void>>()
  const post = async (row: BankRow): Promise<void> => {
    const posted = (previous.get(row.account_id) ?? Promise.resolve()).then(() =>
      postRow(ports, figures, row),
    )
    previous.set(row.account_id, posted)
    await posted
    onProgress?.(figures.compared, survey.rows)
  }
  await inFlight(readBankRows(path), IN_FLIGHT, post, signal)
  return figures
}
