/**
 * The bus as everybody sees it. Types only: `embedded.ts` and `kafka.ts` implement them, and one
 * contract suite holds both to the same behaviour.
 */
import type { Position } from '../../domain/log.ts'
import type { Log } from '../log.ts'

export type { Log }

/** Messages with the same key keep their order. `id` names the event: consumers dedupe by it. */
export type OutgoingMessage = {
  readonly key: string
  readonly id: string
  /** JSON text. */
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

export type Message = OutgoingMessage & {
  readonly topic: string
  readonly partition: number
  /** A decimal whole number, increasing within the partition, not always without gaps. */
  readonly offset: string
}

/**
 * What a handler throws when one message of its batch can never be handled. The bus moves that
 * message to `<topic>.dead` and hands the others again, those before it included.
 */
export type PoisonError = Error & { readonly poison: true; readonly messageIndex: number }

export type ConsumeOptions = {
  /** Consumers with the same group share the messages of the topic; each group sees them all. */
  readonly group: string
  readonly topic: string
  /** Where a group begins that has no offset yet: at the oldest message kept, or at the end. */
  readonly fromBeginning: boolean
  readonly maxBatch: number
  readonly signal: AbortSignal
  /** One batch at a time, all from one partition. May see a message again after any failure. */
  readonly handle: (messages: readonly Message[]) => Promise<void>
}

export type PeekOptions = Pick<ConsumeOptions, 'group' | 'topic' | 'signal'> & {
  readonly limit: number
}

export type Bus = {
  /** Durable when it resolves, in the given order. Rejects with BusClosed or BusUnavailable. */
  publish(topic: string, messages: readonly OutgoingMessage[]): Promise<void>
  /**
   * Resolves when the signal aborts or the bus closes, after the batch in hand. The offset is
   * committed only once `handle` has resolved. A handler that rejects is given the same batch
   * again, later and later, and when it still rejects this does too, with HandlerFailed.
   */
  consume(options: ConsumeOptions): Promise<void>
  /** How many messages of the topic the group has not yet committed. */
  lag(group: string, topic: string): Promise<number>
  /**
   * The oldest of these, each partition's in order; a group that never was has committed none.
   * Leaves the group where it stands, and creates no topic.
   */
  peek(options: PeekOptions): Promise<Message[]>
  /** The names of the topics there are. */
  topics(): Promise<string[]>
  close(): Promise<void>
}

export type TopicMessages = { readonly topic: string; readonly messages: OutgoingMessage[] }

/**
 * Where the relay puts what it reads. `publish` saves the position with the messages (in one
 * transaction) or after them, never before, so that a crash repeats messages but loses none.
 */
export type RelayTarget = {
  position(): Promise<Position | undefined>
  publish(batches: readonly TopicMessages[], position: Position): Promise<void>
}

/** How often and how soon a failing handler is tried again; the wait doubles each time. */
export type RetryPolicy = {
  readonly attempts: number
  readonly delay_ms: number
  readonly maximumDelay_ms: number
}
