import { z } from 'zod'
import { CashAdvanceStatus, cashAdvanceEvents, isOverdue } from '../domain/cash_advances.ts'
import { BookId } from '../domain/ledger/events.ts'
import type { Vault } from '../domain/vault.ts'
import { type Asker, projection, query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
import type { NumberedPage } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'
import { openTexts } from './texts.ts'

/** `unbooked`: the step that has happened and the ledger has not booked yet, since `changed_at`. */
const cashAdvances: Table = {
  name: 'cash_advances',
  columns: {
    advance: 'text',
    number: 'bigint',
    book: 'text',
    asset: 'text',
    amount: 'numeric',
    repayment_date: 'date',
    reason: 'text',
    notes: 'text',
    status: 'text',
    unbooked: 'text',
    requested_by: 'text',
    requested_at: 'timestamptz',
    decided_by: 'text',
    decided_at: 'timestamptz',
    rejection: 'text',
    disbursed_by: 'text',
    disbursed_at: 'timestamptz',
    repaid_to: 'text',
    repaid_at: 'timestamptz',
    changed_at: 'timestamptz',
  },
  key: ['advance'],
  indexes: [
    ['number'],
    ['requested_by', 'number'],
    ['book', 'status', 'number'],
    { columns: ['number'], where: 'unbooked is not null' },
  ],
}

const before = {
  ...{ status: 'pending', unbooked: null, decided_by: null, decided_at: null, rejection: '' },
  ...{ disbursed_by: null, disbursed_at: null, repaid_to: null, repaid_at: null },
}

export const cashAdvanceBook = projection({
  name: 'cash_advances',
  version: 1,
  tables: [cashAdvances],
  schemas: cashAdvanceEvents,
  on: {
    CashAdvanceRequested: ({ data }, rows) =>
      rows.put(cashAdvances, { ...data, ...before, changed_at: data.requested_at }),
    CashAdvanceApproved: ({ data: { advance, approved_by: decided_by, approved_at } }, rows) =>
      rows.patch(
        cashAdvances,
        { advance },
        { status: 'approved', decided_by, decided_at: approved_at, changed_at: approved_at },
      ),
    CashAdvanceRejected: ({ data: { advance, reason, rejected_by, rejected_at } }, rows) =>
      rows.patch(
        cashAdvances,
        { advance },
        {
          ...{ status: 'rejected', rejection: reason, decided_by: rejected_by },
          ...{ decided_at: rejected_at, changed_at: rejected_at },
        },
      ),
    CashAdvanceDisbursed: ({ data: { advance, disbursed_by, disbursed_at } }, rows) =>
      rows.patch(
        cashAdvances,
        { advance },
        {
          ...{ status: 'disbursed', unbooked: 'disbursement', disbursed_by, disbursed_at },
          changed_at: disbursed_at,
        },
      ),
    CashAdvanceRepaid: ({ data: { advance, repaid_to, repaid_at } }, rows) =>
      rows.patch(
        cashAdvances,
        { advance },
        { status: 'repaid', unbooked: 'repayment', repaid_to, repaid_at, changed_at: repaid_at },
      ),
    CashAdvanceBooked: ({ data: { advance } }, rows) =>
      rows.patch(cashAdvances, { advance }, { unbooked: null }),
  },
})

/** People by the numbers that contracts with integer ids call them; null where it is no user. */
export type CashAdvanceView = {
  advance: string
  number: number
  asset: string
  amount: string
  /** ISO day. */
  repayment_date: string
  /** Texts are null once the person was forgotten. */
  reason: string | null
  notes: string | null
  status: z.infer<typeof CashAdvanceStatus>
  /** Whether it was to be back before today. */
  overdue: boolean
  requested_by: string
  requested_by_number: number | null
  requested_at: Date
  decided_by_number: number | null
  decided_at: Date | null
  rejection: string | null
  disbursed_by_number: number | null
  disbursed_at: Date | null
  repaid_to_number: number | null
  repaid_at: Date | null
  changed_at: Date
}

type Stored = Omit<CashAdvanceView, 'overdue'> & {
  reason: string
  notes: string
  rejection: string
}

const numberOf = (stored: number | null): number | null => (stored === null ? null : Number(stored))

const viewsOf = async (
  rows: readonly Stored[],
  { at }: Asker,
  vault: Vault,
): Promise<CashAdvanceView[]> => {
  const texts = rows.flatMap(({ requested_by: subject, reason, notes, rejection }) =>
    [reason, notes, rejection].map((sealed) => ({ subject, sealed })),
  )
  const opened = await openTexts(vault, texts)
  const today = at.toISOString().slice(0, 10)
  return rows.map((row, index) => ({
    ...row,
    number: Number(row.number),
    requested_by_number: numberOf(row.requested_by_number),
    decided_by_number: numberOf(row.decided_by_number),
    disbursed_by_number: numberOf(row.disbursed_by_number),
    repaid_to_number: numberOf(row.repaid_to_number),
    reason: opened[3 * index] ?? null,
    notes: opened[3 * index + 1] ?? null,
    rejection: opened[3 * index + 2] ?? null,
    overdue: isOverdue(row.status, row.repayment_date, today),
  }))
}

const selectAdvances = async (
  sql: Database,
  where: Conditions,
  rest: string,
): Promise<Stored[]> => {
  const { rows } = await sql.query<Stored>(
    `select c.advance, c.number, c.asset, c.amount, c.repayment_date::text, c.reason, c.notes,
       c.status, c.requested_by, r.number as requested_by_number, c.requested_at,
       d.number as decided_by_number, c.decided_at, c.rejection,
       h.number as disbursed_by_number, c.disbursed_at, t.number as repaid_to_number, c.repaid_at,
       c.changed_at
     from cash_advances c left join users r on r.id = c.requested_by
       left join users d on d.id = c.decided_by left join users h on h.id = c.disbursed_by
       left join users t on t.id = c.repaid_to
     ${where.where()} ${rest}`,
    where.values,
  )
  return rows
}

const reads = ['cash_advances', 'users']
const Kept = { book: BookId, asset: z.string() }

/** For whoever may take it further: by the number that contracts with integer ids call it. */
export const findCashAdvance = query({
  name: 'cash_advances.find',
  permission: 'advances:decide',
  input: z.strictObject({ ...Kept, number: z.int() }),
  reads,
  run: async (sql, { book, asset, number }, asker, vault) => {
    const where = conditions()
    where.add('c.book = ? and c.asset = ? and c.number = ?', book, asset, number)
    return (await viewsOf(await selectAdvances(sql, where, 'limit 1'), asker, vault))[0]
  },
})

/** A numbered page, newest first; below managers, of one's own. */
export const pageCashAdvances = query({
  name: 'cash_advances.page',
  permission: 'advances:request',
  input: z.strictObject({
    ...{ ...Kept, status: CashAdvanceStatus.optional() },
    ...numbering,
  }),
  reads,
  run: async (sql, input, asker, vault): Promise<NumberedPage<CashAdvanceView>> => {
    const { book, asset, status, page, page_size } = input
    const where = conditions()
    where.add('c.book = ? and c.asset = ?', book, asset)
    where.addIf('c.status = ?', status)
    if (asker.reach !== 'all') where.add('c.requested_by = ?', asker.id)
    const from = 'from cash_advances c'
    return readNumbered(
      sql,
      { page, page_size, from, where, order: 'c.number desc' },
      async (rest) => viewsOf(await selectAdvances(sql, where, rest), asker, vault),
    )
  },
})
