import { decode, refuse } from '../../domain/kernel.ts'
import { type Entry, entriesOf } from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { Ports } from '../ports.ts'
import { PostBatch, PostEntry, ReverseEntry } from './inputs.ts'
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
