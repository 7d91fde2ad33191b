import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import { messageDelivered, messageFailed } from '../../commands/outbox.ts'
import type { Ports } from '../../commands/ports.ts'
import type { EventStore } from '../../domain/log.ts'
import { type Channel, OutboxMessage, type OutboxState } from '../../domain/outbox.ts'
import type { Freshness } from '../../projections/freshness.ts'
import type { Database } from '../../projections/table.ts'
import { createDeliveries, type Sent, sendPatiently } from '../deliveries.ts'
import { hearEvents } from '../hearing.ts'
import { goOnWith } from '../left_behind.ts'
import type { Log } from '../log.ts'
import { SYSTEM } from '../system.ts'
import type { Sender } from './ways.ts'

const MOST_LEFT = 10_000

type Wanted = { readonly message: string; readonly channel: Channel }

/** A store, and a way to hear of the messages that are queued through it. */
export const hearMessages = (store: EventStore) => hearEvents<Wanted>(store, 'OutboxMessageQueued')

export type OutboxOptions = {
  readonly ports: Ports
  readonly database: Database
  readonly freshness: Freshness
  readonly senders: Readonly<Record<Channel, Sender>>
  readonly log: Log
  readonly signal: AbortSignal
}

type Queued = NonNullable<OutboxState['queued']>

const sendOne = async (
  { ports, senders, signal }: OutboxOptions,
  { message, subject, channel, sealed, expires_at }: Queued,
): Promise<Sent> => {
  if (expires_at !== null && Date.parse(expires_at) <= ports.clock().getTime()) {
    return { tries: 0, reason: 'It came to be sent when it had expired.' }
  }
  const opened = await ports.vault.open(subject, sealed)
  if (!opened) return { tries: 0, reason: 'The person has been forgotten.' }
  const { recipient = '', title = '', body = '' } = opened
  const letter = { id: message, recipient, title, body }
  return sendPatiently((until) => senders[channel].send(letter, until), signal)
}

/**
 * Sends messages, those of a channel one after another, and keeps in the log whether each arrived.
 * What an earlier process left is sent then, perhaps for the second time: never is one lost.
 */
export const startOutbox = (options: OutboxOptions) => {
  const { ports, database, senders } = options

  const deliverOne = async ({ message }: Wanted): Promise<void> => {
    const seen = await ports.engine.look(OutboxMessage, `${OutboxMessage.category}-${message}`)
    const { status, queued } = seen.state as OutboxState
    if (status !== 'queued' || !queued) return
    const { tries, reason: error } = await sendOne(options, queued)
    const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
    const { way } = senders[queued.channel]
    if (error === undefined) {
      await execute(ports, messageDelivered, { message, way, tries }, context)
    } else await execute(ports, messageFailed, { message, tries, error }, context)
  }
  const queues = {
    email: createDeliveries('email', deliverOne, options),
    sms: createDeliveries('sms', deliverOne, options),
  }
  const deliver = (wanted: Wanted): void =>
    queues[wanted.channel].deliver({ message: wanted.message, channel: wanted.channel })
  const goOn = async (): Promise<void> => {
    const { rows } = await database.query<Wanted>(
      `select message, channel from outbox_messages where status = 'queued'
       order by queued_at limit ${MOST_LEFT}`,
    )
    for (const wanted of rows) deliver(wanted)
  }
  goOnWith('outbox', options, goOn)
  return {
    deliver,
    settled: async (): Promise<void> => {
      await Promise.all([queues.email.settled(), queues.sms.settled()])
    },
  }
}
