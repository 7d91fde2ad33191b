import type { EventStore } from '../domain/log.ts'

/** A store, and a way to hear of the events of a type that are appended through it. */
export const hearEvents = <Data>(store: EventStore, type: string) => {
  let hear = (_data: Data): void => undefined
  return {
    store: {
      ...store,
      append: async (stream, expected, events) => {
        const result = await store.append(stream, expected, events)
        if (result.outcome === 'appended') {
          for (const event of events) if (event.type === type) hear(event.data as Data)
        }
        return result
      },
    } satisfies EventStore,
    heardBy: (listener: typeof hear): void => {
      hear = listener
    },
  }
}
