import { z } from '@hono/zod-openapi'
import { MOST_SAID, markRead, openThread, sendMessage } from '../../commands/conversations.ts'
import type { Upload } from '../../domain/attachments.ts'
import { type ConversationKind, MessageKind } from '../../domain/conversations.ts'
import { findMessage, pageMessages } from '../../projections/conversation_messages.ts'
import { findConversation, pageConversations } from '../../projections/conversation_queries.ts'
import { ask, route, tell } from '../contract.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import { invalidField, ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { fileAnswer, pictures, upload } from '../uploads.ts'
import { ADMIN, afterwards, STAFF } from './accounts.ts'
import { GivenId } from './amounts.ts'
import { REQUIRED } from './errors.ts'
import { INBOX, Message, messageShownTo, Thread, threadShownTo } from './inbox_views.ts'
import { correspondents } from './message_views.ts'

const tag = 'Messages'
const PAGE_SIZE = 20
const MOST = 100
const kinds: ConversationKind[] = ['thread']

const Text = z
  .string()
  .trim()
  .max(MOST_SAID, `Ensure this field has no more than ${MOST_SAID} characters.`)

const Sending = z.object({
  thread: GivenId.optional().openapi({ description: 'to answer in it' }),
  recipient: GivenId.optional().openapi({ description: 'whom a new thread is with' }),
  subject: z.string().trim().max(128).default(''),
  content: Text.optional(),
  body: Text.optional().openapi({ description: 'the same as `content`' }),
  message_type: MessageKind.optional().openapi({ description: 'absent: what it is' }),
  attachment: upload([...pictures, 'application/pdf']).nullish(),
})
type Sending = z.infer<typeof Sending>

const kindOf = (file: Upload | null | undefined): MessageKind => {
  if (!file) return 'text'
  return file.type.startsWith('image/') ? 'image' : 'file'
}

const show = async (call: Call, number: number) =>
  messageShownTo(call)(await ask(call, findMessage, { kinds, number }))

/** One's own. Throws a problem when there is none. */
const threadOf = async (call: Call, number: number) => {
  const { conversation } = await ask(call, findConversation, { kinds, number })
  return { conversation }
}

/** Where it goes: a thread of one's own, or somebody. */
const addresseeOf = async (call: Call<Sending>) => {
  const { thread: number, recipient } = call.input
  if (number !== undefined) return threadOf(call, number)
  if (recipient === undefined) throw new ProblemError(invalidField('recipient', REQUIRED))
  const [user] = await correspondents(call, 'recipient', [recipient])
  if (user === undefined || user === call.identity.id) {
    throw new ProblemError(invalidField('recipient', 'A message goes to somebody else.'))
  }
  return { user }
}

const send = async (call: Call<Sending>) => {
  const { subject: title, content, body, attachment: file, message_type } = call.input
  const said = content || body || ''
  if (said === '' && !file) throw new ProblemError(invalidField('content', REQUIRED))
  const kind = message_type ?? kindOf(file)
  if (kind !== 'text' && kind !== kindOf(file)) {
    throw new ProblemError(invalidField('attachment', `This takes an attachment: ${kind}.`))
  }
  const addressee = await addresseeOf(call)
  const attachment = file ? await call.services.attachments.keep(call.identity.id, file) : null
  const message = { content: said, kind, attachment }
  if ('conversation' in addressee) {
    const { answer } = await tell(call, sendMessage, { ...addressee, ...message })
    return { body: await show(afterwards(call), answer.number) }
  }
  const { answer } = await tell(call, openThread, {
    ...{ members: [addressee.user], title, first: message },
  })
  return { body: await show(afterwards(call), answer.number) }
}

const Listing = z.object({
  thread: GivenId.optional(),
  /** Of what others wrote. */
  is_read: z.enum(['true', 'false']).optional(),
  ...numberedPaging(PAGE_SIZE, MOST),
})

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const { thread: number, is_read, page, page_size } = call.input
  const found = await ask(call, pageMessages, {
    ...{ kinds, page, page_size },
    ...(number !== undefined && (await threadOf(call, number))),
    ...(is_read !== undefined && { received: is_read === 'true' ? 'read' : 'unread' }),
  })
  return { body: numberedPage(call, call.input, found, messageShownTo(call)) }
}

