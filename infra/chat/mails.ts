/** Mail about messages, to those who are not there to read them. */
import { previewOf } from '../../api/coastal/message_views.ts'
import { newUlid } from '../../commands/ids.ts'
import { queueMessage } from '../../commands/outbox.ts'
import type { Ports } from '../../commands/ports.ts'
import { lookAtPreferences } from '../../commands/preferences.ts'
import {
  Conversation,
  type ConversationState,
  type MessageSent,
} from '../../domain/conversations.ts'
import { idFrom } from '../../domain/ids.ts'
import type { Freshness } from '../../projections/freshness.ts'
import type { Database } from '../../projections/table.ts'
import { getUser } from '../../projections/users.ts'
import { createDeliveries } from '../deliveries.ts'
import { goOnWith } from '../left_behind.ts'
import type { Log } from '../log.ts'
import { SYSTEM } from '../system.ts'
import type { Hub } from './hub.ts'

/** For each conversation, one mail in so long. */
const WINDOW_MS = 15 * 60_000
/** A mail that comes much later than the message is of no use. */
const WORTH_SENDING_MS = 24 * 3600_000
const MOST_LEFT = 1000

export type MailOptions = {
  readonly ports: Ports
  readonly database: Database
  readonly freshness: Freshness
  readonly hub: Pick<Hub, 'isPresent'>
  readonly log: Log
  readonly signal: AbortSignal
}

type Said = Pick<MessageSent, 'conversation' | 'sequence' | 'sender' | 'content' | 'sent_at'>

/** The same for all messages of a quarter of an hour, so that only the first of them is sent. */
const mailId = ({ conversation, sent_at }: Said, reader: string): string =>
  idFrom(`mail ${conversation} ${reader} ${Math.floor(Date.parse(sent_at) / WINDOW_MS)}`)

const bodyOf = async ({ ports }: MailOptions, { sender, content }: Said, isQuoted: boolean) => {
  const opened = isQuoted && content !== '' ? await ports.vault.open(sender, content) : null
  const quoted = opened?.text ? `\n\n> ${previewOf(opened.text)}` : ''
  return `You have a new message. Sign in to read it.${quoted}`
}

const mailTo = async (options: MailOptions, said: Said, reader: string): Promise<void> => {
  const { ports, database } = options
  const { email_notifications, show_previews } = await lookAtPreferences(ports, reader)
  if (!email_notifications) return
  const at = ports.clock()
  const asker = { id: SYSTEM.id, reach: 'all', at } as const
  const user = await getUser.run(database, { user: reader }, asker, ports.vault)
  if (user?.status !== 'active' || user.email === null) return
  await queueMessage(
    ports,
    {
      ...{ message: mailId(said, reader), subject: reader, channel: 'email' },
      ...{ purpose: 'new_message', recipient: user.email, title: 'New message', secret: '' },
      body: await bodyOf(options, said, show_previews),
      expires_at: new Date(Date.parse(said.sent_at) + WORTH_SENDING_MS).toISOString(),
    },
    { actor: SYSTEM, at, correlation: newUlid() },
  )
}

/** Who is connected reads it as it comes; who has read it needs no mail. */
const mailAbout = async (options: MailOptions, said: Said): Promise<void> => {
  const { ports, hub } = options
  const stream = `${Conversation.category}-${said.conversation}`
  const { opened, read } = (await ports.engine.look(Conversation, stream))
    .state as ConversationState
  for (const reader of opened?.members ?? []) {
    const knows = reader === said.sender || (read[reader] ?? 0) >= said.sequence
    if (!knows && !hub.isPresent(reader)) await mailTo(options, said, reader)
  }
}

type Row = Omit<Said, 'sent_at'> & { readonly sent_at: Date }

/** Queues mails for messages that are told of, and for those that an earlier process left. */
export const startMails = (options: MailOptions) => {
  const { ports, database } = options
  const { deliver, settled } = createDeliveries<Said>(
    'mail about a message',
    (said) => mailAbout(options, said),
    options,
  )
  const tellOf = ({ conversation, sequence, sender, content, sent_at }: Said): void =>
    deliver({ conversation, sequence, sender, content, sent_at })
  goOnWith('conversations', options, async () => {
    const { rows } = await database.query<Row>(
      `select conversation, sequence, sender, content, sent_at from conversation_messages
       where sent_at > $1 order by sent_at limit ${MOST_LEFT}`,
      [new Date(ports.clock().getTime() - WINDOW_MS)],
    )
    for (const row of rows) tellOf({ ...row, sent_at: row.sent_at.toISOString() })
  })
  return { tellOf, settled }
}
