/** Whether what lies on a bus is what docs/asyncapi.yaml says; and something to lie there. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import { expect, vi } from 'vitest'
import { parse } from 'yaml'
import { eventsOf } from '../infra/bus/envelope.ts'
import type { Bus } from '../infra/bus/port.ts'
import { topicTable } from '../infra/bus/relay.ts'
import { accepted, openBank, transferOf } from './support/bank.ts'
import type { Daybook } from './support/stack.ts'

export const file = join(import.meta.dirname, '..', 'docs', 'asyncapi.yaml')

type Reference = { readonly $ref: string }
type Channel = {
  readonly address: string
  readonly messages: Readonly<Record<string, Reference>>
}
export type AsyncApi = {
  readonly channels: Readonly<Record<string, Channel>>
  readonly components: {
    readonly messages: Readonly<Record<string, object>>
    readonly schemas: Readonly<Record<string, object>>
  }
}

export const readDocument = (): AsyncApi => parse(readFileSync(file, 'utf8'))

/** A message as Kafka has it: the id is one of its headers. */
export type Carried = {
  readonly topic: string
  readonly key: string
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

const asJson = (value: string): unknown => {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

/** A function that says what of a message is not as the document has it. */
export const createCheck = (document: AsyncApi) => {
  const ajv = new Ajv({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema(document, 'asyncapi')
  const channels = new Map(Object.values(document.channels).map((one) => [one.address, one]))

  const faultsAt = (path: string, value: unknown): string[] => {
    const validate = ajv.getSchema(`asyncapi#/components/${path}`)
    if (!validate) return [`the document has no ${path}`]
    if (validate(value)) return []
    return (validate.errors ?? []).map(({ instancePath, message }) => {
      return `${path}: ${instancePath} ${message}`
    })
  }

  const ofMessage = ({ topic, key, value, headers }: Carried): string[] => {
    const channel = channels.get(topic)
    if (!channel) return [`the document has no channel ${topic}`]
    const name = topic.endsWith('.dead') ? 'DeadLetter' : (headers.type ?? '')
    if (!channel.messages[name]) return [`${topic} carries no ${name}`]
    const payload = name === 'DeadLetter' ? value : asJson(value)
    const at = `messages/${name}`
    return [
      ...faultsAt(`${at}/headers`, headers),
      ...faultsAt(`${at}/bindings/kafka/key`, key),
      ...faultsAt(`${at}/payload`, payload),
    ]
  }

  return { ofMessage, ofData: (type: string, data: unknown) => faultsAt(`schemas/${type}`, data) }
}

/** Something of every channel, over HTTP. */
export const makeTraffic = async (daybook: Daybook, book: string): Promise<void> => {
  const admin = await daybook.as('admin')
  const at = await openBank(admin, book)
  accepted(await admin.post(`${at}/transfers`, transferOf('cash:vault', 'customers:ada', '9000')))
  const transfer = transferOf('customers:ada', 'customers:bob', '150')
  accepted(await admin.post(`${at}/transfers`, { ...transfer, description: 'Lunch, ✓' }))
  accepted(await admin.post(`${at}/accounts/customers:bob/freeze`, { reason: 'to see it' }))
  await daybook.as('analyst')
  await daybook.as('system')
}

/** Lets a message die on every topic, at the hands of a consumer that wants events. */
export const letMessagesDie = async (bus: Bus): Promise<void> => {
  const stop = new AbortController()
  const consumers = topicTable.map(({ topic }) =>
    bus.consume({
      group: 'wants-events',
      topic,
      fromBeginning: true,
      maxBatch: 100,
      signal: stop.signal,
      handle: async (messages) => void eventsOf(messages),
    }),
  )
  try {
    for (const { topic } of topicTable) {
      const headers = { type: 'Nonsense' }
      await bus.publish(topic, [{ key: 'nobody', id: randomUUID(), value: '{"no', headers }])
    }
    const lags = () => Promise.all(topicTable.map(({ topic }) => bus.lag('wants-events', topic)))
    await vi.waitFor(async () => expect(await lags()).toEqual([0, 0, 0]), {
      timeout: 60_000,
      interval: 50,
    })
  } finally {
    stop.abort()
    await Promise.all(consumers)
  }
}

/** What the messages of both buses must come to. */
export const expectAsDescribed = (records: readonly Carried[]): void => {
  const check = createCheck(readDocument())
  // What was published to die has no place in the channel: it lies there all the same.
  const live = records.filter(({ headers, topic }) => {
    return headers.type !== 'Nonsense' || topic.endsWith('.dead')
  })
  const faults = live.flatMap((record) => check.ofMessage(record))
  expect(faults).toEqual([])
  const kinds = new Set(live.map(({ topic, headers }) => `${topic} ${headers.type}`))
  expect([...kinds]).toEqual(
    expect.arrayContaining([
      'daybook.ledger BookOpened',
      'daybook.ledger AccountOpened',
      'daybook.ledger EntryPosted',
      'daybook.ledger AccountFrozen',
      'daybook.risk TransactionScored',
      'daybook.events UserRegistered',
      'daybook.events SessionOpened',
      'daybook.events ApiKeyIssued',
      'daybook.ledger.dead Nonsense',
      'daybook.risk.dead Nonsense',
      'daybook.events.dead Nonsense',
    ]),
  )
}
