import { z } from 'zod'
import type { Attachment } from '../domain/attachments.ts'
import { ConversationKind, type MessageKind } from '../domain/conversations.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { shownSince } from '../domain/preferences.ts'
import type { Vault } from '../domain/vault.ts'
import { type Asker, query } from './kernel.ts'
import { numbering, readNumbered } from './numbered.ts'
import type { NumberedPage } from './paging.ts'
import { allowsSql, preferencesOf } from './preferences.ts'
import { type Conditions, conditions } from './select.ts'
import type { Database } from './table.ts'
import { openTexts } from './texts.ts'

export type MessageView = {
  readonly conversation: string
  /** What contracts with integer ids call the conversation. */
  readonly conversation_number: number
  /** Of the conversation; null once whoever opened it has been forgotten. */
  readonly title: string | null
  readonly message: string
  readonly number: number
  /** Its place in the conversation, from 1 on. */
  readonly sequence: number
  readonly sender: string
  readonly sender_number: number | null
  /** Null once he has been forgotten; so is what he said. */
  readonly sender_name: string | null
  readonly kind: MessageKind
  readonly content: string | null
  readonly attachment: Attachment | null
  readonly sent_at: Date
  /** The numbers of those others who have read it, and let it be seen. */
  readonly read_by: readonly number[]
  /** Of another's message: whether the asker has read it; of his own: whether anybody has. */
  readonly is_read: boolean
  /** Messages that came after it in the conversation. */
  readonly replies: number
}

type Stored = Omit<MessageView, 'number' | 'conversation_number' | 'sender_number' | 'read_by'> & {
  readonly number: string
  readonly conversation_number: string
  readonly sender_number: string | null
  readonly read_by: readonly string[]
  readonly read_by_me: boolean
  readonly title: string
  readonly opened_by: string
  readonly profile: string | null
  readonly content: string
}

const viewsOf = async (
  rows: readonly Stored[],
  vault: Vault,
  { id }: Asker,
): Promise<MessageView[]> => {
  const texts = rows.flatMap(({ sender, content, opened_by, title }) => [
    { subject: sender, sealed: content },
    { subject: opened_by, sealed: title },
  ])
  const opened = await openTexts(vault, texts)
  const known = rows.filter(({ profile }) => profile !== null)
  const profiles = await vault.openAll(
    known.map(({ sender, profile }) => ({ subject: sender, sealed: profile ?? '' })),
  )
  const names = new Map(known.map(({ sender }, index) => [sender, profiles[index]?.name ?? null]))
  return rows.map(({ opened_by: _by, profile: _sealed, read_by_me, ...row }, index) => ({
    ...row,
    content: opened[2 * index] ?? null,
    title: opened[2 * index + 1] ?? null,
    number: Number(row.number),
    conversation_number: Number(row.conversation_number),
    sender_number: row.sender_number === null ? null : Number(row.sender_number),
    sender_name: names.get(row.sender) ?? null,
    read_by: row.read_by.map(Number),
    is_read: row.sender === id ? row.read_by.length > 0 : read_by_me,
  }))
}

const from = `from conversation_messages x
  join conversation_members me on me.conversation = x.conversation
  join conversations c on c.conversation = x.conversation`

const selectMessages = async (
  sql: Database,
  vault: Vault,
  asker: Asker,
  where: Conditions,
  rest: string,
): Promise<MessageView[]> => {
  const { rows } = await sql.query<Stored>(
    `select x.conversation, c.number as conversation_number, c.title, c.opened_by, x.message,
       x.number, x.sequence, x.sender, s.number as sender_number, s.profile, x.kind, x.content,
       x.attachment, x.sent_at, me.read_up_to >= x.sequence as read_by_me,
       c.last_sequence - x.sequence as replies,
       array(select ru.number from conversation_members r join users ru on ru.id = r.member
         where r.conversation = x.conversation and r.member <> x.sender and r.member <> me.member
           and r.read_up_to >= x.sequence and ${allowsSql('r.member', 'read_receipts_enabled')}
         order by ru.number) as read_by
     ${from} left join users s on s.id = x.sender${where.where()} ${rest}`,
    where.values,
  )
  return viewsOf(rows, vault, asker)
}

/** Only what the asker is a member of, and what is not too old for him, is there. */
const ownOf = async (sql: Database, { id, at }: Asker): Promise<Conditions> => {
  const where = conditions()
  where.add('me.member = ?', id)
  const since = shownSince(await preferencesOf(sql, id), at)
  if (since) where.add('x.sent_at >= ?', since)
  return where
}

const reads = ['conversations', 'users', 'preferences']

/** By the number that contracts with integer ids call it. */
export const findMessage = query({
  name: 'messages.find',
  permission: 'messages:use',
  input: z.strictObject({ kinds: z.array(ConversationKind), number: z.int() }),
  reads,
  run: async (sql, { kinds, number }, asker, vault) => {
    const where = await ownOf(sql, asker)
    where.add('x.number = ? and c.kind = any(?)', number, kinds)
    return (await selectMessages(sql, vault, asker, where, 'limit 1'))[0]
  },
})

/** A numbered page, newest first, of one conversation or of all that the asker is a member of. */
export const pageMessages = query({
  name: 'messages.page',
  permission: 'messages:use',
  input: z.strictObject({
    kinds: z.array(ConversationKind),
    conversation: Identifier.optional(),
    /** What others wrote, and the asker has read, or has not. */
    received: z.enum(['read', 'unread']).optional(),
    ...numbering,
  }),
  reads,
  run: async (sql, input, asker, vault): Promise<NumberedPage<MessageView>> => {
    const { kinds, conversation, received, page, page_size } = input
    const where = await ownOf(sql, asker)
    where.add('c.kind = any(?)', kinds)
    where.addIf('x.conversation = ?', conversation)
    if (received !== undefined) {
      where.add('x.sender <> me.member')
      where.add('(x.sequence <= me.read_up_to) = ?', received === 'read')
    }
    // Of two that were sent at the same time, the one that was decided later is the newer one.
    const order = conversation === undefined ? 'x.sent_at desc, x.number desc' : 'x.sequence desc'
    return readNumbered(sql, { page, page_size, from, where, order }, (rest) =>
      selectMessages(sql, vault, asker, where, rest),
    )
  },
})

/** What follows in a conversation, in its order; nothing to who is no member. */
export const listMessagesAfter = query({
  name: 'messages.after',
  permission: 'messages:use',
  input: z.strictObject({
    ...{ conversation: Identifier, after: z.int().min(0), limit: z.int().min(1).max(100) },
  }),
  reads,
  run: async (sql, { conversation, after, limit }, asker, vault) => {
    const where = await ownOf(sql, asker)
    where.add('x.conversation = ? and x.sequence > ?', conversation, after)
    return selectMessages(sql, vault, asker, where, `order by x.sequence limit ${limit}`)
  },
})

/** How many of others there are behind one place and up to another. */
export const countReceived = query({
  name: 'messages.count_received',
  permission: 'messages:use',
  input: z.strictObject({ conversation: Identifier, after: z.int(), up_to: z.int() }),
  reads: ['conversations'],
  run: async (sql, { conversation, after, up_to }, { id }): Promise<number> => {
    const { rows } = await sql.query<{ count: string }>(
      `select count(*) as count from conversation_messages
       where conversation = $1 and sequence > $2 and sequence <= $3 and sender <> $4`,
      [conversation, after, up_to, id],
    )
    return Number(rows[0]?.count ?? 0)
  },
})
