import type { EventStore } from '../../domain/log.ts'
import { createAppender } from './append.ts'
import { createGuardedClient, disposeClient } from './guarded-client.ts'
import { createReads } from './read.ts'
import { subscribe } from './subscribe.ts'

const APPEND_TIMEOUT_MS = 5_000
const READ_TIMEOUT_MS = 10_000
const DISPOSE_MS = 1_000

export type EventStoreSettings = {
  /** `esdb://` or `esdb+discover://`, as `@eventstore/db-client` reads it. */
  readonly url: string
  /** For each of the attempts that one append may take. Default: 5,000. */
  readonly appendTimeoutMs?: number
  /** How long a read may deliver nothing before it is tried again. Default: 10,000. */
  readonly readTimeoutMs?: number
}

/**
 * The event log over EventStoreDB, KurrentDB or the embedded server. Connects when it is first
 * used. Throws when the connection string cannot be read.
 */
export function connectEventStore(settings: EventStoreSettings): EventStore {
  const { url, appendTimeoutMs = APPEND_TIMEOUT_MS, readTimeoutMs = READ_TIMEOUT_MS } = settings
  const appender = createAppender(url, appendTimeoutMs)
  const client = createGuardedClient(url)
  const reads = createReads(client, readTimeoutMs)
  const closing = new AbortController()
  return {
    append: appender.append,
    ...reads,
    subscribe: (options) => {
      const signal = AbortSignal.any([options.signal, closing.signal])
      return subscribe(client, reads.head, { ...options, signal }, readTimeoutMs)
    },
    close: async () => {
      closing.abort()
      await Promise.all([appender.close(), disposeClient(client, DISPOSE_MS)])
    },
  }
}
