import { z } from 'zod'
import type { ClosureReason } from '../domain/closures.ts'
import { BookId } from '../domain/ledger/events.ts'
import type { Vault } from '../domain/vault.ts'
import { query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
import type { NumberedPage } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database } from './table.ts'
import { openTexts } from './texts.ts'

const ClosureStatus = z.enum(['pending', 'accepted', 'approved', 'rejected'])

type Stored = {
  closure: string
  number: string
  /** By what contracts with integer ids call it, and whose it is. */
  account_id: string | null
  account: string
  owner: string
  owner_number: string | null
  reason: z.infer<typeof ClosureReason>
  otp_verified: boolean
  /** accepted: approved, and on its way to the ledger. */
  status: z.infer<typeof ClosureStatus>
  requested_by: string | null
  requested_at: Date
  decided_by: string | null
  decided_at: Date | null
  rejection: string | null
  /** Minor units; null until the account is closed. */
  final_balance: string | null
  changed_at: Date
  remarks: string
}

type Numbered = 'number' | 'account_id' | 'owner_number' | 'requested_by' | 'decided_by'

/** What is personal is null once the owner has been forgotten. */
export type ClosureView = Omit<Stored, Numbered | 'remarks'> & {
  readonly [Name in Exclude<Numbered, 'number'>]: number | null
} & {
  readonly number: number
  readonly other_reason: string | null
  readonly phone: string | null
}

const numberOf = (text: string | null): number | null => (text === null ? null : Number(text))

const selectClosures = async (
  sql: Database,
  vault: Vault,
  where: Conditions,
  rest: string,
): Promise<ClosureView[]> => {
  const { rows } = await sql.query<Stored>(
    `select c.closure, c.number, c.account, c.owner, c.reason, c.otp_verified, c.status, c.remarks,
       c.requested_at, c.decided_at, c.rejection, c.final_balance, c.changed_at,
       o.number as owner_number, r.number as requested_by, d.number as decided_by,
       a.metadata->>'id' as account_id
     from closures c left join users o on o.id = c.owner
       left join users r on r.id = c.requested_by left join users d on d.id = c.decided_by
       left join accounts a on a.book = c.book and a.account = c.account
     ${where.where()} ${rest}`,
    where.values,
  )
  const subjects = rows.map(({ owner: subject }) => subject)
  const sealed = rows.map(({ remarks }, index) => ({
    ...{ subject: subjects[index] ?? '', sealed: remarks },
  }))
  const remarks = await vault.openAll(sealed)
  const rejections = await openTexts(
    vault,
    rows.map(({ owner, rejection }) => ({ subject: owner, sealed: rejection ?? '' })),
  )
  return rows.map(({ remarks: _sealed, ...row }, index) => ({
    ...row,
    number: Number(row.number),
    account_id: numberOf(row.account_id),
    owner_number: numberOf(row.owner_number),
    requested_by: numberOf(row.requested_by),
    decided_by: numberOf(row.decided_by),
    rejection: rejections[index] ?? null,
    other_reason: remarks[index]?.other_reason ?? null,
    phone: remarks[index]?.phone ?? null,
  }))
}

const reads = ['closures', 'users', 'accounts']
const permission = 'closures:manage'
const Kept = { book: BookId, asset: z.string() }

const keptIn = ({ book, asset }: { book: string; asset: string }): Conditions => {
  const where = conditions()
  where.add(
    'c.book = ? and exists (select from accounts k where k.book = c.book and k.account = c.account' +
      ' and k.asset = ?)',
    book,
    asset,
  )
  return where
}

/** By the number that contracts with integer ids call it. */
export const findClosure = query({
  name: 'closures.find',
  permission,
  input: z.strictObject({ ...Kept, number: z.int() }),
  reads,
  run: async (sql, { number, ...kept }, _asker, vault) => {
    const where = keptIn(kept)
    where.add('c.number = ?', number)
    return (await selectClosures(sql, vault, where, ''))[0]
  },
})

/** A numbered page, the newest first. */
export const pageClosures = query({
  name: 'closures.page',
  permission,
  input: z.strictObject({
    ...{ ...Kept, statuses: z.array(ClosureStatus).optional() },
    ...numbering,
  }),
  reads,
  run: async (sql, input, _asker, vault): Promise<NumberedPage<ClosureView>> => {
    const { statuses, page, page_size } = input
    const where = keptIn(input)
    where.addIf('c.status = any(?)', statuses)
    return readNumbered(
      sql,
      { page, page_size, from: 'from closures c', where, order: 'c.number desc' },
      (rest) => selectClosures(sql, vault, where, rest),
    )
  },
})

/** The code of a customer's account, as known once all payments until now are known. */
export const findClosable = query({
  name: 'closures.account',
  permission,
  input: z.strictObject({ ...Kept, id: z.int() }),
  // Payments too, because the command that follows asks whether any of them waits.
  reads: ['accounts', 'payments'],
  run: async (sql, { book, asset, id }) => {
    const { rows } = await sql.query<{ account: string }>(
      `select account from accounts where book = $1 and asset = $2 and metadata->>'id' = $3
         and owner is not null`,
      [book, asset, `${id}`],
    )
    return rows[0]
  },
})
