import { z } from 'zod'
import { BookId } from '../../domain/ledger/events.ts'
import { query } from '../kernel.ts'
import { decodeCursor, pageOf, paging } from '../paging.ts'
import { conditions } from '../select.ts'
import { At, asOf } from './at.ts'

export type PeriodView = {
  book: string
  through: string
  closed_at: Date
  entries: string
  trial_balance: { control: string; asset: string; debit: string; credit: string }[]
}

export const listPeriods = query({
  name: 'periods.list',
  permission: 'periods:read',
  input: z.strictObject({ book: BookId, ...paging }),
  reads: ['periods'],
  run: async (sql, { book, cursor, limit }) => {
    const where = conditions()
    where.add('book = ?', book)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('through < ?::date', after[0])
    const { rows } = await sql.query<PeriodView>(
      `select book, through::text, closed_at, entries, trial_balance
       from periods${where.where()} order by through desc limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows, limit, ({ through }) => [through])
  },
})

type TrialRow = { control: string; type: string; asset: string; debit: string; credit: string }
export type TrialBalanceView = {
  book: string
  at: string | null
  lines: TrialRow[]
  totals: { asset: string; debit: string; credit: string; difference: string }[]
}

const balancesNow = `select account, type, asset, balance from accounts where book = $1`

const balancesAt = (condition: string): string => `
  select a.account, a.type, a.asset, l.balance from accounts a cross join lateral (
    select balance from entry_lines where book = a.book and account = a.account
      and ${condition.replace('?', '$2')}
    order by revision desc, ordinal desc limit 1) l
  where a.book = $1`

const trialSql = (balances: string): string => `
  with stood as (${balances}), sides as (
    select split_part(account, ':', 1) as control, type, asset,
      case when type in ('asset', 'expense') = (balance >= 0) then abs(balance) else 0 end as debit,
      case when type in ('asset', 'expense') = (balance >= 0) then 0 else abs(balance) end as credit
    from stood where balance <> 0)
  select control, type, asset, sum(debit) as debit, sum(credit) as credit
  from sides group by control, type, asset order by asset, control, type`

const totalsOf = (lines: readonly TrialRow[]): TrialBalanceView['totals'] => {
  const sums = new Map<string, { debit: bigint; credit: bigint }>()
  for (const { asset, debit, credit } of lines) {
    const sum = sums.get(asset) ?? { debit: 0n, credit: 0n }
    sums.set(asset, { debit: sum.debit + BigInt(debit), credit: sum.credit + BigInt(credit) })
  }
  return [...sums].map(([asset, { debit, credit }]) => ({
    asset,
    debit: debit.toString(),
    credit: credit.toString(),
    difference: (debit - credit).toString(),
  }))
}

/** What the accounts stand at, by control account and side; the difference of each asset is zero, or it is a bug. */
export const trialBalance = query({
  name: 'trial_balance.get',
  permission: 'periods:read',
  input: z.strictObject({ book: BookId, at: At.optional() }),
  reads: ['accounts', 'entries'],
  run: async (sql, { book, at }): Promise<TrialBalanceView> => {
    const past = at === undefined ? undefined : asOf(at)
    const balances = past ? balancesAt(past.condition) : balancesNow
    const { rows } = await sql.query<TrialRow>(
      trialSql(balances),
      past ? [book, past.value] : [book],
    )
    return { book, at: at ?? null, lines: rows, totals: totalsOf(rows) }
  },
})
