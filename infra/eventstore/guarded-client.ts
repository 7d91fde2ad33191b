import type { Duplex, Readable, Writable } from 'node:stream'
import { EventStoreDBClient } from '@eventstore/db-client'
import { encodeBytesOnce } from './encoding.ts'

encodeBytesOnce()

/**
 * A client without two faults of version 6.2.1.
 *
 * Batched appends could bring the process down. The pending appends of all clients lie in one
 * map. When a batch call of any client breaks, the map is emptied; an answer that still arrives
 * on another call then finds nothing and throws inside a `data` listener, where nobody can catch
 * it. The pending append was rejected when the map was emptied, so its answer is dropped.
 *
 * Reads that end early could stay in memory for ever. A call that the server has completed cannot
 * be cancelled any more, and with nobody reading from it, it never ends either.
 */
export function createGuardedClient(url: string): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(url)
  const internals = client as unknown as Internals
  const create = internals.GRPCStreamCreator
  if (typeof create !== 'function') {
    throw new Error('this version of @eventstore/db-client has no GRPCStreamCreator to guard')
  }
  internals.GRPCStreamCreator = (service, name, creator, cache) => {
    const guard = name === 'appendToStream' ? dropUnknownAnswers : drainWhenCancelled
    return create(service, name, async (rpc) => guard(await creator(rpc)), cache)
  }
  return client
}

type Call = (Readable | Writable | Duplex) & { cancel?: () => void }
type Creator = (rpc: unknown) => Call | Promise<Call>
type Internals = {
  GRPCStreamCreator: (
    service: unknown,
    name: string,
    creator: Creator,
    cache?: WeakMap<object, unknown>,
  ) => () => Promise<Call>
}

function dropUnknownAnswers(call: Call): Call {
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

function drainWhenCancelled(call: Call): Call {
  const cancel = call.cancel
  if (cancel && 'resume' in call) {
    call.cancel = () => {
      cancel.call(call)
      call.resume()
    }
  }
  return call
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
