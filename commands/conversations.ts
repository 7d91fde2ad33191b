import { z } from 'zod'
import { Attachment } from '../domain/attachments.ts'
import {
  Conversation,
  ConversationKind,
  directId,
  MessageKind,
  type MessageSent,
  MOST_MEMBERS,
  type Opened,
  type Read,
} from '../domain/conversations.ts'
import { type Decoded, isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { command, type Enrichment, onExisting, takeNumber } from './kernel.ts'
import { dataOf } from './ledger/kernel.ts'
import { lookAt } from './look.ts'
import { sealText } from './texts.ts'
import { lookAtUser } from './usernames.ts'

/** The most that one message says, in characters. */
export const MOST_SAID = 4000

const Said = z.strictObject({
  content: z.string().trim().max(MOST_SAID).default(''),
  kind: MessageKind.default('text'),
  attachment: Attachment.nullable().default(null),
})
/** Words, or a file, or both. */
const saysSomething = ({ content, attachment }: z.infer<typeof Said>): boolean =>
  content !== '' || attachment !== null
const SAYS_NOTHING = { path: ['content'], message: 'says nothing' }

/** As the event keeps it; its place among the others follows when it is decided. */
const messageOf = async (
  { content, kind, attachment }: z.infer<typeof Said>,
  conversation: string,
  enrichment: Enrichment,
): Promise<Omit<MessageSent, 'sequence'>> => {
  const { context, at, newId } = enrichment
  const sender = context.actor.id
  return {
    ...{ conversation, message: newId('message'), sender, kind, attachment, sent_at: at },
    number: await takeNumber(enrichment, 'messages'),
    content: await sealText(enrichment, sender, content),
  }
}

/** Those among them who are customers and nothing else. */
const customersAmong = async (members: readonly string[], { ports }: Enrichment) => {
  const customers: string[] = []
  for (const member of members) {
    const found = await lookAtUser(ports, member)
    if (!found) return refuse('USER_NOT_FOUND', `There is no user ${member}.`)
    if (found.state.roles.every((role) => role === 'customer')) customers.push(member)
  }
  return customers
}

type Wanted = {
  readonly members: readonly string[]
  readonly kind: ConversationKind
  readonly title: string
  readonly first: z.infer<typeof Said> | null
}

const idOf = ({ members, kind }: Wanted, newId: Enrichment['newId']): string => {
  const [one, other] = members
  return kind === 'direct' && one !== undefined && other !== undefined
    ? directId(one, other)
    : newId('conversation')
}

/** The two who talk already are not given a number again. */
const knownDirect = async (
  { kind }: Wanted,
  conversation: string,
  { ports }: Enrichment,
): Promise<Opened | null> => {
  if (kind !== 'direct') return null
  return (await lookAt(ports, Conversation, conversation)).opened
}

type Prepared = {
  readonly customers: readonly string[]
  readonly opened: Opened
  readonly first: Omit<MessageSent, 'sequence'> | null
}

const prepare = async (wanted: Wanted, enrichment: Enrichment): Promise<Prepared | Refusal> => {
  const { context, at, newId } = enrichment
  const conversation = idOf(wanted, newId)
  const known = await knownDirect(wanted, conversation, enrichment)
  if (known) return { customers: [], opened: known, first: null }
  const customers = await customersAmong(wanted.members, enrichment)
  if (isRefusal(customers)) return customers
  const opened_by = context.actor.id
  return {
    customers,
    opened: {
      ...{ conversation, kind: wanted.kind, members: [...wanted.members] },
      number: await takeNumber(enrichment, 'conversations'),
      title: await sealText(enrichment, opened_by, wanted.title),
      ...{ opened_by, opened_at: at },
    },
    first: wanted.first && (await messageOf(wanted.first, conversation, enrichment)),
  }
}

const Members = z
  .array(Identifier)
  .max(MOST_MEMBERS)
  .transform((members) => [...new Set(members)])
const Title = z.string().trim().max(128).default('')

const opening = <Input extends z.ZodType, Answer>(
  name: string,
  permission: 'messages:use' | 'users:manage',
  input: Input,
  wantedBy: (input: z.infer<Input>, actor: string) => Wanted,
  answer: (events: readonly Decoded[], conversation: string) => Answer,
) =>
  command({
    ...{ name, permission, input, decider: Conversation, otherwise: 'CONVERSATION_NOT_FOUND' },
    stream: (given, { context, newId }) => idOf(wantedBy(given, context.actor.id), newId),
    on: 'any',
    ifMatch: 'stream',
    enrich: (given, enrichment) =>
      prepare(wantedBy(given, enrichment.context.actor.id), enrichment),
    decide: Conversation.decide.open,
    answer: (events, _input, { opened }) => answer(events, opened.conversation),
  })

const together = (actor: string, others: readonly string[]): readonly string[] => [
  ...new Set([actor, ...others]),
]

const whetherOpened = (events: readonly Decoded[], conversation: string) => ({
  conversation,
  /** False: it was there already. */
  opened: events.length > 0,
})

const sentOf = (events: readonly Decoded[]) => {
  const { conversation, message, number, sequence } = dataOf<MessageSent>(
    events,
    'ConversationMessageSent',
  )
  return { conversation, message, number, sequence }
}

/** With others; of two people, without saying that it is a group, the one that they have. */
export const openRoom = opening(
  'conversations.open_room',
  'messages:use',
  z.strictObject({ members: Members, group: z.boolean().default(false), title: Title }),
  ({ members, group, title }, actor) => {
    const all = together(actor, members)
    const kind = group || all.length !== 2 ? 'group' : 'direct'
    return { members: all, kind, title, first: null }
  },
  whetherOpened,
)

/** Mail to others about a matter, with its first message. */
export const openThread = opening(
  'conversations.open_thread',
  'messages:use',
  z.strictObject({
    members: Members,
    title: Title,
    first: Said.refine(saysSomething, SAYS_NOTHING),
  }),
  ({ members, title, first }, actor) => ({
    ...{ members: together(actor, members), kind: 'thread', title, first },
  }),
  sentOf,
)

/** One that comes from another product, with whoever is in it there. */
export const importConversation = opening(
  'conversations.import',
  'users:manage',
  z.strictObject({ members: Members, kind: ConversationKind, title: Title }),
  (given) => ({ ...given, first: null }),
  whetherOpened,
)

const conversationCommand = onExisting({
  decider: Conversation,
  field: 'conversation',
  otherwise: 'CONVERSATION_NOT_FOUND',
})

export const sendMessage = conversationCommand({
  name: 'conversations.send',
  permission: 'messages:use',
  input: Said.extend({ conversation: Identifier }).refine(saysSomething, SAYS_NOTHING),
  enrich: ({ conversation, ...said }, enrichment) => messageOf(said, conversation, enrichment),
  decide: Conversation.decide.send,
  answer: sentOf,
})

const EVERYTHING = Number.MAX_SAFE_INTEGER

/** Marks what others have written as read; the answer says which of it this was the first time for. */
export const markRead = conversationCommand({
  name: 'conversations.read',
  permission: 'messages:use',
  input: z.strictObject({
    conversation: Identifier,
    /** The sequence of the last one that was read. */
    up_to: z.int().min(1).default(EVERYTHING),
  }),
  enrich: ({ conversation, up_to }, { context, at }) => ({
    ...{ conversation, reader: context.actor.id, up_to, read_at: at },
  }),
  decide: Conversation.decide.read,
  answer: (events, { conversation }) => {
    const read = events[0]?.data as Read | undefined
    return { conversation, after: read?.after ?? 0, up_to: read?.up_to ?? 0 }
  },
})
