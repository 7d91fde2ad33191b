import { conversationEvents } from '../domain/conversations.ts'
import { projection } from './kernel.ts'
import type { Table } from './table.ts'

const conversations: Table = {
  name: 'conversations',
  columns: {
    conversation: 'text',
    number: 'bigint',
    kind: 'text',
    title: 'text',
    opened_by: 'text',
    opened_at: 'timestamptz',
    last_sequence: 'integer',
    moved_at: 'timestamptz',
  },
  key: ['conversation'],
  indexes: [['number']],
}

/** `seen_at`: when he last wrote or read something there. */
const members: Table = {
  name: 'conversation_members',
  columns: {
    conversation: 'text',
    member: 'text',
    read_up_to: 'integer',
    read_at: 'timestamptz',
    seen_at: 'timestamptz',
  },
  key: ['conversation', 'member'],
  indexes: [['member']],
}

const messages: Table = {
  name: 'conversation_messages',
  columns: {
    conversation: 'text',
    sequence: 'integer',
    message: 'text',
    number: 'bigint',
    sender: 'text',
    kind: 'text',
    content: 'text',
    attachment: 'jsonb',
    sent_at: 'timestamptz',
  },
  key: ['conversation', 'sequence'],
  indexes: [['number'], ['sent_at']],
}

export const conversationBook = projection({
  name: 'conversations',
  version: 1,
  tables: [conversations, members, messages],
  schemas: conversationEvents,
  on: {
    ConversationOpened: ({ data }, rows) => {
      const { members: all, ...opened } = data
      const { conversation, opened_at } = data
      rows.put(conversations, { ...opened, last_sequence: 0, moved_at: opened_at })
      for (const member of all) {
        const unread = { read_up_to: 0, read_at: null, seen_at: null }
        rows.put(members, { conversation, member, ...unread })
      }
    },
    ConversationMessageSent: ({ data }, rows) => {
      const { conversation, sequence, sender, sent_at } = data
      rows.put(messages, data)
      rows.patch(conversations, { conversation }, { last_sequence: sequence, moved_at: sent_at })
      rows.patch(members, { conversation, member: sender }, { seen_at: sent_at })
    },
    ConversationRead: ({ data: { conversation, reader, up_to, read_at } }, rows) =>
      rows.patch(
        members,
        { conversation, member: reader },
        { read_up_to: up_to, read_at, seen_at: read_at },
      ),
  },
})
