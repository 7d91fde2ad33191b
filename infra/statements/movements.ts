/** What a statement is made of, read from the read models in portions. */
import type { Pool } from 'pg'
import { dayAfter, dayText } from '../../domain/calendar.ts'
import { OPENING_BALANCE } from '../../domain/deposits.ts'
import { formatMoney } from '../../domain/money.ts'
import { describeMovement, totalOf } from '../../domain/movements.ts'
import type { StatementRequest } from '../../domain/statements.ts'
import type { MovementView } from '../../projections/deposits.ts'
import type { StatementRow } from './pdf.ts'

/** Lines of one account, booked in the period, as the log had them at a position. */
export type Extent = Pick<StatementRequest, 'book' | 'account' | 'from' | 'to'> & {
  readonly position: bigint
}

export type Figures = {
  readonly asset: string
  /** null: no account of a product. */
  readonly product: string | null
  readonly transactions: number
  readonly opening: string
  readonly closing: string
}

const PORTION = 500

/** A balance brought forward is no transaction: it lies in the opening balance. */
const IN_PERIOD = `l.book = $1 and l.account = $2 and l.position <= $3::numeric
  and l.booked_at >= $4::timestamptz and l.booked_at < $5::timestamptz
  and l.kind <> '${OPENING_BALANCE}'`

const valuesOf = ({ book, account, position, from, to }: Extent): unknown[] => [
  book,
  account,
  position.toString(),
  `${from}T00:00:00Z`,
  `${dayAfter(to, 1)}T00:00:00Z`,
]

const NET = `coalesce(sum(case l.direction when 'credit' then l.amount else -l.amount end), 0)`

const FIGURES = `
  with moved as (
    select count(*)::integer as transactions, ${NET} as net from entry_lines l where ${IN_PERIOD}),
  later as (
    select ${NET} as net from entry_lines l
    where l.book = $1 and l.account = $2 and l.position <= $3::numeric
      and l.booked_at >= $5::timestamptz),
  newest as (
    select l.balance from entry_lines l
    where l.book = $1 and l.account = $2 and l.position <= $3::numeric
    order by l.revision desc, l.ordinal desc limit 1),
  stood as (
    select coalesce((select balance from newest), 0) - later.net as balance from later)
  select a.asset, a.metadata->>'product' as product, moved.transactions,
    stood.balance as closing, stood.balance - moved.net as opening
  from accounts a, moved, stood where a.book = $1 and a.account = $2`

/**
 * The closing balance is the newest one without what moved after the period, the opening one that
 * without what moved in it: a period opens as the one before closed, also when what was booked
 * first was recorded last.
 */
export const readFigures = async (database: Pool, extent: Extent): Promise<Figures> => {
  const { rows } = await database.query<Figures>(FIGURES, valuesOf(extent))
  const [figures] = rows
  if (!figures) throw new Error(`account ${extent.account} is not in the read models`)
  return figures
}

/** A line of the account, with what it stood at afterwards in the order of the statement. */
export type BookedMovement = Omit<MovementView, 'balance'> & {
  readonly entry: string
  readonly reference: string | null
  readonly value_date: string
  readonly balance: bigint
}

type Stored = Omit<BookedMovement, 'balance'> & { revision: string; ordinal: number }

const ROWS = `
  select l.revision, l.ordinal, l.entry, l.kind, l.direction, l.amount, l.description,
    e.metadata, e.reference, l.booked_at, l.value_date::text
  from entry_lines l join entries e on e.book = l.book and e.entry = l.entry
  where ${IN_PERIOD} and (l.revision, l.ordinal) > ($6::bigint, $7::integer)
  order by l.revision, l.ordinal limit ${PORTION}`

const signedAmount = ({ direction, amount }: Stored): bigint =>
  direction === 'debit' ? -BigInt(amount) : BigInt(amount)

/** The movements in the order of the book, a portion at a time; progress on the way. */
export async function* readMovements(
  database: Pool,
  extent: Extent,
  opening: string,
  onRows: (rows: number) => void,
): AsyncGenerator<readonly BookedMovement[]> {
  let after: readonly [string, number] = ['-1', 0]
  let balance = BigInt(opening)
  for (;;) {
    const { rows } = await database.query<Stored>(ROWS, [...valuesOf(extent), ...after])
    const moved = rows.map(({ revision: _revision, ordinal: _ordinal, ...row }, index) => {
      balance += signedAmount(rows[index] as Stored)
      return { ...row, balance }
    })
    if (moved.length > 0) yield moved
    onRows(rows.length)
    const last = rows.at(-1)
    if (!last || rows.length < PORTION) return
    after = [last.revision, last.ordinal]
  }
}

/** Adds up what moved, by what it counts as. */
export type Totals = Map<string, bigint>

const rowOf = (movement: BookedMovement, asset: string): StatementRow => ({
  date: dayText(movement.booked_at.toISOString().slice(0, 10)),
  description: describeMovement(movement),
  amount: `${movement.direction === 'debit' ? '-' : '+'}${formatMoney(movement.amount, asset)}`,
  balance: formatMoney(movement.balance, asset),
})

/** The rows as they are printed; totals and progress on the way. */
export async function* readRows(
  database: Pool,
  extent: Extent,
  { asset, opening }: Pick<Figures, 'asset' | 'opening'>,
  totals: Totals,
  onRows: (rows: number) => void,
): AsyncGenerator<readonly StatementRow[]> {
  for await (const movements of readMovements(database, extent, opening, onRows)) {
    for (const movement of movements) {
      const name = totalOf(movement)
      totals.set(name, (totals.get(name) ?? 0n) + BigInt(movement.amount))
    }
    yield movements.map((movement) => rowOf(movement, asset))
  }
}

type Sum = { readonly count: number; readonly sum: bigint }
export type Sums = Readonly<Record<'credit' | 'debit', Sum>>

/** How much moved either way, and how often. */
export const readSums = async (database: Pool, extent: Extent): Promise<Sums> => {
  const { rows } = await database.query<{
    direction: 'credit' | 'debit'
    count: number
    sum: string
  }>(
    `select l.direction, count(*)::integer as count, sum(l.amount) as sum
     from entry_lines l where ${IN_PERIOD} group by l.direction`,
    valuesOf(extent),
  )
  const of = (wanted: 'credit' | 'debit'): Sum => {
    const found = rows.find(({ direction }) => direction === wanted)
    return { count: found?.count ?? 0, sum: BigInt(found?.sum ?? 0) }
  }
  return { credit: of('credit'), debit: of('debit') }
}
