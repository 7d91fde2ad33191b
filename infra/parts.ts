import { join } from 'node:path'
import type { Config } from './config.ts'
import { type DataDirectory, openDataDirectory } from './data_directory.ts'
import { connectEventStore } from './eventstore/client.ts'
import { startEmbeddedEventStore } from './eventstore/embedded/index.ts'
import { startEmbeddedPostgres } from './postgres/embedded.ts'
import type { Checklist } from './start/checklist.ts'
import { StartError } from './start/error.ts'

/** The stores under everything: embedded ones in the data directory, or those configured. */
export type Parts = {
  readonly directory: DataDirectory
  readonly eventStoreUrl: string
  readonly databaseUrl: string
  /** Empties the embedded event store; undefined for a real one, which nobody empties. */
  readonly wipeEvents: (() => Promise<void>) | undefined
  /** Settles with one line when an embedded part has died by itself. */
  readonly lost: Promise<string>
  close(): Promise<void>
}

type Part = {
  readonly url: string
  readonly lost?: Promise<string>
  readonly wipe?: () => Promise<void>
  close(): Promise<void>
}
const never = new Promise<never>(() => undefined)

const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, '//')

const openPostgres = async (config: Config, path: string, list: Checklist): Promise<Part> => {
  const { databaseUrl } = config
  let part: Part = { url: databaseUrl ?? '', close: async () => undefined }
  if (databaseUrl !== undefined) {
    await list.step('Postgres', async () => withoutPassword(databaseUrl))
    return part
  }
  await list.step('Postgres 18', async () => {
    const postgres = await startEmbeddedPostgres({ directory: join(path, 'postgres') })
    part = postgres
    return postgres.detail
  })
  return part
}

const PROBE_TIMEOUT_MS = 10_000

/** One line when the event store does not answer, where a reader would wait for it for ever. */
const probeEventStore = async (url: string): Promise<void> => {
  const store = connectEventStore({ url })
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error('it does not answer')), PROBE_TIMEOUT_MS).unref()
  })
  try {
    await Promise.race([store.head(), late])
  } catch (error) {
    const reason = (error as Error).message
    const where = withoutPassword(url)
    throw new StartError(`The event store at ${where} cannot be used: ${reason}.`, error)
  } finally {
    await store.close()
  }
}

const openEventStore = async (config: Config, path: string, list: Checklist): Promise<Part> => {
  const { eventStoreUrl } = config
  let part: Part = { url: eventStoreUrl ?? '', close: async () => undefined }
  if (eventStoreUrl !== undefined) {
    await list.step('Event store', async () => {
      await probeEventStore(eventStoreUrl)
      return withoutPassword(eventStoreUrl)
    })
    return part
  }
  await list.step('Event store', async () => {
    const directory = join(path, 'events')
    try {
      const { url, failed, wipe, close } = await startEmbeddedEventStore({ directory })
      const lost = failed.then(({ message }) => `The event store: ${message}`)
      part = { url, lost, wipe, close }
    } catch (error) {
      throw new StartError(`The event store cannot start: ${(error as Error).message}`, error)
    }
    return 'embedded, EventStoreDB protocol'
  })
  return part
}

/** Opens the data directory and both stores. What was opened is closed again when one fails. */
export const openParts = async (config: Config, list: Checklist): Promise<Parts> => {
  const directory = openDataDirectory(config.dataDirectory)
  const opening = [
    openPostgres(config, directory.path, list),
    openEventStore(config, directory.path, list),
  ] as const
  const [postgres, events] = await Promise.allSettled(opening)
  const opened = [postgres, events].flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  )
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((part) => part.close()))
    directory.release()
  }
  if (postgres.status === 'rejected' || events.status === 'rejected') {
    await close()
    throw postgres.status === 'rejected'
      ? postgres.reason
      : (events as PromiseRejectedResult).reason
  }
  return {
    directory,
    databaseUrl: postgres.value.url,
    eventStoreUrl: events.value.url,
    wipeEvents: events.value.wipe,
    lost: Promise.race([postgres.value.lost ?? never, events.value.lost ?? never]),
    close,
  }
}
