/** What the tests of the scorer share: an event store, the shipped model, and a desk to score at. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ulid } from 'ulid'
import { afterAll, beforeAll } from 'vitest'
import { decode } from '../domain/kernel.ts'
import type { EventStore, NewEvent, Recorded } from '../domain/log.ts'
import { initialPolicy } from '../domain/policies.ts'
import { riskEvents, type TransactionScored } from '../domain/risk.ts'
import { connectEventStore } from '../infra/eventstore/client.ts'
import { startEmbeddedEventStore } from '../infra/eventstore/embedded/index.ts'
import type { Desk } from '../ml/book.ts'
import { loadModel, type Model, SHIPPED_MODEL } from '../ml/model.ts'
import { createScorer, type Scorer } from '../ml/scorer.ts'
import { bookEvents, memory } from './ml-support.ts'

/** One model that answers, and a book that goes by nothing of its own. */
export const deskOf = (store: EventStore, model: Model, changes: Partial<Desk> = {}): Desk => ({
  store,
  snapshots: memory(),
  clock: () => new Date('2026-11-01T00:00:00.000Z'),
  log: { warn: () => undefined },
  withPanel: (work) => work({ champion: model, challengers: [] }),
  policyOf: async () => ({ policy: initialPolicy(), revision: -1 }),
  ...changes,
})

type Opened = { readonly store: EventStore; readonly rival: EventStore; readonly model: Model }

/** Opened once for the tests of a file, and closed behind them. */
export const useScoring = () => {
  const endings: (() => unknown)[] = []
  let opened: Opened | undefined

  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'daybook-scorer-'))
    endings.unshift(() => rm(directory, { recursive: true, force: true }))
    const server = await startEmbeddedEventStore({ directory })
    endings.unshift(server.close)
    const [store, rival] = [connectEventStore(server), connectEventStore(server)]
    const model = await loadModel(SHIPPED_MODEL)
    endings.unshift(() => Promise.all([store.close(), rival.close(), model.close()]))
    opened = { store, rival, model }
  })
  afterAll(async () => {
    for (const end of endings) await end()
  })

  const get = (): Opened => {
    if (!opened) throw new Error('nothing is open yet')
    return opened
  }
  const collect = async (stream: string): Promise<Recorded[]> => {
    const events: Recorded[] = []
    for await (const event of get().store.readStream(stream)) events.push(event)
    return events
  }
  return {
    get,
    collect,
    newScorer: (changes: Partial<Desk> = {}): Scorer =>
      createScorer(deskOf(get().store, get().model, changes)),
    scoresOf: async (book: string): Promise<TransactionScored[]> =>
      (await collect(`scores-${book}`)).map(
        (event) => decode(riskEvents, event).data as TransactionScored,
      ),
    newBook: async (make: (book: string) => NewEvent[] = bookEvents) => {
      const book = `b${ulid().toLowerCase()}`
      const events = make(book)
      for (let place = 0; place < events.length; place += 200) {
        await get().store.append(`book-${book}`, place - 1, events.slice(place, place + 200))
      }
      return { book, recorded: await collect(`book-${book}`) }
    },
  }
}
