import { z } from 'zod'
import { BookId, Identifier } from '../../domain/ledger/events.ts'
import type { Screening } from '../../domain/screening.ts'
import { query } from '../kernel.ts'
import { decodeCursor, pageOf, paging } from '../paging.ts'
import { conditions } from '../select.ts'

export type ScreenedTransferView = {
  book: string
  transfer: string
  from: string
  to: string
  amount: string
  asset: string
  kind: string
  description: string
  reference: string | null
  metadata: Record<string, string>
  asked_by: string
  asked_at: Date
  screening: Screening
  status: 'held' | 'approved' | 'declined' | 'expired'
  expires_at: Date | null
  decided_by: string | null
  decided_at: Date | null
  reason: string | null
}

const selectTransfers = `
  select book, transfer, from_account as "from", to_account as "to", amount, asset, kind,
    description, reference, metadata, asked_by, asked_at, screening, status, expires_at, decided_by,
    decided_at, reason
  from screened_transfers`

/** Newest first. */
export const listScreenedTransfers = query({
  name: 'screened_transfers.list',
  permission: 'risk:read',
  input: z.strictObject({
    book: BookId,
    status: z.enum(['held', 'approved', 'declined', 'expired']).optional(),
    ...paging,
  }),
  reads: ['screened_transfers'],
  run: async (sql, { book, status, cursor, limit }) => {
    const where = conditions()
    where.add('book = ?', book)
    where.addIf('status = ?', status)
    const after = decodeCursor(cursor, 1)
    if (after) where.add('transfer < ?', after[0])
    const { rows } = await sql.query<ScreenedTransferView>(
      `${selectTransfers}${where.where()} order by transfer desc limit ${limit + 1}`,
      where.values,
    )
    return pageOf(rows, limit, ({ transfer }) => [transfer])
  },
})

export const getScreenedTransfer = query({
  name: 'screened_transfers.get',
  permission: 'risk:read',
  input: z.strictObject({ book: BookId, transfer: Identifier }),
  reads: ['screened_transfers'],
  run: async (sql, { book, transfer }) => {
    const { rows } = await sql.query<ScreenedTransferView>(
      `${selectTransfers} where book = $1 and transfer = $2`,
      [book, transfer],
    )
    return rows[0]
  },
})
