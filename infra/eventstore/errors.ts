/**
 * The event store did not answer, or not in time. Whether an append was written is then
 * unknown; doing it again with the same event ids at the same revision is safe.
 */
export class EventStoreUnavailable extends Error {
  readonly code = 'EVENT_STORE_UNAVAILABLE'

  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'EventStoreUnavailable'
  }
}

/** The event store understood an append and will never accept it; a retry cannot help. */
export class AppendRefused extends Error {
  readonly code = 'APPEND_REFUSED'

  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'AppendRefused'
  }
}
