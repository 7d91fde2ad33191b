import { z } from '@hono/zod-openapi'
import { Channel, Way } from '../../domain/outbox.ts'
import { listOutbox } from '../../projections/outbox.ts'
import { type Route, read } from '../route.ts'
import { pageOf } from './views.ts'

const Timestamp = z.iso.datetime({ precision: 3 })

const Message = z
  .object({
    message: z.string(),
    subject: z.string().openapi({ description: 'whose message it is' }),
    channel: Channel,
    purpose: z.string(),
    status: z.enum(['queued', 'delivered', 'failed']),
    way: Way.nullable(),
    tries: z.int(),
    error: z.string().nullable(),
    queued_at: Timestamp,
    expires_at: Timestamp.nullable(),
    settled_at: Timestamp.nullable(),
    recipient: z.string().nullable(),
    title: z.string().nullable(),
    body: z.string().nullable(),
    secret: z.string().nullable(),
  })
  .openapi('OutboxMessage')

export const outboxRoutes: readonly Route[] = [
  read('/v1/outbox', listOutbox, {
    tag: 'Outbox',
    summary: 'List messages to people outside',
    description:
      'What a message says is shown only when no way to send it is configured (`way` is `local`): ' +
      'otherwise who gets it reads it, and nobody else.',
    response: pageOf(Message, 'OutboxMessage'),
    problems: ['BAD_CURSOR'],
    example: { query: { status: 'delivered' } },
  }),
]
