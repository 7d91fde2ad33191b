import { formatAmount } from '../../domain/money.ts'
import { type Replay, replay } from '../audit/index.ts'
import type { Config } from '../config.ts'
import { withStores } from './premises.ts'
import { grouped, progressBar, table } from './print.ts'

export type ReplayFlags = {
  readonly at?: string
  readonly book?: string
  readonly account?: string
  readonly json?: boolean
}

const replayLines = ({ position, events, balances, totals }: Replay): string => {
  const rows = balances.map(({ book, account, type, asset, balance, held, status }) => [
    book,
    account,
    type,
    asset,
    formatAmount(balance.toString(), asset),
    held === null ? '' : formatAmount(held.toString(), asset),
    status ?? '',
  ])
  const header = ['book', 'account', 'type', 'asset', 'balance', 'held', 'status']
  const sums = totals.map(({ book, asset, debit, credit }) => [
    book,
    asset,
    formatAmount(debit.toString(), asset),
    formatAmount(credit.toString(), asset),
  ])
  return [
    table(header, rows, ['balance', 'held']),
    '',
    table(['book', 'asset', 'debit', 'credit'], sums, ['debit', 'credit']),
    '',
    `${grouped(events)} events folded, up to position ${position ?? 'none: the log is empty'}`,
  ].join('\n')
}

/** Big numbers as strings of digits: JSON numbers lose digits above 2^53. */
const toJson = (result: Replay): string =>
  JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2)

/** Answers the exit code: 1 when the account that was asked for did not exist then. */
export const runReplay = (
  config: Config,
  { json, ...flags }: ReplayFlags,
  signal: AbortSignal,
): Promise<number> =>
  withStores(config, { projector: false }, async ({ store }) => {
    const bar = progressBar('replaying')
    const head = (await store.head())?.commit ?? 0n
    try {
      const onProgress = (events: number): void =>
        bar.show(events, Math.max(events, Number(head)), `${grouped(events)} events`)
      const result = await replay({ store, signal, onProgress, ...flags })
      bar.end()
      console.log(json ? toJson(result) : replayLines(result))
      if (flags.account === undefined || result.balances.length > 0) return 0
      console.error(`There was no account ${flags.account} by then.`)
      return 1
    } finally {
      bar.end()
    }
  })
