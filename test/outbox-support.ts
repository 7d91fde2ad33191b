/** What the tests of the outbox share: an outbox on real stores, and servers that it sends to. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { newUlid } from '../commands/ids.ts'
import { type Message, queueMessage } from '../commands/outbox.ts'
import { OutboxMessage, type OutboxState } from '../domain/outbox.ts'
import { hearMessages, startOutbox } from '../infra/outbox/index.ts'
import { sendersOf } from '../infra/outbox/ways.ts'
import { outboxBook } from '../projections/outbox.ts'
import { anonymous, type World } from './people-support.ts'

const log = { warn: () => undefined, error: () => undefined } as never
const nowhere = { smtpUrl: undefined, smsGatewayUrl: undefined, smsGatewayToken: undefined }
export const ways = { ...nowhere, smtpFrom: 'Bank <bank@example.com>' }

/** A message to somebody; what it says differs from all others. */
export const messageFor = (more: Partial<Message> = {}): Message => {
  const message = newUlid()
  return {
    ...{ message, subject: `user-${message}`, channel: 'sms', purpose: 'one_time_code' },
    ...{ recipient: '+233244123456', title: 'Your code', body: `It is ${message}.` },
    ...{ secret: message, expires_at: null },
    ...more,
  }
}

/** An outbox with what is sent through it, and what became of a message. */
export const openOutbox = async (world: World, senders = sendersOf(ways)) => {
  await world.project([outboxBook])
  const stopping = new AbortController()
  const heard: { by?: ReturnType<typeof hearMessages> } = {}
  const ports = world.anotherProcess((store) => {
    heard.by = hearMessages(store)
    return heard.by.store
  })
  const { database } = world
  const freshness = { waitFor: async () => true } as never
  const { signal } = stopping
  const outbox = startOutbox({ ports, database, freshness, senders, log, signal })
  heard.by?.heardBy(outbox.deliver)
  onTestFinished(() => stopping.abort())
  return {
    queue: (message: Message) => queueMessage(ports, message, world.context(anonymous)),
    settled: outbox.settled,
    stop: () => stopping.abort(),
    stateOf: async (message: string): Promise<unknown> => {
      const stream = `${OutboxMessage.category}-${message}`
      const types: string[] = []
      let last: unknown
      for await (const { type, data } of ports.store.readStream(stream)) {
        types.push(type)
        last = data
      }
      const { status } = (await ports.engine.look(OutboxMessage, stream)).state as OutboxState
      return { status, events: types.length, ...(last as object) }
    },
  }
}

export const listening = async (
  handle: (request: IncomingMessage, response: ServerResponse) => void,
) => {
  const server = createServer(handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/messages`
}

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  let text = ''
  for await (const chunk of request) text += chunk
  return JSON.parse(text)
}

/** A gateway that answers with these, the last again and again, and keeps what it was sent. */
export const gateway = async (...statuses: number[]) => {
  const seen: { authorization: string | undefined; body: unknown }[] = []
  const url = await listening(async (request, response) => {
    const status = statuses[seen.length] ?? statuses.at(-1) ?? 200
    seen.push({ authorization: request.headers.authorization, body: await bodyOf(request) })
    response.writeHead(status, status === 302 ? { Location: '/elsewhere' } : {}).end('{}')
  })
  return { seen, senders: sendersOf({ ...ways, smsGatewayUrl: url, smsGatewayToken: 'secret' }) }
}
