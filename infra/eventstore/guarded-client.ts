import type { Duplex, Readable, Writable } from 'node:stream'
import { EventStoreDBClient } from '@eventstore/db-client'

/**
 * A client whose batched appends cannot bring the process down.
 *
 * Version 6.2.1 keeps the pending appends of all clients in one map. When a batch call of any
 * client breaks, the map is emptied; an answer that still arrives on another call then finds
 * nothing and throws inside a `data` listener, where nobody can catch it. The pending append was
 * rejected when the map was emptied, so the answer is of no use to anyone and is dropped.
 */
export function createGuardedClient(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url)
  const internals = client as unknown as Internals
  const create = internals.GRPCStreamCreator
  if (typeof create !== 'function') {
    throw new Error('this version of @eventstore/db-client has no GRPCStreamCreator to guard')
  }
  internals.GRPCStreamCreator = (service, name, creator, cache) =>
    name === 'appendToStream'
      ? create(service, name, async (rpc) => guardAnswers(await creator(rpc)), cache)
      : create(service, name, creator, cache)
  return client
}

type Call = Readable | Writable | Duplex
type Creator = (rpc: unknown) => Call | Promise<Call>
type Internals = {
  GRPCStreamCreator: (
    service: unknown,
    name: string,
    creator: Creator,
    cache?: WeakMap<object, unknown>,
  ) => () => Promise<Call>
}

function guardAnswers(call: Call): Call {
  for (const listener of call.listeners('data')) {
    const handle = listener as (answer: unknown) => void
    call.off('data', handle)
    call.on('data', (answer: unknown) => {
      try {
        handle.call(call, answer)
      } catch (error) {
        if (!isUnknownCorrelation(error)) throw error
      }
    })
  }
  return call
}

/** `const [resolve, reject] = promiseBank.get(id)` with nothing under that id. */
function isUnknownCorrelation(error: unknown): boolean {
  return error instanceof TypeError && /not iterable/.test(error.message)
}

/** Ends the client's calls and its connection; calls that were waiting are rejected. */
export async function disposeClient(client: EventStoreDBClient, timeoutMs: number): Promise<void> {
  const internals = client as unknown as { getChannel: () => Promise<{ close: () => void }> }
  const closed = client.dispose().then(async () => (await internals.getChannel()).close())
  const timer = AbortSignal.timeout(timeoutMs)
  await Promise.race([
    closed.catch(() => undefined),
    new Promise((resolve) => timer.addEventListener('abort', resolve)),
  ])
}
