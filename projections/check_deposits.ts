import { z } from 'zod'
import type { Attachment } from '../domain/attachments.ts'
import { CheckDepositStatus, checkDepositEvents } from '../domain/check_deposits.ts'
import { BookId } from '../domain/ledger/events.ts'
import type { Vault } from '../domain/vault.ts'
import { projection, query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
import type { NumberedPage } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database, Table } from './table.ts'
import { openTexts } from './texts.ts'

/** `unbooked`: the step that has happened and the ledger has not booked yet, since `changed_at`. */
const checkDeposits: Table = {
  name: 'check_deposits',
  columns: {
    check_id: 'text',
    number: 'bigint',
    book: 'text',
    asset: 'text',
    account: 'text',
    owner: 'text',
    amount: 'numeric',
    bank_name: 'text',
    check_number: 'text',
    front: 'jsonb',
    back: 'jsonb',
    status: 'text',
    unbooked: 'text',
    submitted_by: 'text',
    submitted_at: 'timestamptz',
    decided_by: 'text',
    decided_at: 'timestamptz',
    settled_by: 'text',
    settled_at: 'timestamptz',
    reason: 'text',
    owed: 'numeric',
    failure: 'text',
    changed_at: 'timestamptz',
  },
  key: ['check_id'],
  indexes: [
    ['number'],
    ['owner', 'number'],
    ['book', 'status', 'number'],
    { columns: ['number'], where: 'unbooked is not null' },
  ],
}

const before = {
  ...{ status: 'pending', unbooked: null, decided_by: null, decided_at: null, settled_by: null },
  ...{ settled_at: null, reason: '', owed: null, failure: null },
}

const booked = { credit: 'approved', clearing: 'cleared', return: 'returned' } as const

export const checkDepositBook = projection({
  name: 'check_deposits',
  version: 1,
  tables: [checkDeposits],
  schemas: checkDepositEvents,
  on: {
    CheckDepositSubmitted: ({ data: { check: check_id, ...data } }, rows) =>
      rows.put(checkDeposits, { ...data, ...before, check_id, changed_at: data.submitted_at }),
    CheckDepositApproved: ({ data: { check, approved_by, approved_at } }, rows) =>
      rows.patch(
        checkDeposits,
        { check_id: check },
        {
          ...{ status: 'processing', unbooked: 'credit', decided_by: approved_by },
          ...{ decided_at: approved_at, changed_at: approved_at },
        },
      ),
    CheckDepositRejected: ({ data: { check, reason, rejected_by, rejected_at } }, rows) =>
      rows.patch(
        checkDeposits,
        { check_id: check },
        {
          ...{ status: 'rejected', reason, decided_by: rejected_by },
          ...{ decided_at: rejected_at, changed_at: rejected_at },
        },
      ),
    CheckDepositCleared: ({ data: { check, cleared_by, cleared_at } }, rows) =>
      rows.patch(
        checkDeposits,
        { check_id: check },
        {
          ...{ status: 'cleared', unbooked: 'clearing', settled_by: cleared_by },
          ...{ settled_at: cleared_at, changed_at: cleared_at },
        },
      ),
    CheckDepositReturned: ({ data: { check, reason, returned_by, returned_at } }, rows) =>
      rows.patch(
        checkDeposits,
        { check_id: check },
        {
          ...{ status: 'returned', unbooked: 'return', reason, settled_by: returned_by },
          ...{ settled_at: returned_at, changed_at: returned_at },
        },
      ),
    CheckDepositBooked: ({ data: { check, step, owed } }, rows) =>
      rows.patch(
        checkDeposits,
        { check_id: check },
        { status: booked[step], unbooked: null, owed, failure: null },
      ),
    CheckDepositFailed: ({ data: { check, code, failed_at } }, rows) =>
      rows.patch(
        checkDeposits,
        { check_id: check },
        { status: 'failed', unbooked: null, failure: code, changed_at: failed_at },
      ),
  },
})

