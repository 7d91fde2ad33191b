/** What chat and inbox have in common: people, messages, and whom they may be sent to. */
import { z } from '@hono/zod-openapi'
import { MessageKind } from '../../domain/conversations.ts'
import type { MessageView } from '../../projections/conversation_messages.ts'
import type { ConversationView, MemberView } from '../../projections/conversation_queries.ts'
import { findCorrespondents } from '../../projections/correspondents.ts'
import { ask } from '../contract.ts'
import { instant } from '../formats.ts'
import { invalidField, ProblemError } from '../problems.ts'
import type { Call } from '../route.ts'
import type { Identity } from '../services.ts'
import { noSuch } from './accounts.ts'
import { masks } from './masking.ts'
import { roleOf, seesPersonal } from './views.ts'

type Reader = Pick<Identity, 'id' | 'roles'>

const PREVIEW_CHARACTERS = 50

const Member = z
  .object({
    id: z.int().nullable(),
    name: z.string(),
    role: z.string(),
    last_seen: z.string().nullable(),
  })
  .openapi('CoastalCorrespondent')

/** Names are masked below managers, as everywhere. */
const nameShownTo = (reader: Reader) => {
  const shown = seesPersonal(reader)
  return (name: string | null): string => (shown ? (name ?? '') : masks.name(name ?? ''))
}

const memberShownTo = (reader: Reader) => {
  const nameOf = nameShownTo(reader)
  return ({ number, name, roles, last_seen }: MemberView): z.infer<typeof Member> => ({
    id: number,
    name: nameOf(name),
    role: roleOf(roles),
    last_seen: last_seen && instant(last_seen),
  })
}

export const conversationFields = {
  id: z.int(),
  members: z.array(Member),
  last_message: z.string().nullable().openapi({ description: 'its first 50 characters' }),
  unread_count: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
}

/** The beginning of what was said. */
export const previewOf = (content: string): string =>
  [...content].slice(0, PREVIEW_CHARACTERS).join('')

export const conversationShownTo = (reader: Reader) => {
  const memberOf = memberShownTo(reader)
  return ({ number, members, last_message, unread, opened_at, moved_at }: ConversationView) => ({
    id: number,
    members: members.map(memberOf),
    last_message: last_message === null ? null : previewOf(last_message),
    unread_count: unread,
    created_at: instant(opened_at),
    updated_at: instant(moved_at),
  })
}

/** What a conversation is called by somebody who takes part: its title, or who else does. */
export const displayName = (
  reader: Reader,
  { kind, title, members }: Pick<ConversationView, 'kind' | 'title' | 'members'>,
): string => {
  if (kind !== 'direct' && title) return title
  const nameOf = nameShownTo(reader)
  const others = members.filter(({ user }) => user !== reader.id)
  return others.map(({ name }) => nameOf(name)).join(', ')
}

export const messageFields = {
  id: z.int(),
  sender: z.int().nullable(),
  sender_name: z.string(),
  content: z.string().openapi({ description: 'empty once its sender was forgotten' }),
  message_type: MessageKind,
  is_read: z.boolean().openapi({ description: 'by me; of my own, by anybody who lets it be seen' }),
  timestamp: z.string(),
}

export const messageShownTo = (reader: Reader) => {
  const nameOf = nameShownTo(reader)
  return ({ number, sender_number, sender_name, content, ...message }: MessageView) => ({
    id: number,
    sender: sender_number,
    sender_name: nameOf(sender_name),
    content: content ?? '',
    message_type: message.kind,
    is_read: message.is_read,
    timestamp: instant(message.sent_at),
  })
}

/** Users by their numbers. One that nobody has is a problem of the field. */
export const correspondents = async (
  call: Call,
  field: string,
  numbers: readonly number[],
): Promise<readonly string[]> => {
  const known = await ask(call, findCorrespondents, { numbers: [...new Set(numbers)] })
  return numbers.map((number) => {
    const user = known.get(number)
    if (user === undefined) throw new ProblemError(invalidField(field, noSuch(number)))
    return user
  })
}
