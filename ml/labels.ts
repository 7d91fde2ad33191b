import { decode, PoisonedEvent } from '../domain/kernel.ts'
import type { TransactionLabelled } from '../domain/labels.ts'
import { labelEvents } from '../domain/labels.ts'
import type { EventStore, Recorded } from '../domain/log.ts'

/** What of a label the features look at. */
export type Label = {
  readonly entry: string
  readonly fraud: boolean
  /** Milliseconds since the epoch at which the label was recorded. */
  readonly at_ms: number
}

/** How far the labels of a book have been heard. */
export type Hearing = {
  /** The revision in the labels stream to hear next. */
  next: number
  /** Labels that were read, but recorded later than anything that was scored so far. */
  waiting: Recorded[]
  /** Nothing more was there when the stream was read last. */
  complete: boolean
}

const READ_AT_ONCE = 1_000

const labelsOf = (book: string): string => `labels-${book}`

const labelOf = (event: Recorded): Label => {
  try {
    const { entry, fraud, labelled_at } = decode(labelEvents, event).data as TransactionLabelled
    return { entry, fraud, at_ms: Date.parse(labelled_at) }
  } catch (cause) {
    // Not a PoisonedEvent any more: that would name the posting that is being scored.
    if (!(cause instanceof PoisonedEvent)) throw cause
    throw new Error(`${event.stream} cannot be read at ${event.revision}`, { cause })
  }
}

const readOn = async (store: EventStore, book: string, hearing: Hearing): Promise<void> => {
  const from = hearing.next
  for await (const event of store.readStream(labelsOf(book), { from, limit: READ_AT_ONCE })) {
    hearing.waiting.push(event)
  }
  hearing.complete = hearing.waiting.length < READ_AT_ONCE
}

/**
 * Tells of the labels that stand before an event in the log, each once and in their order. Whoever
 * holds an event can read all that was recorded before it, so a replay hears the same at the same
 * place. `complete` must be false unless that event is older than the last reading.
 */
export const hearBefore = async (
  store: EventStore,
  book: string,
  hearing: Hearing,
  event: Recorded,
  tell: (label: Label) => void,
): Promise<void> => {
  for (;;) {
    if (hearing.waiting.length === 0 && !hearing.complete) await readOn(store, book, hearing)
    const [label] = hearing.waiting
    if (!label || label.position.commit > event.position.commit) return
    tell(labelOf(label))
    hearing.waiting.shift()
    hearing.next = label.revision + 1
  }
}

/** Reads all that there is now, so that `hearBefore` need not. */
export const readLabels = async (
  store: EventStore,
  book: string,
  hearing: Hearing,
): Promise<void> => {
  hearing.complete = false
  while (!hearing.complete) {
    const from = hearing.next + hearing.waiting.length
    const page = store.readStream(labelsOf(book), { from, limit: READ_AT_ONCE })
    let count = 0
    for await (const event of page) {
      hearing.waiting.push(event)
      count += 1
    }
    hearing.complete = count < READ_AT_ONCE
  }
}

/** Tells of those that were read and lie after everything that was scored. */
export const hearRest = (hearing: Hearing, tell: (label: Label) => void): void => {
  for (const label of hearing.waiting.splice(0)) {
    tell(labelOf(label))
    hearing.next = label.revision + 1
  }
}