/** Accounts and people by the numbers that contracts with integer ids call them. */
export type CheckDepositView = {
  check: string
  number: number
  asset: string
  account_number: number | null
  product: string | null
  owner: string
  owner_number: number | null
  amount: string
  bank_name: string
  check_number: string
  front: Attachment
  back: Attachment
  status: z.infer<typeof CheckDepositStatus>
  submitted_by_number: number | null
  submitted_at: Date
  decided_by_number: number | null
  decided_at: Date | null
  settled_by_number: number | null
  settled_at: Date | null
  /** Why it was rejected or returned; null once the account's owner was forgotten. */
  reason: string | null
  /** What the account lacked when the check was returned. */
  owed: string | null
  /** The code of the refusal that its credit failed with. */
  failure: string | null
  changed_at: Date
}

type Stored = CheckDepositView & { reason: string }

const numberOf = (stored: number | null): number | null => (stored === null ? null : Number(stored))

const from = `from check_deposits c
  left join accounts a on a.book = c.book and a.account = c.account
  left join users o on o.id = c.owner left join users s on s.id = c.submitted_by
  left join users d on d.id = c.decided_by left join users f on f.id = c.settled_by`

const selectChecks = async (
  sql: Database,
  vault: Vault,
  where: Conditions,
  rest: string,
): Promise<CheckDepositView[]> => {
  const { rows } = await sql.query<Stored>(
    `select c.check_id as "check", c.number, c.asset, a.metadata->>'id' as account_number,
       a.metadata->>'product' as product, c.owner, o.number as owner_number, c.amount,
       c.bank_name, c.check_number, c.front, c.back, c.status, s.number as submitted_by_number,
       c.submitted_at, d.number as decided_by_number, c.decided_at,
       f.number as settled_by_number, c.settled_at, c.reason, c.owed, c.failure, c.changed_at
     ${from}${where.where()} ${rest}`,
    where.values,
  )
  const texts = rows.map(({ owner: subject, reason: sealed }) => ({ subject, sealed }))
  const opened = await openTexts(vault, texts)
  return rows.map((row, index) => ({
    ...row,
    ...{ number: Number(row.number), reason: opened[index] ?? null },
    account_number: numberOf(row.account_number),
    owner_number: numberOf(row.owner_number),
    submitted_by_number: numberOf(row.submitted_by_number),
    decided_by_number: numberOf(row.decided_by_number),
    settled_by_number: numberOf(row.settled_by_number),
  }))
}

const reads = ['check_deposits', 'accounts', 'users']
const Kept = { book: BookId, asset: z.string() }

/** By the number that contracts with integer ids call it. */
export const findCheckDeposit = query({
  name: 'check_deposits.find',
  permission: 'checks:process',
  input: z.strictObject({ ...Kept, number: z.int() }),
  reads,
  run: async (sql, { book, asset, number }, _asker, vault) => {
    const where = conditions()
    where.add('c.book = ? and c.asset = ? and c.number = ?', book, asset, number)
    return (await selectChecks(sql, vault, where, 'limit 1'))[0]
  },
})

/** A numbered page, newest first. */
export const pageCheckDeposits = query({
  name: 'check_deposits.page',
  permission: 'checks:process',
  input: z.strictObject({
    ...{ ...Kept, status: CheckDepositStatus.optional() },
    /** Whose accounts they are for. */
    owner_number: z.int().optional(),
    ...numbering,
  }),
  reads,
  run: async (sql, input, _asker, vault): Promise<NumberedPage<CheckDepositView>> => {
    const { book, asset, status, owner_number, page, page_size } = input
    const where = conditions()
    where.add('c.book = ? and c.asset = ?', book, asset)
    where.addIf('c.status = ?', status)
    where.addIf('o.number = ?', owner_number)
    return readNumbered(sql, { page, page_size, from, where, order: 'c.number desc' }, (rest) =>
      selectChecks(sql, vault, where, rest),
    )
  },
})
