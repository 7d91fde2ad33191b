import { z } from 'zod'
import { BookId } from '../domain/ledger/events.ts'
import { Asset } from '../domain/money.ts'
import { query } from './kernel.ts'

/** Payments asked for in the last day; amounts in minor units, of those that moved money. */
export type DayVolume = {
  readonly count: number
  readonly completed: number
  readonly waiting: number
  readonly failed: number
  readonly amount: string
}

type Counted = Record<'count' | 'completed' | 'waiting' | 'failed' | 'amount', string>

export const getDayVolume = query({
  name: 'payments.day_volume',
  permission: 'operations:read',
  input: z.strictObject({ book: BookId, asset: Asset }),
  reads: ['payments'],
  run: async (sql, { book, asset }, { at }): Promise<DayVolume> => {
    const { rows } = await sql.query<Counted>(
      `select count(*) as count, count(*) filter (where status = 'completed') as completed,
         count(*) filter (where status = 'pending') as waiting,
         count(*) filter (where status = 'failed') as failed,
         coalesce(sum(amount) filter (where status = 'completed'), 0) as amount
       from payments where book = $1 and asset = $2
         and requested_at > $3::timestamptz - interval '1 day' and requested_at <= $3`,
      [book, asset, at],
    )
    const [found] = rows
    if (!found) throw new Error('nothing was counted')
    const { amount, ...counts } = found
    return {
      ...{ count: Number(counts.count), completed: Number(counts.completed), amount },
      ...{ waiting: Number(counts.waiting), failed: Number(counts.failed) },
    }
  },
})
