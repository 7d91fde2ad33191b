import { z } from 'zod'
import { type Decision, decider, type EventOf } from './kernel.ts'
import { AccountCode, BookId, Identifier, Instant } from './ledger/events.ts'
import { Amount, Asset } from './money.ts'
import { createTable, type StoredTable } from './table.ts'

const Circumstance = z.string().max(512)

/** A movement that was scored: who paid whom, how much and when, and with what if that is known. */
export const ScoredMovement = z.object({
  book: BookId,
  entry: Identifier,
  account: AccountCode,
  counterparty: AccountCode,
  amount: Amount,
  asset: Asset,
  booked_at: Instant,
  terminal: Circumstance.optional(),
  device: Circumstance.optional(),
})
export type ScoredMovement = z.infer<typeof ScoredMovement>

/** Where and with what an entry was made, when its metadata say so. A machine is a terminal. */
export const circumstancesOf = (
  metadata: Readonly<Record<string, string>> = {},
): Pick<ScoredMovement, 'terminal' | 'device'> => {
  const { machine, terminal = machine, device } = metadata
  return { ...(terminal !== undefined && { terminal }), ...(device !== undefined && { device }) }
}

/** Who found out. A correction takes back what somebody got wrong. */
export const LabelSource = z.enum(['analyst', 'chargeback', 'customer', 'correction'])
export type LabelSource = z.infer<typeof LabelSource>

/**
 * What became known of a movement, later than the movement itself: models learn from it. The
 * stream `labels-<book>` has them in the order in which they were recorded; the last one of an
 * entry holds.
 */
export const labelEvents = {
  TransactionLabelled: z.object({
    ...ScoredMovement.shape,
    fraud: z.boolean(),
    source: LabelSource,
    note: z.string().max(512),
    /** The case that was decided, and which of its decisions this is: the first, the second. */
    case: Identifier.optional(),
    round: z.int().min(1).optional(),
    labelled_at: Instant,
  }),
} as const

type LabelEvent = EventOf<typeof labelEvents>
export type TransactionLabelled = z.infer<typeof labelEvents.TransactionLabelled>

type Known = {
  readonly fraud: boolean
  /** Decisions of its case that count already. */
  readonly round: number
}
export type LabelsState = StoredTable<Known>

/** The same again is nothing; anything else is a correction, and holds from now on. */
const label = (labels: LabelsState, data: TransactionLabelled): Decision<LabelEvent> =>
  labels.get(data.entry)?.fraud === data.fraud ? [] : [{ type: 'TransactionLabelled', data }]

/**
 * What a case was decided to be. It is recorded once for each decision, also when the label stays
 * the same: told again later, an old decision must not overrule a correction that came between.
 */
const conclude = (
  labels: LabelsState,
  data: TransactionLabelled & { readonly case: string; readonly round: number },
): Decision<LabelEvent> =>
  (labels.get(data.entry)?.round ?? 0) >= data.round ? [] : [{ type: 'TransactionLabelled', data }]

/** What is known of a book's movements, by entry. */
export const Labels = decider({
  category: 'labels',
  schemas: labelEvents,
  initial: (): LabelsState => createTable<Known>(),
  savepoint: (labels) => labels.savepoint(),
  snapshot: {
    version: 1,
    save: (labels) => [...labels.rows],
    load: (saved) => createTable(saved as [string, Known][]),
  },
  evolve: {
    TransactionLabelled: (labels, { entry, fraud, round }) => {
      labels.set(entry, { fraud, round: round ?? labels.get(entry)?.round ?? 0 })
      return labels
    },
  },
  decide: { label, conclude },
})
