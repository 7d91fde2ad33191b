import { badLine, readBankRows } from './bank_rows.ts'

/** What the rows of one account come to. */
export type AccountSurvey = {
  readonly opened: string
  readonly seq: number
  /** The lowest that the bank lets it go, in minor units; zero or below. */
  readonly lowest: bigint
}

export type Survey = {
  readonly rows: number
  readonly accounts: ReadonlyMap<string, AccountSurvey>
  readonly from: string
  readonly through: string
}

/**
 * Reads the whole file before anything is posted: every row is well formed and in order, which
 * accounts there are, and how far below zero each goes. Memory grows with the accounts, not the
 * rows. Throws BadFile, and the signal's reason when aborted.
 */
export const surveyBank = async (path: string, signal: AbortSignal): Promise<Survey> => {
  const accounts = new Map<string, AccountSurvey>()
  let rows = 0
  let from = ''
  let through = ''
  for await (const { line, date, account_id, seq, balance_after_minor } of readBankRows(path)) {
    signal.throwIfAborted()
    if (date < through) throw badLine(line, `date: ${date} comes after ${through}`)
    const before = accounts.get(account_id)
    if (before && seq <= before.seq) {
      throw badLine(line, `seq: ${seq} of account ${account_id} comes after ${before.seq}`)
    }
    const balance = BigInt(balance_after_minor)
    const lowest = before?.lowest ?? 0n
    accounts.set(account_id, {
      opened: before?.opened ?? date,
      seq,
      lowest: balance < lowest ? balance : lowest,
    })
    rows += 1
    from ||= date
    through = date
  }
  return { rows, accounts, from, through }
}
