import { describe, expect, test } from 'vitest'
import { OutboxMessage } from '../domain/outbox.ts'
import { listOutbox, outboxBook } from '../projections/outbox.ts'
import { gateway, messageFor, openOutbox } from './outbox-support.ts'
import { anonymous, useWorld } from './people-support.ts'
import { spec } from './support/spec.ts'

const NOON = '2026-03-01T12:00:00.000Z'
const queued = {
  type: 'OutboxMessageQueued',
  data: {
    ...{ message: 'm1', subject: 'ama', channel: 'sms' as const, purpose: 'one_time_code' },
    ...{ sealed: 'sealed', queued_at: NOON, expires_at: null },
  },
}
const delivered = { message: 'm1', way: 'local' as const, tries: 1, delivered_at: NOON }
const failed = { message: 'm1', tries: 3, error: 'nobody there', failed_at: NOON }

describe('a message', () => {
  const given = spec(OutboxMessage).given

  test('is queued once, however often it is asked for', () => {
    given().when('queue', queued.data).gives(queued)
    given(queued).when('queue', queued.data).gives()
  })

  test('arrives or does not, once', () => {
    given(queued).when('delivered', delivered).happens('OutboxMessageDelivered')
    given(queued).when('failed', failed).happens('OutboxMessageFailed')
    const arrived = { type: 'OutboxMessageDelivered', data: delivered }
    given(queued, arrived).when('failed', failed).rejects('MESSAGE_NOT_QUEUED')
    given(queued, arrived).when('queue', queued.data).gives()
    given().when('delivered', delivered).rejects('MESSAGE_NOT_QUEUED')
  })
})

const world = useWorld()

test('what has expired, or is for somebody who has been forgotten, is not sent', async () => {
  const { seen, senders } = await gateway(200)
  const { queue, settled, stateOf } = await openOutbox(world, senders)
  const late = messageFor({ expires_at: world.context(anonymous).at.toISOString() })
  await queue(late)
  await settled()
  expect(await stateOf(late.message)).toMatchObject({ status: 'failed', tries: 0 })
  const forgotten = messageFor()
  const closed = await openOutbox(world, {
    ...senders,
    sms: { way: 'local', send: () => Promise.reject() },
  })
  closed.stop()
  await closed.queue(forgotten)
  await world.ports.vault.forget(forgotten.subject)
  const caughtUp = await world.project([outboxBook])
  await caughtUp(await world.ports.store.head())
  const again = await openOutbox(world, senders)
  await expect
    .poll(() => again.stateOf(forgotten.message), { timeout: 10_000 })
    .toMatchObject({ status: 'failed', tries: 0 })
  expect(seen).toEqual([])
})

test('what a message says is shown where it was left, and nowhere in the clear', async () => {
  const { senders } = await gateway(200)
  const here = await openOutbox(world)
  const left = messageFor()
  await here.queue(left)
  await here.settled()
  const away = await openOutbox(world, senders)
  const sent = messageFor()
  await away.queue(sent)
  await away.settled()
  const caughtUp = await world.project([outboxBook])
  await caughtUp(await world.ports.store.head())
  const asker = { id: 'root', reach: 'all', at: new Date() } as const
  const { database, ports } = world
  const read = (input: object) =>
    listOutbox.run(database, listOutbox.input.parse(input), asker, ports.vault)
  const { items, next_cursor } = await read({ limit: 1 })
  expect(items).toMatchObject([
    { message: sent.message, way: 'sms_gateway', body: null, secret: null },
  ])
  const next = await read({ limit: 1, cursor: next_cursor })
  expect(next.items).toMatchObject([{ message: left.message, way: 'local', body: left.body }])
  for await (const { data } of ports.store.readAll()) {
    expect(JSON.stringify(data)).not.toMatch(/\+233244123456|It is /)
  }
})
