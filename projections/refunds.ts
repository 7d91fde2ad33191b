import { z } from 'zod'
import { BookId } from '../domain/ledger/events.ts'
import { RefundReason, refundEvents } from '../domain/refunds.ts'
import type { Vault } from '../domain/vault.ts'
import { projection, query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
import type { NumberedPage } from './paging.ts'
import { onlyReached } from './reach.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'
import { openTexts } from './texts.ts'

const refunds: Table = {
  name: 'refunds',
  columns: {
    refund: 'text',
    payment: 'text',
    number: 'bigint',
    book: 'text',
    amount: 'numeric',
    asset: 'text',
    reason: 'text',
    subject: 'text',
    description: 'text',
    from_owner: 'text',
    to_owner: 'text',
    status: 'text',
    requested_by: 'text',
    requested_at: 'timestamptz',
    decided_by: 'text',
    decided_at: 'timestamptz',
    rejection: 'text',
    failure: 'text',
    settled_at: 'timestamptz',
  },
  key: ['refund'],
  indexes: [
    ['number'],
    ['from_owner', 'number'],
    ['to_owner', 'number'],
    ['book', 'status', 'number'],
    { columns: ['number'], where: "status = 'approved'" },
  ],
}

const undecided = { decided_by: null, decided_at: null, rejection: '' }

export const refundBook = projection({
  name: 'refunds',
  version: 1,
  tables: [refunds],
  schemas: refundEvents,
  on: {
    RefundRequested: ({ data }, rows) => {
      const { debit: _debit, credit: _credit, payment_amount: _of, ...request } = data
      const state = { ...undecided, status: 'pending', failure: null, settled_at: null }
      rows.put(refunds, { ...request, ...state })
    },
    RefundApproved: ({ data: { refund, approved_by, approved_at } }, rows) =>
      rows.patch(
        refunds,
        { refund },
        { status: 'approved', decided_by: approved_by, decided_at: approved_at },
      ),
    RefundRejected: ({ data: { refund, reason, rejected_by, rejected_at } }, rows) =>
      rows.patch(
        refunds,
        { refund },
        {
          ...{ status: 'rejected', rejection: reason },
          ...{ decided_by: rejected_by, decided_at: rejected_at },
        },
      ),
    RefundProcessed: ({ data: { refund, processed_at } }, rows) =>
      rows.patch(
        refunds,
        { refund },
        { status: 'processed', failure: null, settled_at: processed_at },
      ),
    RefundFailed: ({ data: { refund, code, failed_at } }, rows) =>
      rows.patch(refunds, { refund }, { status: 'failed', failure: code, settled_at: failed_at }),
  },
})

export const RefundStatus = z.enum(['pending', 'approved', 'processed', 'rejected', 'failed'])

export type RefundView = {
  refund: string
  payment: string
  number: number
  /** What contracts with integer ids call the payment. */
  payment_number: number
  amount: string
  asset: string
  reason: z.infer<typeof RefundReason>
  /** Null once the person was forgotten. */
  description: string | null
  from_owner: string | null
  to_owner: string | null
  /** approved: on its way to the ledger. */
  status: z.infer<typeof RefundStatus>
  requested_by: string
  /** What contracts with integer ids call who asked for it; null where that is no user. */
  requested_by_number: number | null
  requested_at: Date
  decided_by_number: number | null
  decided_at: Date | null
  /** Why it was rejected. */
  rejection: string | null
  /** The code of the refusal that it failed with. */
  failure: string | null
  settled_at: Date | null
}

type Stored = RefundView & { subject: string; description: string; rejection: string }

const numberOf = (stored: number | null): number | null => (stored === null ? null : Number(stored))

const viewsOf = async (rows: readonly Stored[], vault: Vault): Promise<RefundView[]> => {
  const texts = rows.flatMap(({ subject, description, rejection }) => [
    { subject, sealed: description },
    { subject, sealed: rejection },
  ])
  const opened = await openTexts(vault, texts)
  return rows.map(({ subject: _subject, ...row }, index) => ({
    ...row,
    ...{ number: Number(row.number), payment_number: Number(row.payment_number) },
    requested_by_number: numberOf(row.requested_by_number),
    decided_by_number: numberOf(row.decided_by_number),
    description: opened[2 * index] ?? null,
    rejection: opened[2 * index + 1] ?? null,
  }))
}

const from = `from refunds r left join payments p on p.payment = r.payment
  left join users a on a.id = r.requested_by left join users d on d.id = r.decided_by`

const selectRefunds = async (
  sql: Database,
  vault: Vault,
  where: Conditions,
  rest: string,
): Promise<RefundView[]> => {
  const { rows } = await sql.query<Stored>(
    `select r.refund, r.payment, r.number, p.number as payment_number, r.amount, r.asset, r.reason,
       r.subject, r.description, r.from_owner, r.to_owner, r.status, r.requested_by,
       a.number as requested_by_number, r.requested_at, d.number as decided_by_number,
       r.decided_at, r.rejection, r.failure, r.settled_at
     ${from}${where.where()} ${rest}`,
    where.values,
  )
  return viewsOf(rows, vault)
}

const reads = ['refunds', 'payments', 'users', 'assignments']
const Kept = { book: BookId, asset: z.string() }

/** By the number that contracts with integer ids call it. */
export const findRefund = query({
  name: 'refunds.find',
  permission: 'entries:read',
  input: z.strictObject({ ...Kept, number: z.int() }),
  reads,
  run: async (sql, { book, asset, number }, asker, vault) => {
    const where = conditions()
    where.add('r.book = ? and r.asset = ? and r.number = ?', book, asset, number)
    onlyReached(where, asker, 'r.from_owner', 'r.to_owner')
    return (await selectRefunds(sql, vault, where, 'limit 1'))[0]
  },
})

/** A numbered page, newest first. */
export const pageRefunds = query({
  name: 'refunds.page',
  permission: 'entries:read',
  input: z.strictObject({
    ...{ ...Kept, status: RefundStatus.optional(), reason: RefundReason.optional() },
    /** Of one payment, by its number. */
    payment_number: z.int().optional(),
    ...numbering,
  }),
  reads,
  run: async (sql, input, asker, vault): Promise<NumberedPage<RefundView>> => {
    const { book, asset, status, reason, payment_number, page, page_size } = input
    const where = conditions()
    where.add('r.book = ? and r.asset = ?', book, asset)
    where.addIf('r.status = ?', status)
    where.addIf('r.reason = ?', reason)
    where.addIf('p.number = ?', payment_number)
    onlyReached(where, asker, 'r.from_owner', 'r.to_owner')
    return readNumbered(sql, { page, page_size, from, where, order: 'r.number desc' }, (rest) =>
      selectRefunds(sql, vault, where, rest),
    )
  },
})
