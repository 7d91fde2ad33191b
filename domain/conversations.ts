import { z } from 'zod'
import { Attachment } from './attachments.ts'
import { idFrom } from './ids.ts'
import { type Decision, decider, type EventOf, type Refusal, refuse } from './kernel.ts'
import { Identifier, Instant } from './ledger/events.ts'

/** direct: the only one of two people; group: of as many as there are; thread: mail about a matter. */
export const ConversationKind = z.enum(['direct', 'group', 'thread'])
export type ConversationKind = z.infer<typeof ConversationKind>

export const MessageKind = z.enum(['text', 'image', 'file'])
export type MessageKind = z.infer<typeof MessageKind>

export const MOST_MEMBERS = 100

const ByConversation = { conversation: Identifier }
/** Counts the messages of a conversation, from 1 on, without a gap. */
const Sequence = z.int().min(1)
/** Sealed under the key of who wrote it; empty: nothing was written. */
const SealedText = z.string().max(32_768)

export const conversationEvents = {
  ConversationOpened: z.object({
    ...ByConversation,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    kind: ConversationKind,
    members: z.array(Identifier).max(MOST_MEMBERS),
    /** What it is called, or about; sealed under the key of who opened it. */
    title: SealedText,
    opened_by: Identifier,
    opened_at: Instant,
  }),
  ConversationMessageSent: z.object({
    ...ByConversation,
    message: Identifier,
    /** What contracts with integer ids call it. */
    number: z.int().min(1),
    sequence: Sequence,
    sender: Identifier,
    kind: MessageKind,
    content: SealedText,
    /** Kept under the key of the sender. */
    attachment: Attachment.nullable(),
    sent_at: Instant,
  }),
  /** What lies behind `after` and up to `up_to`: those of others that he had not read before. */
  ConversationRead: z.object({
    ...ByConversation,
    reader: Identifier,
    after: z.int().min(0),
    up_to: Sequence,
    read_at: Instant,
  }),
} as const

type ConversationEvent = EventOf<typeof conversationEvents>
type Data<Type extends keyof typeof conversationEvents> = z.infer<(typeof conversationEvents)[Type]>
export type Opened = Data<'ConversationOpened'>
export type MessageSent = Data<'ConversationMessageSent'>
export type Read = Data<'ConversationRead'>

export type ConversationState = {
  readonly opened: Opened | null
  /** The sequence of the newest message. */
  readonly last: number
  /** Up to where each member has read. */
  readonly read: Readonly<Record<string, number>>
}

/** Two people have one conversation without a name, whoever of them asks for it. */
export const directId = (one: string, other: string): string =>
  idFrom(`conversation ${[one, other].sort().join(' ')}`)

type Opening = {
  readonly opened: Opened
  /** Those among the members who are customers and nothing else. */
  readonly customers: readonly string[]
}

/** The refusal when a customer asks for the company of other customers. */
const unsuitable = ({ opened, customers }: Opening): Refusal | undefined => {
  const isCustomer = customers.includes(opened.opened_by)
  return isCustomer && customers.length > 1
    ? refuse('MEMBER_UNSUITABLE', 'Customers can only talk to those who work here.')
    : undefined
}

/** A direct one that is there already is the one that is meant. */
const open = (
  state: ConversationState,
  { first, ...opening }: Opening & { readonly first: Omit<MessageSent, 'sequence'> | null },
): Decision<ConversationEvent> => {
  if (state.opened) return []
  const refusal = unsuitable(opening)
  if (refusal) return refusal
  const { opened } = opening
  const opens = { type: 'ConversationOpened', data: opened } as const
  if (!first) return [opens]
  return [opens, { type: 'ConversationMessageSent', data: { ...first, sequence: 1 } }]
}

/** To others it is not there. */
const unlessMember = ({ opened }: ConversationState, member: string): Refusal | undefined =>
  opened?.members.includes(member)
    ? undefined
    : refuse('CONVERSATION_NOT_FOUND', 'There is no such conversation.')

const send = (
  state: ConversationState,
  data: Omit<MessageSent, 'sequence'>,
): Decision<ConversationEvent> =>
  unlessMember(state, data.sender) ?? [
    { type: 'ConversationMessageSent', data: { ...data, sequence: state.last + 1 } },
  ]

/** `up_to`: a sequence; what is beyond the newest message is not there to be read. */
const read = (
  state: ConversationState,
  { reader, up_to, ...data }: Omit<Read, 'after'>,
): Decision<ConversationEvent> => {
  const refusal = unlessMember(state, reader)
  if (refusal) return refusal
  const after = state.read[reader] ?? 0
  const reached = Math.min(up_to, state.last)
  if (reached <= after) return []
  return [{ type: 'ConversationRead', data: { ...data, reader, after, up_to: reached } }]
}

/** People who write to each other, and how far each of them has read. */
export const Conversation = decider({
  category: 'conversation',
  schemas: conversationEvents,
  initial: (): ConversationState => ({ opened: null, last: 0, read: {} }),
  evolve: {
    ConversationOpened: (state, opened): ConversationState => ({ ...state, opened }),
    ConversationMessageSent: (state, { sequence }): ConversationState => ({
      ...state,
      last: sequence,
    }),
    ConversationRead: (state, { reader, up_to }): ConversationState => ({
      ...state,
      read: { ...state.read, [reader]: up_to },
    }),
  },
  decide: { open, send, read },
})
