import { z } from 'zod'
import { type Channel, OutboxMessage, type OutboxState, outboxEvents } from '../domain/outbox.ts'
import { type Context, onExisting, submitStep } from './kernel.ts'
import type { Ports } from './ports.ts'

/** What is to be sent, in the clear; it is sealed before it is kept. */
export type Message = {
  /** The same id again is the same message. */
  readonly message: string
  /** Whose it is: who forgets him forgets this. */
  readonly subject: string
  readonly channel: Channel
  readonly purpose: string
  /** An e-mail address, or a phone number. */
  readonly recipient: string
  /** The subject line of an e-mail. */
  readonly title: string
  readonly body: string
  /** A code or a password that the body brings. */
  readonly secret: string
  readonly expires_at: string | null
}

const MESSAGE = { decider: OutboxMessage, otherwise: 'MESSAGE_NOT_QUEUED' } as const

/** Keeps a message that is to be sent; whoever appends it sends it, after this is answered. */
export const queueMessage = async (
  ports: Ports,
  { recipient, title, body, secret, ...message }: Message,
  context: Context,
): Promise<void> => {
  const sealed = await ports.vault.seal(message.subject, { recipient, title, body, secret })
  await submitStep(
    ports,
    {
      name: 'outbox.queue',
      ...MESSAGE,
      stream: message.message,
      on: 'any',
      decide: (state: OutboxState) =>
        OutboxMessage.decide.queue(state, {
          ...message,
          sealed,
          queued_at: context.at.toISOString(),
        }),
    },
    context,
  )
}

const messageCommand = onExisting({ ...MESSAGE, field: 'message' })
const permission = 'outbox:deliver'
const { OutboxMessageDelivered, OutboxMessageFailed } = outboxEvents

/** What the one who delivers messages says of one. */
export const messageDelivered = messageCommand({
  name: 'outbox.delivered',
  permission,
  input: z.strictObject(OutboxMessageDelivered.omit({ delivered_at: true }).shape),
  enrich: (input, { at }) => ({ ...input, delivered_at: at }),
  decide: OutboxMessage.decide.delivered,
  answer: (_events, { message }) => ({ message }),
})

export const messageFailed = messageCommand({
  name: 'outbox.failed',
  permission,
  input: z.strictObject(OutboxMessageFailed.omit({ failed_at: true }).shape),
  enrich: (input, { at }) => ({ ...input, failed_at: at }),
  decide: OutboxMessage.decide.failed,
  answer: (_events, { message }) => ({ message }),
})
