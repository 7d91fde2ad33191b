import { createHash } from 'node:crypto'
import { createEngine } from '../commands/engine.ts'
import type { EntryIndex, Ports } from '../commands/kernel.ts'
import { entriesOf } from '../domain/ledger/events.ts'
import type { EventStore } from '../domain/log.ts'
import type { Config } from './config.ts'
import { connectEventStore } from './eventstore/client.ts'
import { connectPostgres } from './postgres/pool.ts'
import { createSnapshots } from './postgres/snapshots.ts'
import { createSecrets } from './secrets.ts'
import { openVault } from './vault.ts'

/** Where the stores are, and the data directory's own secrets. */
export type Premises = {
  readonly eventStoreUrl: string
  readonly databaseUrl: string
  readonly secret: (name: 'tokens' | 'vault') => Buffer
}

/** The commands without HTTP, for Daybook's own work: the demo bank, imports. */
export type BackOffice = {
  readonly ports: Ports
  /** Finishes what is under way and lets go of the stores. */
  close(): Promise<void>
}

/** Any text of enough characters makes a key of 32 bytes, always the same. */
const keyFrom = (text: string | undefined): Buffer | undefined =>
  text === undefined ? undefined : createHash('sha256').update(text).digest()

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

/** Throws StartError when a store cannot be used. */
export const openBackOffice = async (config: Config, premises: Premises): Promise<BackOffice> => {
  const { eventStoreUrl, databaseUrl, secret } = premises
  const clock = (): Date => new Date()
  const database = await connectPostgres({ url: databaseUrl, name: 'daybook back office', max: 3 })
  const store = connectEventStore({ url: eventStoreUrl })
  const close = async (): Promise<void> => {
    await Promise.all([store.close(), database.end()])
  }
  try {
    const engine = createEngine(store, await createSnapshots(database))
    const tokenSecret = keyFrom(config.tokenSecret) ?? secret('tokens')
    const masterKey = keyFrom(config.vaultKey) ?? secret('vault')
    const ports: Ports = {
      store,
      engine,
      clock,
      secrets: createSecrets({ secret: tokenSecret, clock }),
      vault: await openVault({ database, masterKey }),
      index: recentEntries(store),
    }
    return {
      ports,
      close: async () => {
        await engine.drain()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
