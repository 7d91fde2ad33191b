import { expect, onTestFinished, test } from 'vitest'
import { markRead, openThread, sendMessage } from '../commands/conversations.ts'
import { execute } from '../commands/kernel.ts'
import { importUser } from '../commands/users.ts'
import { startMails } from '../infra/chat/mails.ts'
import { conversationBook } from '../projections/conversations.ts'
import { userBook } from '../projections/users.ts'
import { accepted, administrator, useWorld } from './people-support.ts'
import { eventually } from './support/client.ts'

const world = useWorld()
const roles = ['cashier' as const]

/** The mails that were queued, by whom they are for. */
const queued = async (): Promise<string[]> => {
  const found: string[] = []
  for await (const { type, data } of world.ports.store.readAll()) {
    if (type === 'OutboxMessageQueued') found.push((data as { subject: string }).subject)
  }
  return found
}

/** A process that begins now, and finds what an earlier one left. */
const begin = () => {
  const { ports, database } = world
  const stopping = new AbortController()
  onTestFinished(() => stopping.abort())
  const mails = startMails({
    ...{ ports, database, signal: stopping.signal, hub: { isPresent: () => false } },
    freshness: { waitFor: async () => true } as never,
    log: { error: () => undefined } as never,
  })
  return mails.settled
}

test('mails that an ended process left are queued by the next, once', async () => {
  const shown = await world.project([conversationBook, userBook])
  for (const user of ['ada', 'ben', 'carl']) {
    const person = { user, username: user, name: user, email: `${user}@example.com` }
    const asked = { ...person, password: 'password123', roles }
    accepted(await execute(world.ports, importUser, asked, world.context(administrator)))
  }
  const as = (id: string) => world.context({ id, roles })
  const said = { content: 'Mine', kind: 'text' as const, attachment: null }
  const thread = { members: ['ben', 'carl'], title: '', first: said }
  const { answer } = accepted(await execute(world.ports, openThread, thread, as('ada')))
  const { conversation } = answer
  const again = { ...said, conversation }
  accepted(await execute(world.ports, sendMessage, again, as('ada')))
  const read = { conversation, up_to: 2 }
  const { position } = accepted(await execute(world.ports, markRead, read, as('carl')))
  await shown(position)
  begin()
  // Carl has read it, and of two messages there is one mail.
  expect(await eventually('a mail', queued, ({ length }) => length > 0)).toEqual(['ben'])
  const settled = begin()
  const third = accepted(await execute(world.ports, sendMessage, again, as('ben')))
  await shown(third.position)
  begin()
  await eventually('mails of the third', queued, ({ length }) => length >= 3)
  await settled()
  expect((await queued()).sort()).toEqual(['ada', 'ben', 'carl'])
})
