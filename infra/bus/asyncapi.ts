/** `npm run asyncapi` writes docs/asyncapi.yaml: what lies on the bus, from the events' own schemas. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stringify } from 'yaml'
import { z } from 'zod'
import { eventSchemas, modules } from '../../domain/index.ts'
import {
  AccountCode,
  BookId,
  Day,
  Entry,
  Hold,
  Identifier,
  Instant,
  Line,
  Terms,
} from '../../domain/ledger/events.ts'
import { Amount, AmountOrZero, Asset, Balance } from '../../domain/money.ts'
import { riskEvents } from '../../domain/risk.ts'
import { Envelope } from './envelope.ts'
import { idHeader } from './kafka_consumer.ts'
import { topicTable } from './relay.ts'

const file = join(import.meta.dirname, '..', '..', 'docs', 'asyncapi.yaml')
const bindingVersion = '0.5.0'

/** What several events are made of, written once. */
const shared = {
  AccountCode,
  Amount,
  AmountOrZero,
  Asset,
  Balance,
  BookId,
  Day,
  Entry,
  Hold,
  Identifier,
  Instant,
  Line,
  Terms,
}

const titles: Readonly<Record<string, string>> = {
  'daybook.ledger': 'Books: every entry, hold, account and period, in the order of its book',
  'daybook.risk': 'Scores of movements, in the order of their book',
  'daybook.events': 'Everything else: users, sessions, cards, exports, models and so on',
}

type Channel = { readonly topic: string; readonly prefix: string; readonly types: string[] }

const nameOf = (topic: string): string => topic.replace('daybook.', '')
const refTo = (...path: readonly string[]) => ({ $ref: `#/${path.join('/')}` })

/** Which event types go to which topic: as the relay decides it, by the stream's name. */
function channels(): Channel[] {
  const streams = [
    ...modules.map(({ category, schemas }) => ({ stream: `${category}-`, schemas })),
    { stream: 'scores-', schemas: riskEvents },
  ]
  return topicTable.map(({ topic, prefix }) => ({
    topic,
    prefix,
    types: streams
      .filter(({ stream }) => topicOf(stream) === topic)
      .flatMap(({ schemas }) => Object.keys(schemas)),
  }))
}

function topicOf(stream: string): string | undefined {
  return topicTable.find(({ prefix }) => stream.startsWith(prefix))?.topic
}

/** As JSON Schema, each as it is written: additions to an event must not make it invalid. */
function dataSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries({ ...shared, ...eventSchemas, Envelope })) {
    registry.add(schema as z.ZodType, { id })
  }
  const uri = (id: string) => `#/components/schemas/${id}`
  const { schemas } = z.toJSONSchema(registry, { target: 'draft-7', io: 'input', uri })
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]),
  )
}

const text = (description: string, more: object = {}) => ({ type: 'string', description, ...more })

const headers = {
  'content-type': { type: 'string', const: 'application/json' },
  type: text("The event's type, so that one need not look into the value"),
  [idHeader]: text("The event's id: the same one again is the same event", { minLength: 1 }),
  'replayed-from': text('Only on a replayed dead letter: its topic, partition and offset there', {
    pattern: '^.+\\.dead/\\d+/\\d+$',
  }),
}

const deadHeaders = {
  'dead-topic': text('Where it was published'),
  'dead-partition': text('The partition it had there', { pattern: '^\\d+$' }),
  'dead-offset': text('The offset it had there', { pattern: '^\\d+$' }),
  'dead-group': text('The consumer group that could not handle it'),
  'dead-reason': text('Why not', { maxLength: 500 }),
  'dead-at': text('When it was given up', { format: 'date-time' }),
}

const headerSchemas = {
  EventHeaders: {
    type: 'object',
    properties: headers,
    required: ['content-type', 'type', idHeader],
  },
  DeadLetterHeaders: {
    type: 'object',
    description: 'The headers it had, which may be any, and what became of it',
    properties: { [idHeader]: headers[idHeader], ...deadHeaders },
    required: [idHeader, ...Object.keys(deadHeaders)],
  },
}

