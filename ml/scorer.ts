import { PoisonedEvent } from '../domain/kernel.ts'
import type { Recorded } from '../domain/log.ts'
import { createTurns } from '../domain/turns.ts'
import type { Book, Desk } from './book.ts'
import { apply, catchUp, flush, Overtaken, recall, save } from './book.ts'
import { BOOK_PREFIX, movementsIn } from './following.ts'
import type { Movement } from './movements.ts'

export type Scorer = {
  /**
   * Scores the movements in events of `book-<id>` streams; other streams are passed over. Each
   * stream's events come in order, at least once; what is missing between them is read from the
   * log. Resolves when every score is durable. Throws PoisonedMessage for an event that does not
   * pass its schema, and whatever the store or the model throws; nothing is lost by calling again.
   */
  readonly handle: (events: readonly Recorded[]) => Promise<void>
  /** Waits for the work in hand and saves every feature state. */
  readonly drain: () => Promise<void>
}

/** The event at `messageIndex` of the batch can never be scored. */
export class PoisonedMessage extends Error {
  readonly poison = true
  readonly messageIndex: number
  constructor(messageIndex: number, cause: PoisonedEvent) {
    super(cause.message, { cause })
    this.name = 'PoisonedMessage'
    this.messageIndex = messageIndex
  }
}

type Numbered = { readonly event: Recorded; readonly index: number }

const movementsAt = ({ event, index }: Numbered): Movement[] => {
  try {
    return movementsIn(event)
  } catch (error) {
    throw error instanceof PoisonedEvent ? new PoisonedMessage(index, error) : error
  }
}

const BOOKS_IN_MEMORY = 16
const MOST_ATTEMPTS = 10

/** Exactly one score per movement, in the order of the book, whoever else is scoring it. */
export const createScorer = (desk: Desk): Scorer => {
  const books = new Map<string, Book>()
  const inTurn = createTurns()

  const bookOf = async (id: string): Promise<Book> => {
    const book = books.get(id) ?? (await recall(desk, id))
    books.delete(id)
    books.set(id, book)
    const [oldest] = books.values()
    if (oldest && books.size > BOOKS_IN_MEMORY) {
      await save(desk, oldest)
      books.delete(oldest.id)
    }
    return book
  }

  const advance = async (id: string, batch: readonly Numbered[]): Promise<void> => {
    const book = await bookOf(id)
    // Whatever was recorded before these events can be read by now.
    book.hearing.complete = false
    for (const { event, index } of batch) {
      if (event.revision < book.next) continue
      if (event.revision > book.next) await catchUp(desk, book, event.revision)
      await apply(desk, book, event, movementsAt({ event, index }))
    }
    await flush(desk, book)
  }

  const scoreBook = async (id: string, batch: readonly Numbered[]): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await advance(id, batch)
        return
      } catch (error) {
        // Memory may be ahead of the log now: the next attempt begins from what is durable.
        books.delete(id)
        if (!(error instanceof Overtaken) || attempt === MOST_ATTEMPTS) throw error
        desk.log.warn({ book: id, attempt }, 'another scorer is at work on this book')
      }
    }
  }

  const handle = async (events: readonly Recorded[]): Promise<void> => {
    const numbered = events.map((event, index) => ({ event, index }))
    const ledger = numbered.filter(({ event }) => event.stream.startsWith(BOOK_PREFIX))
    const byStream = Map.groupBy(ledger, ({ event }) => event.stream)
    for (const [stream, batch] of byStream) {
      await scoreBook(stream.slice(BOOK_PREFIX.length), batch)
    }
  }

  return {
    handle: (events) => inTurn(() => handle(events)),
    drain: () =>
      inTurn(async () => {
        for (const book of books.values()) if (book.unsaved > 0) await save(desk, book)
      }),
  }
}
