import { setTimeout as wait } from 'node:timers/promises'
import type { EventStore } from '../domain/log.ts'
import type { Observation } from './features.ts'
import { applyLabel, features, REDUCER_VERSION } from './features.ts'
import {
  BOOK_PREFIX,
  type Followed,
  follow,
  fromBeginning,
  fromSaved,
  readableMovementsIn,
  type SavedBook,
  type Snapshots,
} from './following.ts'
import { hearRest, readLabels } from './labels.ts'
import { scoresOf } from './scoring.ts'

export type LiveFeatures = {
  /** The vector of a movement that is not booked yet, after all that the log has of its book now. */
  vectorOf(book: string, observation: Observation): Promise<Float32Array>
}

/** The last revision of a stream as far as it is known here; undefined when it is not. */
export type Heads = {
  readonly ofBook: (book: string) => number | undefined
  readonly ofLabels: (book: string) => Promise<number>
}

type Desk = {
  readonly store: EventStore
  readonly heads: Heads
  readonly snapshots: Pick<Snapshots, 'load'>
  readonly log: { readonly warn: (facts: object, message: string) => void }
  readonly signal: AbortSignal
}

const BOOKS_IN_MEMORY = 16
/** A book that nobody asks for does not fall far behind, so that the next answer is quick. */
const FOLLOW_EVERY_MS = 1_000

/** From the scorer's last snapshot, or from the beginning. */
const takeUp = async ({ snapshots }: Desk, book: string): Promise<Followed> => {
  const snapshot = await snapshots.load(scoresOf(book), REDUCER_VERSION)
  const saved = snapshot && fromSaved(snapshot.saved as SavedBook, snapshot.revision)
  return saved ?? fromBeginning()
}

/**
 * Reads on to the end. The labels first: whatever of the book lies before one of them can be read
 * by then, so that each is told at its own place.
 */
const readOn = async (desk: Desk, book: string, followed: Followed): Promise<void> => {
  const { store, heads, signal } = desk
  if ((await heads.ofLabels(book)) >= followed.hearing.next) {
    await readLabels(store, book, followed.hearing)
  }
  followed.hearing.complete = true
  const head = heads.ofBook(book)
  if (head === undefined || head >= followed.next) {
    const from = { from: followed.next, signal }
    for await (const event of store.readStream(BOOK_PREFIX + book, from)) {
      // Whoever scores it says so.
      const movements = readableMovementsIn(event, () => undefined)
      for await (const _ of follow(store, book, followed, event, movements));
    }
  }
  hearRest(followed.hearing, (label) => applyLabel(followed.features, label))
}

/** Does `work` once for all who ask before it begins; who asks later waits for it to be done anew. */
const together = (work: () => Promise<Followed>): (() => Promise<Followed>) => {
  let running: Promise<unknown> = Promise.resolve()
  let next: Promise<Followed> | undefined
  return () => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined
        const doing = work()
        running = doing
        return doing
      })
    return next
  }
}

type Follow = () => Promise<Followed>

const followBook = (desk: Desk, book: string): Follow => {
  let known: Followed | undefined
  return together(async () => {
    const followed = known ?? (await takeUp(desk, book))
    // Of what ended halfway nobody knows how far it came.
    known = undefined
    await readOn(desk, book, followed)
    known = followed
    return followed
  })
}

/**
 * Follows the books that are asked for, from the scorer's snapshots and the log. Ends with the
 * signal.
 */
export const followFeatures = (desk: Desk): LiveFeatures & { readonly ended: Promise<void> } => {
  const books = new Map<string, Follow>()

  const followOf = (book: string): Follow => {
    const follow = books.get(book) ?? followBook(desk, book)
    books.delete(book)
    books.set(book, follow)
    const [oldest] = books.keys()
    if (oldest !== undefined && books.size > BOOKS_IN_MEMORY) books.delete(oldest)
    return follow
  }
  const keepUp = async (): Promise<void> => {
    const { signal, log } = desk
    while (!signal.aborted) {
      await wait(FOLLOW_EVERY_MS, undefined, { signal }).catch(() => undefined)
      for (const [book, follow] of books) {
        if (signal.aborted) return
        await follow().catch((error: unknown) => {
          if (!signal.aborted) log.warn({ error, book }, 'the features of a book were not followed')
        })
      }
    }
  }
  return {
    vectorOf: async (book, observation) => {
      const followed = await followOf(book)()
      return features(followed.features, observation)
    },
    ended: keepUp(),
  }
}
