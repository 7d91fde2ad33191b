import type { EventStore, Position, Recorded } from '../../domain/log.ts'

const PAGE = 2000

/** An event may hold a batch of a thousand entries, so pages are measured by what is in them. */
const weightOf = ({ data }: Recorded): number => {
  const isBatch = typeof data === 'object' && data !== null && 'entries' in data
  return isBatch && Array.isArray(data.entries) ? Math.max(1, data.entries.length) : 1
}

/**
 * The log in pages of bounded size, after one position and up to another, both by commit.
 * Throws when aborted.
 */
export async function* readPages(
  store: EventStore,
  after: Position | undefined,
  until: bigint | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly Recorded[]> {
  let page: Recorded[] = []
  let weight = 0
  for await (const event of store.readAll({ ...(after && { from: after }), signal })) {
    if (until !== undefined && event.position.commit > until) break
    if (after && event.position.commit <= after.commit) continue
    page.push(event)
    weight += weightOf(event)
    if (weight >= PAGE) {
      yield page
      page = []
      weight = 0
    }
  }
  signal.throwIfAborted()
  if (page.length > 0) yield page
  signal.throwIfAborted()
}
