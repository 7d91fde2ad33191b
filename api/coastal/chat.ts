import { z } from '@hono/zod-openapi'
import { MOST_SAID, markRead, openRoom, sendMessage } from '../../commands/conversations.ts'
import { type ConversationKind, MOST_MEMBERS } from '../../domain/conversations.ts'
import {
  countReceived,
  findMessage,
  type MessageView,
  pageMessages,
} from '../../projections/conversation_messages.ts'
import {
  type ConversationView,
  findConversation,
  pageConversations,
} from '../../projections/conversation_queries.ts'
import { ask, route, tell } from '../contract.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import { invalidField, ProblemError } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import type { Identity } from '../services.ts'
import { ADMIN, afterwards, STAFF } from './accounts.ts'
import { GivenId, orRequired } from './amounts.ts'
import {
  conversationFields,
  conversationShownTo,
  correspondents,
  displayName,
  messageFields,
  messageShownTo,
} from './message_views.ts'

const tag = 'Chat'
const PAGE_SIZE = 20
const MESSAGES = 100
const MOST = 100
const kinds: ConversationKind[] = ['direct', 'group']

const Room = z
  .object({
    ...conversationFields,
    name: z.string(),
    is_group: z.boolean(),
    display_name: z.string(),
  })
  .openapi('CoastalRoom')

type Reader = Pick<Identity, 'id' | 'roles'>

const roomShownTo =
  (reader: Reader) =>
  (room: ConversationView): z.infer<typeof Room> => ({
    ...conversationShownTo(reader)(room),
    name: room.title ?? '',
    is_group: room.kind === 'group',
    display_name: displayName(reader, room),
  })

const Message = z
  .object({
    ...messageFields,
    room: z.int(),
    sequence: z.int().openapi({ description: 'its place in the room, from 1 on, without a gap' }),
    read_by: z.array(z.int()).openapi({ description: 'others who let it be seen' }),
  })
  .openapi('CoastalChatMessage')

export const chatMessageShownTo =
  (reader: Reader) =>
  (message: MessageView): z.infer<typeof Message> => ({
    ...messageShownTo(reader)(message),
    room: message.conversation_number,
    sequence: message.sequence,
    read_by: [...message.read_by],
  })

/** One's own room. Throws a problem when there is none. */
export const findRoom = (call: Call, number: number): Promise<ConversationView> =>
  ask(call, findConversation, { kinds, number })

const Creation = z.object({
  member_ids: z
    .array(GivenId, { error: orRequired('Expected a list of ids.') })
    .min(1, 'This list may not be empty.')
    .max(MOST_MEMBERS - 1),
  name: z.string().trim().max(128).default(''),
  is_group: z.boolean().default(false),
})

const create = async (call: Call<z.infer<typeof Creation>>) => {
  const { member_ids, name: title, is_group: group } = call.input
  const members = await correspondents(call, 'member_ids', member_ids)
  if (members.every((member) => member === call.identity.id)) {
    throw new ProblemError(invalidField('member_ids', 'A room takes somebody else.'))
  }
  const { answer } = await tell(call, openRoom, { members: [...members], group, title })
  const { conversation } = answer
  const room = await ask(afterwards(call), findConversation, { kinds, conversation })
  return { status: answer.opened ? 201 : 200, body: roomShownTo(call.identity)(room) }
}

const Listing = z.object(numberedPaging(PAGE_SIZE, MOST))

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const page = await ask(call, pageConversations, { kinds, ...call.input })
  return { body: numberedPage(call, call.input, page, roomShownTo(call.identity)) }
}

const ById = z.object({ id: GivenId })
const Messages = ById.extend(numberedPaging(MESSAGES, MESSAGES))

const listMessages = async (call: Call<z.infer<typeof Messages>>) => {
  const { id, page, page_size } = call.input
  const { conversation } = await findRoom(call, id)
  const asked = { kinds, conversation, page, page_size }
  const found = await ask(call, pageMessages, asked)
  return { body: numberedPage(call, call.input, found, chatMessageShownTo(call.identity)) }
}

