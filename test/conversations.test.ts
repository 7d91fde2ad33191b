import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { openThread, sendMessage } from '../commands/conversations.ts'
import { type Command, type Context, execute } from '../commands/kernel.ts'
import { importUser } from '../commands/users.ts'
import { Conversation, directId, type MessageSent, type Opened } from '../domain/conversations.ts'
import { defaultPreferences, shownSince, UserPreferences } from '../domain/preferences.ts'
import { pageMessages } from '../projections/conversation_messages.ts'
import { pageConversations } from '../projections/conversation_queries.ts'
import { conversationBook } from '../projections/conversations.ts'
import { preferenceBook } from '../projections/preferences.ts'
import { userBook } from '../projections/users.ts'
import { accepted, administrator, useWorld } from './people-support.ts'
import { spec } from './support/spec.ts'

const NOON = '2026-03-10T12:00:00.000Z'
const conversation = 'c1'
const world = useWorld()

const opened: Opened = {
  ...{ conversation, number: 1, kind: 'direct', members: ['ada', 'ben'], title: '' },
  ...{ opened_by: 'ada', opened_at: NOON },
}
const message: Omit<MessageSent, 'sequence'> = {
  ...{ conversation, message: 'm1', number: 1, sender: 'ada', kind: 'text', content: 'sealed' },
  ...{ attachment: null, sent_at: NOON },
}
const opens = { type: 'ConversationOpened', data: opened } as const
const sent = (sequence: number) =>
  ({ type: 'ConversationMessageSent', data: { ...message, sequence } }) as const
const reading = (reader: string, up_to: number) => ({ conversation, reader, up_to, read_at: NOON })

describe('a conversation', () => {
  const given = spec(Conversation).given

  test('is opened once; by a customer only with those who are none', () => {
    const asked = { opened, customers: ['ada'], first: null }
    given().when('open', asked).gives(opens)
    given(opens).when('open', asked).gives()
    given()
      .when('open', { ...asked, first: message })
      .gives(opens, sent(1))
    given()
      .when('open', { ...asked, customers: ['ada', 'ben'] })
      .rejects('MEMBER_UNSUITABLE')
    given()
      .when('open', { ...asked, customers: ['ben', 'carl'] })
      .gives(opens)
  })

  test('numbers what its members say, and is not there for others', () => {
    given(opens, sent(1)).when('send', message).gives(sent(2))
    given(opens)
      .when('send', { ...message, sender: 'eve' })
      .rejects('CONVERSATION_NOT_FOUND')
    given(opens, sent(1)).when('read', reading('eve', 1)).rejects('CONVERSATION_NOT_FOUND')
  })

  test('says which messages were read for the first time', () => {
    const read = (after: number, up_to: number) =>
      ({ type: 'ConversationRead', data: { ...reading('ben', up_to), after } }) as const
    const three = [opens, sent(1), sent(2), sent(3)]
    given(opens).when('read', reading('ben', 9)).gives()
    given(three).when('read', reading('ben', 2)).gives(read(0, 2))
    given(three, read(0, 2)).when('read', reading('ben', 9)).gives(read(2, 3))
    given(three, read(0, 2)).when('read', reading('ben', 1)).gives()
    given(three, read(0, 2)).when('read', reading('ada', 3)).happens('ConversationRead')
  })

  test('of two people has one id, whoever of them asks', () => {
    expect(directId('ada', 'ben')).toBe(directId('ben', 'ada'))
    expect(directId('ada', 'ben')).not.toBe(directId('ada', 'carl'))
  })
})

describe('preferences', () => {
  test('change in what is named, and only when it is another', () => {
    const given = spec(UserPreferences).given
    const change = (changes: object) => ({ user: 'ada', changes, changed_at: NOON })
    const data = {
      ...{ user: 'ada', changed_at: NOON },
      preferences: { ...defaultPreferences, font_size: 'large' as const },
    }
    const changed = { type: 'PreferencesChanged', data } as const
    given()
      .when('change', change({ font_size: 'large' }))
      .gives(changed)
    given()
      .when('change', change({ font_size: 'medium' }))
      .gives()
    given(changed)
      .when('change', change({ font_size: 'large' }))
      .gives()
  })

  test('show messages of so many days, or all', () => {
    const days = { ...defaultPreferences, auto_delete_days: 7 as const }
    expect(shownSince(days, new Date(NOON))).toBeNull()
    expect(shownSince({ ...days, auto_delete_enabled: true }, new Date(NOON))).toEqual(
      new Date('2026-03-03T12:00:00.000Z'),
    )
  })
})

const ask = async <Input extends z.ZodType, Values, Answer>(
  command: Command<Input, Values, Answer>,
  input: z.input<Input>,
  context: Context,
) => accepted(await execute(world.ports, command, command.input.parse(input), context))

test('what somebody said is unreadable once he is forgotten, and what others said is not', async () => {
  const shown = await world.project([conversationBook, preferenceBook, userBook])
  const people = ['ada', 'ben'].map((user) => ({ user, roles: ['cashier' as const] }))
  for (const { user, roles } of people) {
    const person = { user, username: user, name: user, password: 'password123', roles }
    await ask(importUser, person, world.context(administrator))
  }
  const actor = (id: string) => world.context({ id, roles: ['cashier'] })
  const thread = { members: ['ben'], title: 'Cards', first: { content: 'Mine' } }
  const { answer } = await ask(openThread, thread, actor('ada'))
  const reply = { conversation: answer.conversation, content: 'Yours' }
  const { position } = await ask(sendMessage, reply, actor('ben'))
  await shown(position)
  const asker = { id: 'ben', reach: 'own', at: world.ports.clock() } as const
  const page = { kinds: ['thread' as const], page: 1, page_size: 20 }
  const { vault } = world.ports
  const look = async () =>
    (await pageMessages.run(world.database, page, asker, vault)).results.map(
      ({ content, sender_name, title }) => [content, sender_name, title],
    )
  expect(await look()).toEqual([
    ['Yours', 'ben', 'Cards'],
    ['Mine', 'ada', 'Cards'],
  ])
  await vault.forget('ada')
  expect(await look()).toEqual([
    ['Yours', 'ben', null],
    [null, null, null],
  ])
  const [one] = (await pageConversations.run(world.database, page, asker, vault)).results
  expect(one).toMatchObject({ title: null, last_message: 'Yours', members: [{}, {}] })
})
