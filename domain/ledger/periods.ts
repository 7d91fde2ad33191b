import { dayOf } from '../calendar.ts'
import { type Decision, refuse } from '../kernel.ts'
import type { LedgerEvent } from './events.ts'
import type { Book, Totals } from './state.ts'

const splitKey = (key: string): { day: string; rest: string } => {
  const bar = key.indexOf('|')
  return { day: key.slice(0, bar), rest: key.slice(bar + 1) }
}

const totalsThrough = (book: Book, through: string): Map<string, Totals> => {
  const sums = new Map<string, Totals>()
  for (const [key, totals] of book.totals.rows) {
    const { day, rest } = splitKey(key)
    if (day > through) continue
    const sum = sums.get(rest)
    sums.set(rest, {
      debit: (sum?.debit ?? 0n) + totals.debit,
      credit: (sum?.credit ?? 0n) + totals.credit,
    })
  }
  return sums
}

/** Closes the books through a day that is over. No entry may bear a value date in it any more. */
export const closePeriod = (
  book: Book,
  command: { readonly through: string; readonly at: string },
): Decision<LedgerEvent> => {
  const { through, at } = command
  if (book.closedThrough !== null && through <= book.closedThrough) {
    return refuse('PERIOD_CLOSED', `The books are closed through ${book.closedThrough} already.`, {
      closed_through: book.closedThrough,
    })
  }
  if (through >= dayOf(at, book.timeZone)) {
    return refuse('PERIOD_NOT_OVER', `${through} has not ended yet.`, { field: 'through' })
  }
  let entries = 0
  for (const [day, count] of book.counts.rows) if (day <= through) entries += count
  const trial_balance = [...totalsThrough(book, through)]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, totals]) => {
      const { day: control, rest: asset } = splitKey(key)
      return { control, asset, debit: totals.debit.toString(), credit: totals.credit.toString() }
    })
  return [{ type: 'PeriodClosed', data: { through, closed_at: at, entries, trial_balance } }]
}

/** Folds the days that are closed now into one, so the book keeps only the open ones apart. */
export const applyPeriodClosed = (book: Book, through: string): Book => {
  const sums = totalsThrough(book, through)
  for (const key of [...book.totals.rows.keys()]) {
    if (splitKey(key).day <= through) book.totals.delete(key)
  }
  for (const [rest, totals] of sums) book.totals.set(`|${rest}`, totals)
  for (const day of [...book.counts.rows.keys()]) {
    if (day <= through) book.counts.delete(day)
  }
  return { ...book, closedThrough: through }
}
