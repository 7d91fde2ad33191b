import { type Decoded, decode, PoisonedEvent } from '../domain/kernel.ts'
import type { TransactionLabelled } from '../domain/labels.ts'
import { labelEvents } from '../domain/labels.ts'
import { ledgerEvents } from '../domain/ledger/events.ts'
import type { EventStore, Recorded } from '../domain/log.ts'
import { BOOK_PREFIX } from './book.ts'
import { applyLabel, apply as applyMovement, features, initialFeatures } from './features.ts'
import { hearBefore } from './labels.ts'
import type { Movement } from './movements.ts'
import { movementsOf, observationOf } from './movements.ts'

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

/** None of what is no posting, and of what cannot be read, which has no score either. */
const movementsIn = (event: Recorded): Movement[] => {
  if (event.type !== 'EntryPosted' && event.type !== 'EntriesPosted') return []
  try {
    return movementsOf(decode(ledgerEvents, event) as Decoded)
  } catch (error) {
    if (error instanceof PoisonedEvent) return []
    throw error
  }
}

const lengthOf = async ({ store, book, signal }: Walk): Promise<number> => {
  const backwards = { direction: 'backwards', limit: 1, signal } as const
  for await (const last of store.readStream(BOOK_PREFIX + book, backwards)) return last.revision + 1
  return 0
}

/**
 * Goes through a book as the scorer did, from its beginning to where it ends now, labels heard where
 * they lie in the log, and gives each movement that is scored. Memory is bounded as the scorer's is. Throws when a label
 * cannot be read, and when aborted.
 */
export async function* replayBook(walk: Walk): AsyncGenerator<Replayed> {
  const { store, book, signal, onProgress } = walk
  // What is posted meanwhile may follow labels that were not there yet when they were read.
  const limit = await lengthOf(walk)
  const state = initialFeatures()
  const hearing = { next: 0, waiting: [], complete: false }
  for await (const event of store.readStream(BOOK_PREFIX + book, { limit, signal })) {
    signal.throwIfAborted()
    if (event.revision % TELL_EVERY === 0) onProgress?.(event.revision / limit)
    const movements = movementsIn(event)
    if (movements.length === 0) continue
    await hearBefore(store, book, hearing, event, (label) => applyLabel(state, label))
    for (const movement of movements) {
      const observation = observationOf(movement)
      if (movement.scored) yield { movement, vector: features(state, observation) }
      applyMovement(state, observation)
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
