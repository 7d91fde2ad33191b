import { setTimeout as sleep } from 'node:timers/promises'
import {
  AccessDeniedError,
  MaxAppendSizeExceededError,
  RequiredMetadataPropertyMissingError,
  StreamDeletedError,
  UnsupportedError,
} from '@eventstore/db-client'
import { EventStoreUnavailable } from './errors.ts'

const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 2_000

/** Waits longer after each failure in a row; returns early when aborted. */
export async function pause(failures: number, signal?: AbortSignal): Promise<void> {
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS)
  await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined)
}

/** Rejects with `EventStoreUnavailable` when nothing has come of it in time. */
export function withTimeout<Result>(
  work: Promise<Result>,
  timeoutMs: number,
  what: string,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new EventStoreUnavailable(`${what}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    )
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

const INVALID_ARGUMENT = 3

/** Errors that say the same however often one asks. Everything else may pass. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof AccessDeniedError ||
    error instanceof MaxAppendSizeExceededError ||
    error instanceof RequiredMetadataPropertyMissingError ||
    error instanceof StreamDeletedError ||
    error instanceof UnsupportedError ||
    // Code faults on this side of the wire, such as data that cannot be made into JSON.
    error instanceof TypeError ||
    error instanceof RangeError ||
    (error instanceof Error && 'code' in error && error.code === INVALID_ARGUMENT)
  )
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
