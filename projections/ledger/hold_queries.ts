import { z } from 'zod'
import { AccountCode, BookId, Identifier } from '../../domain/ledger/events.ts'
import { query } from '../kernel.ts'
import { decodeCursor, pageOf, paging } from '../paging.ts'
import { onlyReached } from '../reach.ts'
import { conditions } from '../select.ts'

export type HoldView = {
  book: string
  hold: string
  account: string
  asset: string
  kind: string
  amount: string
  left: string
  status: string
  description: string
  placed_at: Date
  expires_at: Date | null
  ended_at: Date | null
}

const selectHolds = `
  select h.book, h.hold, h.account, h.asset, h.kind, h.amount, h.left_amount as left, h.status,
    h.description, h.placed_at, h.expires_at, h.ended_at
  from holds h join accounts a on a.book = h.book and a.account = h.account`

export const listHolds = query({
  name: 'holds.list',
  permission: 'holds:read',
  input: z.strictObject({
    book: BookId,
    account: AccountCode.optional(),
    status: z.enum(['open', 'captured', 'released', 'expired']).optional(),
    ...paging,
  }),
  reads: ['holds', 'accounts', 'assignments'],
  run: async (sql, input, asker) => {
    const where = conditions()
    where.add('h.book = ?', input.book)
    where.addIf('h.account = ?', input.account)
    where.addIf('h.status = ?', input.status)
    onlyReached(where, asker, 'a.owner')
    const after = decodeCursor(input.cursor, 1)
    if (after) where.add('h.hold > ?', after[0])
    const { rows } = await sql.query<HoldView>(
      `${selectHolds}${where.where()} order by h.hold limit ${input.limit + 1}`,
      where.values,
    )
    return pageOf(rows, input.limit, ({ hold }) => [hold])
  },
})

export const getHold = query({
  name: 'holds.get',
  permission: 'holds:read',
  input: z.strictObject({ book: BookId, hold: Identifier }),
  reads: ['holds', 'accounts', 'assignments'],
  run: async (sql, { book, hold }, asker) => {
    const where = conditions()
    where.add('h.book = ? and h.hold = ?', book, hold)
    onlyReached(where, asker, 'a.owner')
    const { rows } = await sql.query<HoldView>(selectHolds + where.where(), where.values)
    return rows[0]
  },
})
