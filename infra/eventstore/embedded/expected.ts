/** The revision a writer says the stream has. */
export type Expected = 'any' | 'no_stream' | 'stream_exists' | number

/** What decides about a write, as the log has it. `last` is -1 before the first event. */
export type Head = {
  readonly last: number
  readonly state: 'live' | 'deleted' | 'tombstoned'
  readonly hasMetadata: boolean
}

export type Verdict =
  | { readonly verdict: 'write' }
  | { readonly verdict: 'written_before'; readonly lastRevision: number }
  | { readonly verdict: 'conflict' }
  | { readonly verdict: 'deleted' }

/** How the rules look into a stream: where an id lies, and which id lies at a revision. */
export type Lookup = {
  readonly revisionOf: (id: string) => number | undefined
  readonly idAt: (revision: number) => string | undefined
}

const WRITE: Verdict = { verdict: 'write' }
const CONFLICT: Verdict = { verdict: 'conflict' }
const DELETED: Verdict = { verdict: 'deleted' }

/** EventStoreDB 24.6, `IndexWriter.CheckCommit`: may these ids be written behind this head? */
export function checkExpected(
  expected: Expected,
  head: Head,
  ids: readonly string[],
  lookup: Lookup,
): Verdict {
  if (head.state === 'tombstoned') return DELETED
  if (expected === 'stream_exists') {
    if (head.state === 'deleted') return DELETED
    if (head.last < 0 && !head.hasMetadata) return CONFLICT
    return checkIds(ids, lookup)
  }
  if (expected === 'any') return checkIds(ids, lookup)
  const revision = expected === 'no_stream' ? -1 : expected
  if (revision > head.last) return CONFLICT
  if (revision === head.last) return WRITE
  const same = countSame(ids, (index) => lookup.idAt(revision + 1 + index))
  if (ids.length > 0 && same === ids.length) {
    return { verdict: 'written_before', lastRevision: revision + ids.length }
  }
  return same === 0 && revision === -1 && head.state === 'deleted' ? WRITE : CONFLICT
}

function checkIds(ids: readonly string[], lookup: Lookup): Verdict {
  let lastRevision = -1
  for (const [index, id] of ids.entries()) {
    const revision = lookup.revisionOf(id)
    if (revision === undefined) return index === 0 ? WRITE : CONFLICT
    lastRevision = revision
  }
  return ids.length === 0 ? WRITE : { verdict: 'written_before', lastRevision }
}

function countSame(ids: readonly string[], idAt: (index: number) => string | undefined): number {
  const different = ids.findIndex((id, index) => idAt(index) !== id)
  return different === -1 ? ids.length : different
}
