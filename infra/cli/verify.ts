import { eventSchemas } from '../../domain/index.ts'
import { projections } from '../../projections/index.ts'
import { type Report, verify } from '../audit/index.ts'
import type { Config } from '../config.ts'
import { withStores } from './premises.ts'
import { grouped, progressBar, table } from './print.ts'

const STAGES = {
  waiting: 'waiting for the read models',
  folding: 'folding the log',
  comparing: 'comparing rows',
} as const

const MS = 1000

const reportLines = ({ figures, remarks, differences }: Report): string => {
  const { events, streams, books, accounts, entries, lines } = figures
  const rows = Object.entries(figures.rows).map(([name, count]) => [name, grouped(count)])
  const seconds = (figures.duration_ms / MS).toFixed(1)
  const summary = [
    `${grouped(events)} events in ${grouped(streams)} streams, up to position ${figures.position}`,
    `${grouped(books)} books, ${grouped(accounts)} accounts, ${grouped(entries)} entries of ` +
      `${grouped(lines)} lines, ${grouped(figures.open_holds)} open holds, ` +
      `${grouped(figures.periods)} closed periods, ${grouped(figures.scores)} scores`,
    '',
    table(['compared', 'rows'], rows, ['rows']),
    '',
    ...remarks,
    differences.total === 0
      ? `No differences, in ${seconds} s.`
      : `${grouped(differences.total)} differences, in ${seconds} s:`,
  ]
  const found = differences.shown.map(({ what, where, expected, actual }) => {
    return `  ${what}, ${where}: expected ${expected}, found ${actual}`
  })
  return [...summary, ...found].join('\n')
}

/** Answers the exit code: 1 on any difference. */
export const runVerify = (
  config: Config,
  { json }: { readonly json?: boolean },
  signal: AbortSignal,
): Promise<number> =>
  withStores(config, { projector: true }, async ({ store, database }) => {
    const bar = progressBar('verifying')
    try {
      const report = await verify({
        store,
        database,
        projections,
        schemas: eventSchemas,
        signal,
        onProgress: ({ stage, events, done }) =>
          bar.show(Math.floor(done * 100), 100, `${STAGES[stage]}, ${grouped(events)} events`),
      })
      bar.end()
      console.log(json ? JSON.stringify(report, null, 2) : reportLines(report))
      return report.differences.total === 0 ? 0 : 1
    } finally {
      bar.end()
    }
  })
