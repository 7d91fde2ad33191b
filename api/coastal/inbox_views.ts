/** Mail between users, as its readers are shown it. */
import { z } from '@hono/zod-openapi'
import type { MessageView } from '../../projections/conversation_messages.ts'
import type { ConversationView } from '../../projections/conversation_queries.ts'
import type { Call } from '../route.ts'
import {
  conversationFields,
  conversationShownTo,
  messageFields,
  messageShownTo as shownTo,
} from './message_views.ts'

export const INBOX = '/api/banking/messages'

export const Message = z
  .object({
    ...messageFields,
    thread: z.int(),
    subject: z.string(),
    body: z.string().openapi({ description: 'the same as `content`' }),
    attachment: z.string().nullable().openapi({ description: 'where it can be fetched' }),
    replies: z.int().openapi({ description: 'messages after it in its thread' }),
  })
  .openapi('CoastalMessage')

export const messageShownTo =
  ({ identity }: Call) =>
  (message: MessageView): z.infer<typeof Message> => {
    const shown = shownTo(identity)(message)
    const { attachment, number, title, conversation_number, replies } = message
    return {
      ...shown,
      thread: conversation_number,
      subject: title ?? '',
      body: shown.content,
      attachment: attachment && `${INBOX}/${number}/attachment/`,
      replies,
    }
  }

export const Thread = z
  .object({ ...conversationFields, subject: z.string() })
  .openapi('CoastalThread')

export const threadShownTo =
  ({ identity }: Call) =>
  (thread: ConversationView): z.infer<typeof Thread> => ({
    ...conversationShownTo(identity)(thread),
    subject: thread.title ?? '',
  })
