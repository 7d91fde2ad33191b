import { decode } from '../domain/kernel.ts'
import type { TransactionLabelled } from '../domain/labels.ts'
import { labelEvents } from '../domain/labels.ts'
import type { EventStore } from '../domain/log.ts'
import { features } from './features.ts'
import { BOOK_PREFIX, follow, fromBeginning, readableMovementsIn } from './following.ts'
import type { Movement } from './movements.ts'

/** A movement that is scored, with the vector as the scorer saw it. */
export type Replayed = { readonly movement: Movement; readonly vector: Float32Array }

type Walk = {
  readonly store: EventStore
  readonly book: string
  readonly signal: AbortSignal
  /** How much of the book was read so far, between 0 and 1. */
  readonly onProgress?: (done: number) => void
}

const TELL_EVERY = 1_000

const lengthOf = async ({ store, book, signal }: Walk): Promise<number> => {
  const backwards = { direction: 'backwards', limit: 1, signal } as const
  for await (const last of store.readStream(BOOK_PREFIX + book, backwards)) return last.revision + 1
  return 0
}

/**
 * Goes through a book as the scorer did, from its beginning to where it ends now, labels heard where
 * they lie in the log, and gives each movement that is scored. Memory is bounded as the scorer's is.
 * Throws when a label cannot be read, and when aborted.
 */
export async function* replayBook(walk: Walk): AsyncGenerator<Replayed> {
  const { store, book, signal, onProgress } = walk
  // What is posted meanwhile may follow labels that were not there yet when they were read.
  const limit = await lengthOf(walk)
  const followed = fromBeginning()
  for await (const event of store.readStream(BOOK_PREFIX + book, { limit, signal })) {
    signal.throwIfAborted()
    if (event.revision % TELL_EVERY === 0) onProgress?.(event.revision / limit)
    // What cannot be read has no score either.
    const movements = readableMovementsIn(event, () => undefined)
    for await (const { movement, observation } of follow(store, book, followed, event, movements)) {
      if (movement.scored) yield { movement, vector: features(followed.features, observation) }
    }
  }
}

/** What is known today of each movement that was ever labelled: whether it was fraud. */
export const readVerdicts = async (
  store: EventStore,
  book: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, boolean>> => {
  const verdicts = new Map<string, boolean>()
  for await (const event of store.readStream(`labels-${book}`, { signal })) {
    const { entry, fraud } = decode(labelEvents, event).data as TransactionLabelled
    verdicts.set(entry, fraud)
  }
  return verdicts
}
