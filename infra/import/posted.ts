import { decode } from '../../domain/kernel.ts'
import { type Entry, entriesOf } from '../../domain/ledger/events.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import type { EventStore } from '../../domain/log.ts'

/** Entries of a book that are there already, by the `command` of their events. */
export type Posted = {
  /** Undefined says nothing: it may be there all the same, far from where the last one was. */
  find(command: string): Promise<Entry | undefined>
}

const WINDOW = 4096

/**
 * Reads a book's own stream once, forwards, and keeps its newest entries. Asked in about the order
 * in which they were posted, it finds them all, many times faster than one read for each.
 */
export const readPosted = (store: EventStore, book: string, signal: AbortSignal): Posted => {
  const stream = `${Ledger.category}-${book}`
  const events = store.readStream(stream, { signal })[Symbol.asyncIterator]()
  const window = new Map<string, Entry>()
  let ended = false

  const readOn = async (): Promise<void> => {
    const { value: event, done } = await events.next()
    ended = done === true
    const command = event?.metadata.command
    if (!event || command === undefined) return
    const [entry] = entriesOf(decode(Ledger.schemas, event))
    if (!entry) return
    window.set(command, entry)
    const [oldest] = window.keys()
    if (window.size > WINDOW && oldest !== undefined) window.delete(oldest)
  }

  return {
    find: async (command) => {
      while (!window.has(command) && !ended) await readOn()
      const entry = window.get(command)
      window.delete(command)
      return entry
    },
  }
}