/** What somebody says in a room. */
export const Content = z
  .string({ error: orRequired('Not a valid string.') })
  .trim()
  .min(1, 'This field may not be blank.')
  .max(MOST_SAID, `Ensure this field has no more than ${MOST_SAID} characters.`)

const Sending = ById.extend({ content: Content })

const send = async (call: Call<z.infer<typeof Sending>>) => {
  const { id, content } = call.input
  const { conversation } = await findRoom(call, id)
  const { answer } = await tell(call, sendMessage, { conversation, content })
  const asked = { kinds, number: answer.number }
  const message = await ask(afterwards(call), findMessage, asked)
  return { body: chatMessageShownTo(call.identity)(message) }
}

const read = async (call: Call<z.infer<typeof ById>>) => {
  const { conversation } = await findRoom(call, call.input.id)
  const { answer } = await tell(call, markRead, { conversation })
  // Counted by what this request was the first to mark, so that no two claim the same.
  return { body: { marked_read: await ask(afterwards(call), countReceived, answer) } }
}

const creating = {
  tag,
  summary: 'Open a room; of two people, the one that they have is answered, with 200',
  description: 'Customers can only talk to those who work here.',
  status: 201,
  input: Creation,
  response: Room,
  problems: ['MEMBER_UNSUITABLE'],
  run: create,
} as const

const ROOM = { params: { id: '{coastal_room}' } }
const NOBODY_ELSES = ['RESOURCE_NOT_FOUND'] as const

export const chatRoutes: readonly Route[] = [
  route('post', '/api/chat/rooms/', 'messages:use', {
    ...creating,
    example: {
      ...{ ...ADMIN, body: { member_ids: ['{coastal_user}'] } },
      capture: { coastal_room: 'id' },
    },
  }),
  route('post', '/api/chat/rooms/create/', 'messages:use', {
    ...creating,
    example: {
      ...ADMIN,
      body: { member_ids: ['{coastal_user}'], name: 'Branch Osu', is_group: true },
    },
  }),
  route('get', '/api/chat/rooms/', 'messages:use', {
    tag,
    summary: 'List my rooms, those in which something was said last first',
    input: Listing,
    response: numberedPageOf(Room, 'CoastalRoom'),
    problems: NOBODY_ELSES,
    example: STAFF,
    run: list,
  }),
  route('get', '/api/chat/rooms/{id}/', 'messages:use', {
    tag,
    summary: 'Show a room of mine',
    input: ById,
    response: Room,
    problems: NOBODY_ELSES,
    example: { ...STAFF, ...ROOM },
    run: async (call) => ({
      body: roomShownTo(call.identity)(await findRoom(call, call.input.id)),
    }),
  }),
  route('post', '/api/chat/rooms/{id}/messages/send/', 'messages:use', {
    tag,
    summary: 'Say something in a room',
    status: 201,
    input: Sending,
    response: Message,
    problems: NOBODY_ELSES,
    example: { ...ADMIN, ...ROOM, body: { content: 'The van comes at nine.' } },
    run: send,
  }),
  route('get', '/api/chat/rooms/{id}/messages/', 'messages:use', {
    tag,
    summary: 'List what was said in a room, newest first',
    input: Messages,
    response: numberedPageOf(Message, 'CoastalChatMessage'),
    problems: NOBODY_ELSES,
    example: { ...STAFF, ...ROOM },
    run: listMessages,
  }),
  route('post', '/api/chat/rooms/{id}/read/', 'messages:use', {
    tag,
    summary: 'Mark what others said in a room as read',
    input: ById,
    response: z.object({ marked_read: z.int() }),
    problems: NOBODY_ELSES,
    example: { ...STAFF, ...ROOM, body: {} },
    run: read,
  }),
]
