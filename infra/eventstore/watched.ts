import type {
  AllStreamResolvedEvent,
  AllStreamSubscription,
  ResolvedEvent,
  StreamingRead,
} from '@eventstore/db-client'
import { EventStoreUnavailable } from './errors.ts'

/** A read or a subscription of the client. */
export type Call = StreamingRead<ResolvedEvent | AllStreamResolvedEvent> | AllStreamSubscription

/**
 * What a call delivers, until it ends. Rejects with `EventStoreUnavailable` when it has delivered
 * nothing for `idleMs` although somebody waited, and with the signal's reason once that aborts.
 * However this ends, the call is cancelled.
 */
export async function* watched(
  call: Call,
  signal: AbortSignal | undefined,
  idleMs: number | undefined,
): AsyncGenerator<unknown> {
  let isWaiting = true
  const timer = idleMs === undefined ? undefined : setTimeout(() => expire(), idleMs)
  const expire = (): void => {
    if (isWaiting) call.destroy(new EventStoreUnavailable(`no event within ${idleMs} ms`))
    else timer?.refresh()
  }
  const abort = (): void => void call.destroy(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  // The client emits errors on calls that have been destroyed; without a listener they are fatal.
  call.on('error', () => {})
  try {
    signal?.throwIfAborted()
    for await (const item of call) {
      isWaiting = false
      yield item
      isWaiting = true
      timer?.refresh()
    }
    signal?.throwIfAborted()
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    // Not awaited: it waits for a connection, which there may never be.
    const cancelled = 'cancel' in call ? call.cancel() : call.unsubscribe()
    cancelled.catch(() => undefined)
  }
}
