import { circumstancesOf } from '../domain/labels.ts'
import type { Entry, Line } from '../domain/ledger/events.ts'
import { entriesOf } from '../domain/ledger/events.ts'
import { placesOf } from '../domain/money.ts'
import type { Observation } from './features/state.ts'

/** Money on its way from one account to another; `scored` when it leaves a customer's account. */
export type Movement = {
  readonly book: string
  readonly revision: number
  readonly entry: string
  readonly kind: string
  /** The account debited: whose behaviour is judged. */
  readonly account: string
  /** The account credited. */
  readonly counterparty: string
  /** Minor units of the asset. */
  readonly amount: string
  readonly asset: string
  readonly booked_at: string
  /** Where it was made, and with what, when the entry says so. */
  readonly terminal?: string | undefined
  readonly device?: string | undefined
  readonly scored: boolean
}

export const isCustomer = (account: string): boolean => account.startsWith('customers:')

/** What of an entry the features look at. */
export type EntryView = Pick<Entry, 'id' | 'kind' | 'booked_at' | 'metadata'> & {
  readonly lines: readonly Pick<Line, 'account' | 'direction' | 'amount' | 'asset'>[]
}

type LineView = EntryView['lines'][number]

const largest = (lines: readonly LineView[]): LineView | undefined => {
  let found = lines[0]
  if (lines.length === 1) return found
  for (const line of lines) {
    if (found && BigInt(line.amount) > BigInt(found.amount)) found = line
  }
  return found
}

/**
 * One movement per entry: from its largest debit of a customer's account (of any account when no
 * customer is debited) to the largest credit of the same asset.
 */
export const movementOf = (book: string, revision: number, entry: EntryView): Movement => {
  const debits = entry.lines.filter((line) => line.direction === 'debit')
  const customers = debits.filter((line) => isCustomer(line.account))
  const from = largest(customers.length > 0 ? customers : debits)
  const to = largest(
    entry.lines.filter((line) => line.direction === 'credit' && line.asset === from?.asset),
  )
  if (!from || !to) throw new Error(`entry ${entry.id} has no debit and credit of one asset`)
  return {
    book,
    revision,
    entry: entry.id,
    kind: entry.kind,
    account: from.account,
    counterparty: to.account,
    amount: from.amount,
    asset: from.asset,
    booked_at: entry.booked_at,
    ...circumstancesOf(entry.metadata),
    scored: isCustomer(from.account),
  }
}

/** The movements in an event of the stream `book-<id>`, in order; none for other event types. */
export const movementsOf = (event: {
  readonly stream: string
  readonly revision: number
  readonly type: string
  readonly data: object
}): Movement[] => {
  const book = event.stream.slice('book-'.length)
  return entriesOf(event).map((entry) => movementOf(book, event.revision, entry))
}

/** Major units. A float is enough here: features describe money, they do not book it. */
const majorUnits = (movement: Pick<Movement, 'amount' | 'asset'>): number =>
  Number(movement.amount) / 10 ** placesOf(movement.asset)

/** A movement as the features see it. */
export const observationOf = (
  movement: Omit<Movement, 'book' | 'revision' | 'scored'>,
): Observation => ({
  entry: movement.entry,
  customer: movement.account,
  payee: movement.counterparty,
  terminal: movement.terminal,
  device: movement.device,
  amount: majorUnits(movement),
  at_ms: Date.parse(movement.booked_at),
  kind: movement.kind,
})
