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
  let unfinished = 0
  let failure: { readonly error: unknown } | undefined
  let wake: (() => void) | undefined

  // One waiter and a count: a race over hundreds of promises for each item costs more than the work.
  const below = async (most: number): Promise<void> => {
    while (unfinished > most) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const begin = async (item: Item): Promise<void> => {
    unfinished += 1
    try {
      await work(item)
    } catch (error) {
      failure ??= { error }
    }
    unfinished -= 1
    wake?.()
  }

  try {
    for await (const item of items) {
      begin(item)
      await below(limit - 1)
      if (failure || signal.aborted) break
    }
  } finally {
    await below(0)
  }
  if (failure) throw failure.error
  signal.throwIfAborted()
}
