import { z } from 'zod'
import { BookId } from '../domain/ledger/events.ts'
import { OpeningPlan } from '../domain/openings.ts'
import type { SealedFields, Vault } from '../domain/vault.ts'
import { type Asker, query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
import type { NumberedPage } from './paging.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database } from './table.ts'

const OpeningStatus = z.enum(['pending', 'accepted', 'approved', 'completed', 'rejected'])

type Stored = {
  opening: string
  number: string
  plan: OpeningPlan
  card: string
  phone_verified: boolean
  /** What it is kept as; null: none. */
  photo: string | null
  /** accepted: approved, and the customer is being made. */
  status: z.infer<typeof OpeningStatus>
  /** People, by what contracts with integer ids call them. */
  submitted_by: string | null
  decided_by: string | null
  sent_by: string | null
  customer: string | null
  /** The account likewise, and its code. */
  account_id: string | null
  account: string | null
  submitted_at: Date
  decided_at: Date | null
  sent_at: Date | null
  changed_at: Date
  application: string | null
  reason: string | null
}

type Numbered = 'number' | 'submitted_by' | 'decided_by' | 'sent_by' | 'customer' | 'account_id'

export type OpeningView = Omit<Stored, Numbered | 'application'> & {
  readonly [Name in Exclude<Numbered, 'number'>]: number | null
} & {
  readonly number: number
  /** As it was sealed; null once the applicant has been forgotten. */
  readonly application: SealedFields | null
}

const numberOf = (text: string | null): number | null => (text === null ? null : Number(text))

const selectOpenings = async (
  sql: Database,
  vault: Vault,
  where: Conditions,
  rest: string,
): Promise<OpeningView[]> => {
  const { rows } = await sql.query<Stored>(
    `select o.opening, o.number, o.plan, o.card, o.phone_verified, o.photo, o.status, o.application,
       o.reason, o.submitted_at, o.decided_at, o.sent_at, o.changed_at, o.account,
       s.number as submitted_by, d.number as decided_by, t.number as sent_by, c.number as customer,
       a.metadata->>'id' as account_id
     from openings o left join users s on s.id = o.submitted_by
       left join users d on d.id = o.decided_by left join users t on t.id = o.sent_by
       left join users c on c.id = o.opening
       left join accounts a on a.book = o.book and a.account = o.account
     ${where.where()} ${rest}`,
    where.values,
  )
  const sealed = rows.flatMap(({ opening: subject, application, reason }) =>
    [application, reason].map((text) => ({ subject, sealed: text ?? '' })),
  )
  const texts = await openSome(vault, sealed)
  return rows.map((row, index) => ({
    ...row,
    number: Number(row.number),
    submitted_by: numberOf(row.submitted_by),
    decided_by: numberOf(row.decided_by),
    sent_by: numberOf(row.sent_by),
    customer: numberOf(row.customer),
    account_id: numberOf(row.account_id),
    application: texts[2 * index] ?? null,
    reason: texts[2 * index + 1]?.text ?? null,
  }))
}

/** As `openAll`, with nothing for what is empty. */
const openSome = async (
  vault: Vault,
  texts: readonly { readonly subject: string; readonly sealed: string }[],
): Promise<(SealedFields | null)[]> => {
  const opened = (await vault.openAll(texts.filter(({ sealed }) => sealed !== ''))).values()
  return texts.map(({ sealed }) => (sealed === '' ? null : (opened.next().value ?? null)))
}

/** Who is out with customers sees what he has submitted himself. */
const visible = ({ book, asset }: { book: string; asset: string }, asker: Asker): Conditions => {
  const where = conditions()
  where.add('o.book = ? and o.asset = ?', book, asset)
  if (asker.reach !== 'all') where.add('o.submitted_by = ?', asker.id)
  return where
}

const reads = ['openings', 'users', 'accounts']
const Kept = { book: BookId, asset: z.string() }

/** By the number that contracts with integer ids call it. */
export const findOpening = query({
  name: 'openings.find',
  permission: 'openings:work',
  input: z.strictObject({ ...Kept, number: z.int() }),
  reads,
  run: async (sql, { number, ...kept }, asker, vault) => {
    const where = visible(kept, asker)
    where.add('o.number = ?', number)
    return (await selectOpenings(sql, vault, where, ''))[0]
  },
})

/** A numbered page, the newest first. */
export const pageOpenings = query({
  name: 'openings.page',
  permission: 'openings:work',
  input: z.strictObject({
    ...{ ...Kept, plan: OpeningPlan.optional(), statuses: z.array(OpeningStatus).optional() },
    ...numbering,
  }),
  reads,
  run: async (sql, input, asker, vault): Promise<NumberedPage<OpeningView>> => {
    const { plan, statuses, page, page_size } = input
    const where = visible(input, asker)
    where.addIf('o.plan = ?', plan)
    where.addIf('o.status = any(?)', statuses)
    return readNumbered(
      sql,
      { page, page_size, from: 'from openings o', where, order: 'o.number desc' },
      (rest) => selectOpenings(sql, vault, where, rest),
    )
  },
})
