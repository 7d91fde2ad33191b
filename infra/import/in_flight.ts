/**
 * Begins `work` on one item after another, in their order, with at most `limit` of them unfinished.
 * The first failure ends it once all that had begun has ended, and is thrown; so does an abort.
 */
export const inFlight = async <Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const unfinished = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  try {
    for await (const item of items) {
      const begun: Promise<void> = work(item)
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => unfinished.delete(begun))
      unfinished.add(begun)
      if (unfinished.size >= limit) await Promise.race(unfinished)
      if (failure || signal.aborted) break
    }
  } finally {
    await Promise.all(unfinished)
  }
  if (failure) throw failure.error
  signal.throwIfAborted()
}
