import { openBackOffice } from '../back_office.ts'
import type { Config } from '../config.ts'
import { type ImportFigures, importBank } from '../import/bank.ts'
import { BadFile } from '../import/bank_rows.ts'
import { withPremises } from './premises.ts'
import { grouped, progressBar, table } from './print.ts'

const figureLines = (figures: ImportFigures): string => {
  const { book, rows, accounts, from, through } = figures
  const lines = [
    `${grouped(rows)} rows of ${grouped(accounts)} accounts, ${from} to ${through}, in book ${book}`,
    `posted now      ${grouped(figures.posted)}`,
    `already there   ${grouped(figures.already_there)}`,
    `compared        ${grouped(figures.compared)}`,
    `equal           ${grouped(figures.equal)}`,
    `different       ${grouped(figures.compared - figures.equal)}`,
  ]
  return lines.join('\n')
}

const differenceLines = ({ differences, compared, equal }: ImportFigures): string => {
  const rows = differences.map(({ line, account, transaction, ours, banks }) => {
    return [String(line), account, transaction, ours, banks]
  })
  const shown = table(['line', 'account', 'transaction', 'ours', "the bank's"], rows, [
    'ours',
    "the bank's",
  ])
  const more = compared - equal - differences.length
  return more > 0 ? `${shown}\nand ${grouped(more)} more` : shown
}

/** Answers the exit code: 1 when a balance differs from the bank's or the file is bad. */
export const runImportBank = (
  config: Config,
  path: string,
  { book }: { readonly book: string },
  signal: AbortSignal,
): Promise<number> =>
  withPremises(config, { projector: false }, async (premises) => {
    const { ports, close } = await openBackOffice(config, premises)
    const bar = progressBar('importing')
    try {
      const onProgress = (done: number, rows: number): void =>
        bar.show(done, rows, `${grouped(done)} of ${grouped(rows)} rows`)
      const figures = await importBank(ports, { path, book, signal, onProgress })
      bar.end()
      console.log(figureLines(figures))
      if (figures.equal === figures.rows) return 0
      console.log(`\n${differenceLines(figures)}`)
      return 1
    } catch (error) {
      bar.end()
      if (!(error instanceof BadFile)) throw error
      console.error(`${path}: ${error.message}`)
      return 1
    } finally {
      await close()
    }
  })