const Threads = z.object(numberedPaging(PAGE_SIZE, MOST))

const listThreads = async (call: Call<z.infer<typeof Threads>>) => {
  const page = await ask(call, pageConversations, { kinds, ...call.input })
  return { body: numberedPage(call, call.input, page, threadShownTo(call)) }
}

const ById = z.object({ id: GivenId })
type ById = z.infer<typeof ById>

const read = async (call: Call<ById>) => {
  const asked = { kinds, number: call.input.id }
  const { conversation, sequence: up_to } = await ask(call, findMessage, asked)
  await tell(call, markRead, { conversation, up_to })
  return { body: await show(afterwards(call), call.input.id) }
}

const openAttachment = async (call: Call<ById>) => {
  const asked = { kinds, number: call.input.id }
  const { attachment, sender } = await ask(call, findMessage, asked)
  const file = attachment && (await call.services.attachments.open(sender, attachment.attachment))
  if (file) return fileAnswer(file)
  throw new ProblemError(problem('RESOURCE_NOT_FOUND', 'Nothing is attached to it.'))
}

const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const NOBODY_ELSES = ['RESOURCE_NOT_FOUND'] as const

export const messageRoutes: readonly Route[] = [
  route('post', `${INBOX}/`, 'messages:use', {
    tag,
    summary: 'Write to somebody, in a thread of ours or in a new one',
    description:
      'In JSON, or in a form with a picture or a PDF. Customers can only write to those who work ' +
      'here.',
    status: 201,
    multipart: true,
    input: Sending,
    response: Message,
    problems: ['RESOURCE_NOT_FOUND', 'MEMBER_UNSUITABLE'],
    example: {
      ...ADMIN,
      body: { recipient: '{coastal_user}', subject: 'Your card', content: 'It is here.' },
      capture: { coastal_message: 'id', coastal_thread: 'thread' },
    },
    furtherExamples: [
      {
        ...STAFF,
        body: { thread: '{coastal_thread}', content: 'Is it this one?' },
        files: { attachment: { name: 'card.png', base64: PICTURE } },
        capture: { coastal_message_with_file: 'id' },
      },
    ],
    run: send,
  }),
  route('get', `${INBOX}/`, 'messages:use', {
    tag,
    summary: 'List the messages of my threads, newest first',
    input: Listing,
    response: numberedPageOf(Message, 'CoastalMessage'),
    problems: NOBODY_ELSES,
    example: { ...STAFF, query: { thread: '{coastal_thread}', is_read: 'false' } },
    run: list,
  }),
  route('get', `${INBOX}/threads/`, 'messages:use', {
    tag,
    summary: 'List my threads, those in which something was written last first',
    input: Threads,
    response: numberedPageOf(Thread, 'CoastalThread'),
    problems: NOBODY_ELSES,
    example: STAFF,
    run: listThreads,
  }),
  route('get', `${INBOX}/{id}/`, 'messages:use', {
    tag,
    summary: 'Show a message of my threads',
    input: ById,
    response: Message,
    problems: NOBODY_ELSES,
    example: { ...STAFF, params: { id: '{coastal_message}' } },
    run: async (call) => ({ body: await show(call, call.input.id) }),
  }),
  route('post', `${INBOX}/{id}/mark-read/`, 'messages:use', {
    tag,
    summary: 'Mark a message as read, and those before it in its thread',
    input: ById,
    response: Message,
    problems: NOBODY_ELSES,
    example: { ...STAFF, params: { id: '{coastal_message}' }, body: {} },
    run: read,
  }),
  route('get', `${INBOX}/{id}/attachment/`, 'messages:use', {
    tag,
    summary: 'Fetch what is attached to a message of my threads',
    input: ById,
    response: z.string(),
    contentType: '*/*',
    problems: NOBODY_ELSES,
    example: { ...ADMIN, params: { id: '{coastal_message_with_file}' } },
    run: openAttachment,
  }),
]
