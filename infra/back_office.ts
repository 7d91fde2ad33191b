import type { EntryIndex, Ports, ScoreIndex } from '../commands/ports.ts'
import { decode } from '../domain/kernel.ts'
import { entriesOf } from '../domain/ledger/events.ts'
import type { EventStore } from '../domain/log.ts'
import { riskEvents, type TransactionScored } from '../domain/risk.ts'
import type { Config } from './config.ts'
import { connectEventStore } from './eventstore/client.ts'
import { createLogger } from './log.ts'
import type { Artefacts } from './models/artefacts.ts'
import { createPorts, type SecretName } from './ports.ts'
import { connectPostgres } from './postgres/pool.ts'

/** Where the stores are, and the data directory's own secrets. */
export type Premises = {
  readonly eventStoreUrl: string
  readonly databaseUrl: string
  readonly secret: (name: SecretName) => Buffer
  /** The data directory. */
  readonly directory: string
}

/** The commands without HTTP, for Daybook's own work: the demo bank, imports. */
export type BackOffice = {
  readonly ports: Ports
  readonly artefacts: Artefacts
  /** Finishes what is under way and lets go of the stores. */
  close(): Promise<void>
}

/** Finds what was posted a moment ago in the book itself: the read models may not be there yet. */
const recentEntries = (store: EventStore): EntryIndex => ({
  locate: async (book, entry) => {
    const backwards = { direction: 'backwards' } as const
    for await (const { type, data, revision } of store.readStream(`book-${book}`, backwards)) {
      const entries = entriesOf({ type, data: data as object })
      if (entries.some(({ id }) => id === entry)) return revision
    }
    return undefined
  },
})

/** Finds what was scored a moment ago, likewise. */
const recentScores = (store: EventStore): ScoreIndex => ({
  find: async (book, entry) => {
    for await (const event of store.readStream(`scores-${book}`, { direction: 'backwards' })) {
      const score = decode(riskEvents, event).data as TransactionScored
      if (score.entry === entry) return score
    }
    return undefined
  },
})

/** Throws StartError when a store cannot be used. */
export const openBackOffice = async (config: Config, premises: Premises): Promise<BackOffice> => {
  const { eventStoreUrl, databaseUrl, secret, directory } = premises
  const clock = (): Date => new Date()
  const database = await connectPostgres({ url: databaseUrl, name: 'daybook back office', max: 3 })
  const store = connectEventStore({ url: eventStoreUrl })
  const close = async (): Promise<void> => {
    await Promise.all([store.close(), database.end()])
  }
  try {
    const index = recentEntries(store)
    const scores = recentScores(store)
    // Its work passes no risk gate, which alone has something to tell.
    const log = createLogger({ level: 'silent', file: undefined })
    const settings = { config, log, store, database, index, scores, secret, clock, directory }
    const { ports, artefacts, close: closePorts } = await createPorts(settings)
    return {
      ports,
      artefacts,
      close: async () => {
        await ports.engine.drain()
        await closePorts()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
