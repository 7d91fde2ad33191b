import type { EventStore, Position, Recorded } from '../../domain/log.ts'

const PAGE = 2000

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
  for await (const event of store.readAll({ ...(after && { from: after }), signal })) {
    if (until !== undefined && event.position.commit > until) break
    if (after && event.position.commit <= after.commit) continue
    page.push(event)
    if (page.length === PAGE) {
      yield page
      page = []
    }
  }
  signal.throwIfAborted()
  if (page.length > 0) yield page
  signal.throwIfAborted()
}
