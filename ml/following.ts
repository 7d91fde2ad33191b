import { type Decoded, decode, PoisonedEvent } from '../domain/kernel.ts'
import { ledgerEvents } from '../domain/ledger/events.ts'
import type { EventStore, Recorded } from '../domain/log.ts'
import {
  applyLabel,
  apply as applyMovement,
  type FeatureState,
  initialFeatures,
  loadFeatures,
  type Observation,
  type SavedFeatures,
} from './features.ts'
import { type Hearing, hearBefore } from './labels.ts'
import { type Movement, movementsOf, observationOf } from './movements.ts'

/** Feature states by scores stream: a cache, any of them may be gone. */
export type Snapshots = {
  load(stream: string, version: number): Promise<{ revision: number; saved: unknown } | undefined>
  save(stream: string, version: number, revision: number, saved: unknown): Promise<void>
}

/** What of a book a snapshot keeps. */
export type SavedBook = {
  readonly scores: number
  readonly labels: number
  readonly features: SavedFeatures
}

/** How far the features of a book have come. */
export type Followed = {
  readonly features: FeatureState
  readonly hearing: Hearing
  /** The book revision to apply next. */
  next: number
}

export const BOOK_PREFIX = 'book-'

const hearingFrom = (next: number): Hearing => ({ next, waiting: [], complete: false })

/** Before anything of a book was seen. */
export const fromBeginning = (): Followed => ({
  ...{ features: initialFeatures(), hearing: hearingFrom(0), next: 0 },
})

/** From what was saved after this revision; undefined when it does not fit these features. */
export const fromSaved = (
  { labels, features: saved }: SavedBook,
  revision: number,
): Followed | undefined => {
  const features = loadFeatures(saved)
  return features && { features, hearing: hearingFrom(labels), next: revision + 1 }
}

/**
 * What moves in an event of a book. Only postings move money: the others need no schema to be
 * passed over. Throws PoisonedEvent.
 */
export const movementsIn = (event: Recorded): Movement[] =>
  event.type === 'EntryPosted' || event.type === 'EntriesPosted'
    ? movementsOf(decode(ledgerEvents, event) as Decoded)
    : []

/** The same, and nothing of what is bad in the log itself: waiting for it would be for ever. */
export const readableMovementsIn = (
  event: Recorded,
  tell: (error: PoisonedEvent) => void,
): Movement[] => {
  try {
    return movementsIn(event)
  } catch (error) {
    if (!(error instanceof PoisonedEvent)) throw error
    tell(error)
    return []
  }
}

/**
 * Takes the features one event further, and gives each movement before it counts. Labels count from
 * where they lie in the log, so that a replay sees what was seen.
 */
export async function* follow(
  store: EventStore,
  book: string,
  followed: Followed,
  event: Recorded,
  movements: readonly Movement[],
): AsyncGenerator<{ readonly movement: Movement; readonly observation: Observation }> {
  const { features, hearing } = followed
  if (movements.length > 0) {
    await hearBefore(store, book, hearing, event, (label) => applyLabel(features, label))
  }
  for (const movement of movements) {
    const observation = observationOf(movement)
    yield { movement, observation }
    applyMovement(features, observation)
  }
  followed.next = event.revision + 1
}
