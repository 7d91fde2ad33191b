import { type Decoded, type Refusal, refuse } from '../../domain/kernel.ts'
import { type Entry, entriesOf } from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { Poster, Posting } from '../../domain/ledger/request.ts'
import type { Book } from '../../domain/ledger/state.ts'
import { type Enrichment, onExisting } from '../kernel.ts'
import type { Ports } from '../ports.ts'
import type { EntryInput } from './inputs.ts'

/** A command to an existing book, whose input names it. */
export const bookCommand = onExisting({
  decider: Ledger,
  field: 'book',
  otherwise: 'BOOK_NOT_FOUND',
  ifMatch: 'values',
})

/** A book as it lies in memory, or as the log has it: for what is decided about again. */
export const bookAsItStands = async (
  { engine }: Pick<Ports, 'engine'>,
  book: string,
): Promise<{ readonly state: Book; readonly revision: number }> => {
  const stream = `${Ledger.category}-${book}`
  const { state, revision } = engine.peek(stream) ?? (await engine.look(Ledger, stream))
  return { state: state as Book, revision }
}

/** A book as the log has it this moment; refused where there is none. */
export const existingBook = async (
  { engine }: Pick<Ports, 'engine'>,
  book: string,
): Promise<Book | Refusal> => {
  const { state, revision } = await engine.look(Ledger, `${Ledger.category}-${book}`)
  return revision < 0 ? refuse('BOOK_NOT_FOUND', `There is no book ${book}.`) : (state as Book)
}

/** Whose accounts a posting may take from: a customer's own, or anybody's. */
export const posterOf = ({ reach, context }: Enrichment): Poster => ({
  owner: reach === 'all' ? null : context.actor.id,
})

export const postingOf = (
  input: EntryInput,
  { at, newId }: Pick<Enrichment, 'at' | 'newId'>,
  part = '',
): Posting => {
  const { holds, ...rest } = input
  const id = newId(part)
  return {
    ...rest,
    id,
    at,
    holds: holds?.map((hold, index) => ({ ...hold, id: `${id}-${index}` })),
  }
}

/** The one entry that the events hold. A request that posts always leads to it. */
export const entryOf = (events: readonly Decoded[]): Entry => {
  const [entry] = events.flatMap(entriesOf)
  if (!entry) throw new Error('a posting led to no entry')
  return entry
}

/** The data of the event of this type, which the decision always has. */
export const dataOf = <Data extends object>(events: readonly Decoded[], type: string): Data => {
  const event = events.find((candidate) => candidate.type === type)
  if (!event) throw new Error(`the decision led to no ${type}`)
  return event.data as Data
}
