import { decode, refuse } from '../../domain/kernel.ts'
import { type Entry, entriesOf } from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { Ports } from '../ports.ts'
import { PostBatch, PostEntry, PostTransfer, ReverseEntry } from './inputs.ts'
import { bookCommand, entryOf, posterOf, postingOf } from './kernel.ts'

/** Several lines, several assets, anywhere in the book: for staff who keep the books. */
export const postEntry = bookCommand({
  name: 'entries.post',
  permission: 'entries:post',
  input: PostEntry,
  enrich: ({ book: _book, ...input }, enrichment) => ({
    posting: postingOf(input, enrichment),
    poster: posterOf(enrichment),
  }),
  decide: Ledger.decide.post,
  answer: entryOf,
})

/** What others' accounts stand at is none of a customer's business. */
const withBalancesOf = (account: string, entry: Entry): Entry => ({
  ...entry,
  lines: entry.lines.map((line) => (line.account === account ? line : { ...line, balance: '' })),
})

export const postTransfer = bookCommand({
  name: 'transfers.post',
  permission: 'transfers:post',
  input: PostTransfer,
  enrich: ({ book: _book, from, to, amount, hold_until, ...input }, enrichment) => {
    if (from === to) return refuse('SAME_ACCOUNT', `Both are ${from}.`, { field: 'to' })
    if (hold_until !== undefined && enrichment.reach === 'own') {
      return refuse('NOT_PERMITTED', 'Only staff decide what is held on an account.', {
        field: 'hold_until',
      })
    }
    const lines = [
      { account: from, direction: 'debit' as const, amount },
      { account: to, direction: 'credit' as const, amount },
    ]
    const holds = hold_until ? [{ account: to, amount, until: hold_until }] : undefined
    return {
      posting: postingOf({ ...input, lines, ...(holds && { holds }) }, enrichment),
      poster: posterOf(enrichment),
    }
  },
  decide: Ledger.decide.post,
  answer: (events, { from }, { poster }) => {
    const entry = entryOf(events)
    return poster.owner === null ? entry : withBalancesOf(from, entry)
  },
})

/** All entries or none, as one event. */
export const postBatch = bookCommand({
  name: 'batches.post',
  permission: 'entries:post',
  input: PostBatch,
  enrich: ({ entries }, enrichment) => ({
    postings: entries.map((entry, index) => postingOf(entry, enrichment, `${index}`)),
    poster: posterOf(enrichment),
  }),
  decide: Ledger.decide.postBatch,
  answer: (events) => ({ entries: events.flatMap(entriesOf) }),
})

export const readEntry = async (
  ports: Ports,
  book: string,
  id: string,
): Promise<Entry | undefined> => {
  const revision = await ports.index.locate(book, id)
  if (revision === undefined) return undefined
  const stream = `${Ledger.category}-${book}`
  for await (const recorded of ports.store.readStream(stream, { from: revision, limit: 1 })) {
    return entriesOf(decode(Ledger.schemas, recorded)).find((entry) => entry.id === id)
  }
  return undefined
}

export const reverseEntry = bookCommand({
  name: 'entries.reverse',
  permission: 'entries:reverse',
  input: ReverseEntry,
  enrich: async ({ book, entry, description }, enrichment) => {
    const original = await readEntry(enrichment.ports, book, entry)
    if (!original) return refuse('ENTRY_NOT_FOUND', `There is no entry ${entry}.`, { entry })
    return {
      original,
      id: enrichment.newId(),
      at: enrichment.at,
      description,
      poster: posterOf(enrichment),
    }
  },
  decide: Ledger.decide.reverse,
  answer: entryOf,
})
