/**
 * The event log as the layers above see it. Types only: `infra/eventstore` implements them.
 *
 * A log position is a pair because EventStoreDB wants both halves back; clients may only compare
 * positions, never calculate with them.
 */
export type Position = { readonly commit: bigint; readonly prepare: bigint }

/** Flat string metadata; the names are wire contracts (see docs/events.md). */
export type Metadata = { readonly [name: string]: string }

/** An event as it lies in the log, before its schema has been applied to `data`. */
export type Recorded = {
  readonly id: string
  readonly stream: string
  readonly revision: number
  readonly position: Position
  readonly type: string
  readonly data: unknown
  readonly metadata: Metadata
  readonly recordedAt: Date
}

/** An event on its way into the log. `id` is a UUID; a retry must use the same one. */
export type NewEvent = {
  readonly id: string
  readonly type: string
  readonly data: object
  readonly metadata: Metadata
}

/** The revision a writer believes to be the stream's last; `-1` when it must not exist yet. */
export type ExpectedRevision = number

export type AppendResult =
  | { readonly outcome: 'appended'; readonly revision: number; readonly position: Position }
  | { readonly outcome: 'conflict' }

export type ReadOptions<From> = {
  /** Where to begin, inclusive. Default: the beginning (forwards) or the end (backwards). */
  readonly from?: From
  readonly direction?: 'forwards' | 'backwards'
  readonly limit?: number
  readonly signal?: AbortSignal
}

/** Server-side filter: events whose type, or whose stream, begins with one of the prefixes. */
export type LogFilter =
  | { readonly types: readonly string[] }
  | { readonly streams: readonly string[] }

export type SubscribeOptions = {
  /** Exclusive: delivery begins after this position. */
  readonly after: Position | 'start' | 'end'
  readonly filter?: LogFilter
  readonly signal: AbortSignal
}

/** `caught_up` says that history has been delivered and what follows is live. */
export type SubscriptionItem =
  | { readonly kind: 'event'; readonly event: Recorded }
  | { readonly kind: 'caught_up' }

export type EventStore = {
  /**
   * Durable when it resolves. Time-outs and lost connections are retried inside with the same
   * event ids at the same revision; when the retries are used up it rejects with
   * `EventStoreUnavailable`, and whether the events were written is then unknown.
   */
  append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult>
  /** Yields nothing for a stream that does not exist or was deleted. */
  readStream(stream: string, options?: ReadOptions<number>): AsyncIterable<Recorded>
  /** System events (`$...`) are left out. */
  readAll(options?: ReadOptions<Position>): AsyncIterable<Recorded>
  /** Reconnects by itself and goes on after the last event it yielded; ends on abort only. */
  subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionItem>
  /** The position of the last event in the log, system events left out; undefined when empty. */
  head(): Promise<Position | undefined>
  close(): Promise<void>
}