const keyOf = (prefix: string) =>
  text('The stream of the event: its events keep their order', {
    ...(prefix !== '' && { pattern: `^${prefix}` }),
  })

function eventMessage(type: string, { prefix }: Channel): object {
  const stream = prefix === '' ? {} : { stream: { type: 'string', pattern: `^${prefix}` } }
  const its = { ...stream, type: { const: type }, data: refTo('components', 'schemas', type) }
  return {
    name: type,
    contentType: 'application/json',
    headers: refTo('components', 'schemas', 'EventHeaders'),
    payload: {
      allOf: [refTo('components', 'schemas', 'Envelope'), { type: 'object', properties: its }],
    },
    bindings: { kafka: { key: keyOf(prefix), bindingVersion } },
  }
}

const deadMessage = {
  name: 'DeadLetter',
  summary: 'A message that a consumer group could never handle',
  contentType: 'text/plain',
  headers: refTo('components', 'schemas', 'DeadLetterHeaders'),
  payload: text('The value as it was published: an event as a rule, but perhaps not even JSON'),
  bindings: { kafka: { key: text('The key it was published with'), bindingVersion } },
}

const kafkaTopic = (topic: string) => ({ kafka: { topic, bindingVersion } })

function channelsOf(channel: Channel): [string, object][] {
  const { topic, types } = channel
  const dead = `${topic}.dead`
  const messages = types.map((type) => [type, refTo('components', 'messages', type)])
  return [
    [
      nameOf(topic),
      {
        address: topic,
        title: titles[topic] ?? topic,
        messages: Object.fromEntries(messages),
        bindings: kafkaTopic(topic),
      },
    ],
    [
      `${nameOf(topic)}.dead`,
      {
        address: dead,
        title: `What a consumer of ${topic} could not handle`,
        description: '`npm run daybook -- dead-letters` lists and replays it.',
        messages: { DeadLetter: refTo('components', 'messages', 'DeadLetter') },
        bindings: kafkaTopic(dead),
      },
    ],
  ]
}

/** What Daybook itself does on each channel. */
function operations(names: readonly string[]): Record<string, object> {
  const on = (action: string, name: string, summary: string) => ({
    action,
    channel: refTo('channels', name),
    summary,
  })
  const sends = names.map((name) => {
    const summary = name.endsWith('.dead')
      ? 'A consumer over the bus buries what it cannot handle'
      : 'The relay publishes the log, at least once'
    return [`send.${name}`, on('send', name, summary)]
  })
  const score = on('receive', 'ledger', 'The scorer (group scorer.daybook.ledger) scores movements')
  return { ...Object.fromEntries(sends), score }
}

/** The AsyncAPI document of the bus. */
export function asyncApi(): object {
  const table = channels()
  const all = table.flatMap(channelsOf)
  const messages = table.flatMap((channel) =>
    channel.types.map((type) => [type, eventMessage(type, channel)]),
  )
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Daybook on Kafka',
      version: '1.0.0',
      description:
        'Every event of the log as a message, at least once, in the order of its stream. The ' +
        'names and fields change by adding only: ignore what you do not know.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        host: '{broker}',
        protocol: 'kafka',
        variables: { broker: { default: 'localhost:9092', description: 'As in KAFKA_BROKERS' } },
      },
    },
    channels: Object.fromEntries(all),
    operations: operations(all.map(([name]) => name)),
    components: {
      messages: { ...Object.fromEntries(messages), DeadLetter: deadMessage },
      schemas: { ...headerSchemas, ...dataSchemas() },
    },
  }
}

/** The text of docs/asyncapi.yaml. */
export function asyncApiText(): string {
  const note = '# Written by `npm run asyncapi` from infra/bus/asyncapi.ts; do not edit.\n'
  return note + stringify(asyncApi(), { aliasDuplicateObjects: false, lineWidth: 100 })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(file, asyncApiText())
}
