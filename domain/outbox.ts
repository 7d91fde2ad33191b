import { z } from 'zod'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

export const Channel = z.enum(['email', 'sms'])
export type Channel = z.infer<typeof Channel>

/** By which way a message left; `local`: none is configured, so it is read here. */
export const Way = z.enum(['smtp', 'sms_gateway', 'local'])
export type Way = z.infer<typeof Way>

/** What a message is for; tells nothing about the person. */
const Purpose = z.string().regex(/^[a-z][a-z_]{0,31}$/, 'a purpose is a short name')

const ByMessage = { message: Identifier }
const Tries = z.int().min(0).max(100)

export const outboxEvents = {
  OutboxMessageQueued: z.object({
    ...ByMessage,
    /** Under whose key it is sealed. */
    subject: Identifier,
    channel: Channel,
    purpose: Purpose,
    /** Sealed: recipient, title, body and, by itself, the secret that it brings, if any. */
    sealed: z.string().max(16_384),
    queued_at: Instant,
    /** When it is no longer worth sending. */
    expires_at: Instant.nullable(),
  }),
  OutboxMessageDelivered: z.object({
    ...ByMessage,
    way: Way,
    tries: Tries,
    delivered_at: Instant,
  }),
  OutboxMessageFailed: z.object({
    ...ByMessage,
    tries: Tries,
    error: z.string().max(512),
    failed_at: Instant,
  }),
} as const

type OutboxEvent = EventOf<typeof outboxEvents>
export type QueuedMessage = z.infer<(typeof outboxEvents)['OutboxMessageQueued']>
type Data<Type extends keyof typeof outboxEvents> = z.infer<(typeof outboxEvents)[Type]>

export type OutboxState = {
  readonly status: 'unknown' | 'queued' | 'delivered' | 'failed'
  readonly queued: QueuedMessage | undefined
}

/** The same message asked for again is the one that is there. */
const queue = ({ status }: OutboxState, data: QueuedMessage): Decision<OutboxEvent> =>
  status === 'unknown' ? [{ type: 'OutboxMessageQueued', data }] : []

const unlessSettled = ({ status }: OutboxState, event: OutboxEvent): Decision<OutboxEvent> => {
  const { message } = event.data
  if (status === 'queued') return [event]
  return refuse('MESSAGE_NOT_QUEUED', `The message ${message} is ${status}.`, { message, status })
}

/** Something that is to reach a person outside of Daybook, once, soon. */
export const OutboxMessage = decider({
  category: 'outbox',
  schemas: outboxEvents,
  initial: (): OutboxState => ({ status: 'unknown', queued: undefined }),
  evolve: {
    OutboxMessageQueued: (_state, data): OutboxState => ({ status: 'queued', queued: data }),
    OutboxMessageDelivered: (state): OutboxState => ({ ...state, status: 'delivered' }),
    OutboxMessageFailed: (state): OutboxState => ({ ...state, status: 'failed' }),
  },
  decide: {
    queue,
    delivered: (state: OutboxState, data: Data<'OutboxMessageDelivered'>) =>
      unlessSettled(state, { type: 'OutboxMessageDelivered', data }),
    failed: (state: OutboxState, data: Data<'OutboxMessageFailed'>) =>
      unlessSettled(state, { type: 'OutboxMessageFailed', data }),
  },
})
