import { type Decision, isRefusal, type Refusal, refuse } from '../kernel.ts'
import { reduceHold } from './apply.ts'
import type { Entry, LedgerEvent } from './events.ts'
import { tryPosting } from './posting.ts'
import type { Poster, Posting } from './request.ts'
import { type Book, draftOf, type Ledger } from './state.ts'

const decided = (result: { events: readonly LedgerEvent[] } | Refusal): Decision<LedgerEvent> =>
  isRefusal(result) ? result : result.events

/** The refusal when the entry was taken back before; nothing is taken back twice. */
const reversedBefore = (book: Book, original: string): Refusal | undefined => {
  const reversal = book.reversals.get(original)
  if (reversal === undefined) return undefined
  return refuse('ENTRY_REVERSED', `Entry ${original} was reversed by ${reversal}.`, { reversal })
}

export const post = (
  book: Book,
  { posting, poster }: { readonly posting: Posting; readonly poster: Poster },
): Decision<LedgerEvent> =>
  (posting.reverses === undefined ? undefined : reversedBefore(book, posting.reverses)) ??
  decided(tryPosting(book, draftOf(book), posting, poster))

/** All or nothing: one event holds the whole batch, after the expiries it brought about. */
export const postBatch = (
  book: Book,
  command: { readonly postings: readonly Posting[]; readonly poster: Poster },
): Decision<LedgerEvent> => {
  const draft = draftOf(book)
  const entries: Entry[] = []
  const before: LedgerEvent[] = []
  for (const [index, posting] of command.postings.entries()) {
    const result = tryPosting(book, draft, posting, command.poster)
    if (isRefusal(result)) {
      return refuse('BATCH_REFUSED', `Entry ${index}: ${result.detail}`, {
        index,
        code: result.refused,
        ...result.facts,
      })
    }
    entries.push(result.entry)
    before.push(...result.events.slice(0, -1))
  }
  return [...before, { type: 'EntriesPosted', data: { entries } }]
}

/** Deposit holds that the entry brought end with it, or its reversal could never be funded. */
const endHoldsOf = (draft: Ledger, original: Entry, at: string): LedgerEvent[] => {
  const events: LedgerEvent[] = []
  for (const { id } of original.holds ?? []) {
    const hold = draft.holds.get(id)
    if (!hold) continue
    const amount = hold.left.toString()
    reduceHold(draft, id, 0n)
    events.push({
      type: 'HoldReleased',
      data: { hold: id, account: hold.account, amount, released_at: at },
    })
  }
  return events
}

/** A reversal is a new entry that names the old one and mirrors its lines; at most one each. */
export const reverse = (
  book: Book,
  command: {
    readonly original: Entry
    readonly id: string
    readonly at: string
    readonly description?: string | undefined
    readonly poster: Poster
  },
): Decision<LedgerEvent> => {
  const { original, id, at } = command
  const reversed = reversedBefore(book, original.id)
  if (reversed) return reversed
  if (original.reverses !== undefined) {
    return refuse('REVERSAL_OF_REVERSAL', `Entry ${original.id} is itself a reversal.`)
  }
  const draft = draftOf(book)
  const ended = endHoldsOf(draft, original, at)
  const posting: Posting = {
    id,
    at,
    kind: 'reversal',
    lines: original.lines.map(({ account, direction, amount }) => ({
      account,
      amount,
      direction: direction === 'debit' ? 'credit' : 'debit',
    })),
    description: command.description ?? `Reversal of ${original.id}`,
    reverses: original.id,
    ...(original.reference !== undefined && { reference: original.reference }),
  }
  const result = tryPosting(book, draft, posting, command.poster)
  return isRefusal(result) ? result : [...ended, ...result.events]
}
