import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { asServiceError, notLeader, unavailable } from './errors.ts'
import type { Faults } from './faults.ts'

/** Throws what a server in this state answers to every call. */
export function assertServing(faults: Faults): void {
  if (faults.unavailable) throw unavailable('the node is not ready')
  if (faults.notLeader) throw notLeader(faults.notLeader.host, faults.notLeader.port)
}

/**
 * Sends one message and resolves when the peer's window has room again, so a slow reader holds
 * up its own call and nothing piles up behind it. False when the call has ended.
 */
export function send(
  call: Writable,
  bytes: Buffer,
  signal: AbortSignal,
): boolean | Promise<boolean> {
  if (signal.aborted || call.destroyed || call.writableEnded) return false
  return call.write(bytes) || drained(call, signal)
}

/** Resolves when the call takes more; false when it has ended instead. */
export async function drained(call: Writable, signal: AbortSignal): Promise<boolean> {
  try {
    await once(call, 'drain', { signal })
    return true
  } catch {
    return false
  }
}

/**
 * The life of a streaming call: it ends once, by itself, by a fault, by its client or by being cut,
 * and `signal` is aborted then.
 */
export function openCall(call: Writable, track: (end: () => void) => () => void) {
  const ended = new AbortController()
  const fail = (error: unknown): void => {
    if (ended.signal.aborted) return
    ended.abort()
    call.emit('error', asServiceError(error))
  }
  const finish = (): void => {
    if (!ended.signal.aborted) call.end()
    ended.abort()
  }
  const untrack = track(() => fail(unavailable('the stream was cut')))
  call.once('cancelled', () => ended.abort())
  return { signal: ended.signal, fail, finish, untrack }
}
