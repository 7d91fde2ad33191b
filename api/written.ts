import type { EventStore } from '../domain/log.ts'

/** A store, and the log position of the newest event that was appended through it. */
export const noteWrites = (
  store: EventStore,
): { readonly store: EventStore; readonly newest: () => bigint } => {
  let newest = 0n
  return {
    newest: () => newest,
    store: {
      ...store,
      append: async (stream, expected, events) => {
        const result = await store.append(stream, expected, events)
        if (result.outcome === 'appended' && result.position.commit > newest) {
          newest = result.position.commit
        }
        return result
      },
    },
  }
}
