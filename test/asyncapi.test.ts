import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import schemas from '@asyncapi/specs'
import { Ajv, type AnySchemaObject } from 'ajv'
import formats from 'ajv-formats'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { eventSchemas } from '../domain/index.ts'
import { asyncApi, asyncApiText } from '../infra/bus/asyncapi.ts'
import { openEmbeddedBus } from '../infra/bus/embedded.ts'
import { messageOf } from '../infra/bus/envelope.ts'
import { idHeader } from '../infra/bus/kafka_consumer.ts'
import { runRelay, topicTable } from '../infra/bus/relay.ts'
import { connectEventStore } from '../infra/eventstore/client.ts'
import { findRunning } from '../infra/running.ts'
import {
  type Carried,
  createCheck,
  expectAsDescribed,
  file,
  letMessagesDie,
  makeTraffic,
  readDocument,
} from './asyncapi-support.ts'
import { temporaryDirectory } from './infra-support.ts'
import { fixturesOf } from './laws/fixtures.ts'
import { eventually } from './support/client.ts'
import { useDaybook } from './support/stack.ts'

const log = pino({ level: 'silent' })

/** What the official schema has against a document. */
const faultsOf = (() => {
  const ajv = new Ajv({ strict: false, meta: false, validateSchema: false })
  formats.default(ajv)
  const validate = ajv.compile(schemas.schemas['3.0.0'] as AnySchemaObject)
  return (document: object) => (validate(document) ? [] : validate.errors)
})()

const referencesIn = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === '$ref' ? [String(inner)] : referencesIn(inner),
  )
}

const resolve = (document: object, reference: string): unknown =>
  reference
    .slice('#/'.length)
    .split('/')
    .reduce((at: unknown, name) => (at as Record<string, unknown> | undefined)?.[name], document)

describe('docs/asyncapi.yaml', () => {
  const document = readDocument()

  it('is what `npm run asyncapi` writes', () => {
    expect(readFileSync(file, 'utf8')).toBe(asyncApiText())
    expect(document).toEqual(asyncApi())
  })

  it('is a valid AsyncAPI 3 document, every reference of which leads somewhere', () => {
    expect(faultsOf(document)).toEqual([])
    const references = referencesIn(document)
    expect(references.length).toBeGreaterThan(200)
    expect(references.filter((one) => resolve(document, one) === undefined)).toEqual([])
    expect(faultsOf({ ...document, operations: { score: { action: 'guess' } } })).not.toEqual([])
  })

  it('has a channel for every topic and its dead letters, and every event in one of them', () => {
    const topics = topicTable.flatMap(({ topic }) => [topic, `${topic}.dead`])
    const channels = Object.values(document.channels)
    expect(channels.map(({ address }) => address)).toEqual(topics)
    const types = channels.flatMap(({ messages }) => Object.keys(messages))
    const events = types.filter((type) => type !== 'DeadLetter')
    expect(events.toSorted()).toEqual(Object.keys(eventSchemas).toSorted())
  })

  it('accepts every event that was ever written', () => {
    const check = createCheck(document)
    const fixtures = Object.keys(eventSchemas).flatMap((type) =>
      fixturesOf(type).map(({ data }) => ({ type, data })),
    )
    expect(fixtures.flatMap(({ type, data }) => check.ofData(type, data))).toEqual([])
    expect(fixtures.length).toBeGreaterThanOrEqual(Object.keys(eventSchemas).length)
  })
})

describe('a message that is not as described', () => {
  const check = createCheck(readDocument())
  const sent = messageOf({
    id: 'e1',
    stream: 'book-main',
    revision: 3,
    position: { commit: 9n, prepare: 9n },
    type: 'AssetAdded',
    data: { asset: 'USD/2' },
    metadata: { actor: 'tester' },
    recordedAt: new Date('2026-01-02T03:04:05.678Z'),
  })
  const good = { ...sent, topic: 'daybook.ledger', headers: { ...sent.headers, [idHeader]: 'e1' } }
  const withValue = (changes: object) => JSON.stringify({ ...JSON.parse(good.value), ...changes })

  it('is told from one that is', () => {
    expect(check.ofMessage(good)).toEqual([])
  })

  it.each<[string, Partial<Carried>, RegExp]>([
    ['topic', { topic: 'daybook.lodger' }, /no channel daybook.lodger/],
    ['channel', { topic: 'daybook.risk' }, /daybook.risk carries no AssetAdded/],
    ['key', { key: 'user-1' }, /key: .*pattern/],
    ['header', { headers: sent.headers }, /headers: .*daybook-id/],
    ['data', { value: withValue({ data: { asset: 'usd' } }) }, /payload: \/data\/asset/],
    ['type', { value: withValue({ type: 'AccountFrozen' }) }, /payload: \/type/],
    ['envelope', { value: withValue({ revision: -1 }) }, /payload: \/revision/],
    ['JSON', { value: '{"asset' }, /payload: .*object/],
    ['death', { topic: 'daybook.ledger.dead' }, /headers: .*dead-topic/],
  ])('is found by its %s', (_what, changes, fault) => {
    expect(check.ofMessage({ ...good, ...changes }).join('\n')).toMatch(fault)
  })
})

describe('the embedded bus', { timeout: 120_000 }, () => {
  const daybook = useDaybook()

  it('carries what docs/asyncapi.yaml describes, on every channel', async () => {
    await makeTraffic(daybook, 'described')
    const analyst = await daybook.as('analyst')
    await eventually(
      'the transfer is scored',
      () => analyst.get('/v1/risk/scores?book=described'),
      ({ body }) => body.items?.length === 1,
      30_000,
    )
    const store = connectEventStore({ url: findRunning(daybook.directory)?.eventStoreUrl ?? '' })
    const bus = openEmbeddedBus({ file: join(temporaryDirectory(), 'bus.db'), log })
    const stop = new AbortController()
    const target = bus.relayTarget('relay')
    const relaying = runRelay({ store, target, topics: topicTable, signal: stop.signal, log })
    onTestFinished(async () => {
      stop.abort()
      await relaying
      await Promise.all([store.close(), bus.close()])
    })
    const head = await store.head()
    const relayed = async () => (await target.position())?.commit ?? -1n
    await vi.waitFor(
      async () => expect(await relayed()).toBeGreaterThanOrEqual(head?.commit ?? 0n),
      { timeout: 30_000 },
    )
    await letMessagesDie(bus)
    const records: Carried[] = []
    for (const topic of await bus.topics()) {
      const options = { group: 'nobody', topic, limit: 10_000, signal: stop.signal }
      for (const { headers, id, ...rest } of await bus.peek(options)) {
        records.push({ ...rest, headers: { ...headers, [idHeader]: id } })
      }
    }
    expectAsDescribed(records)
  })
})
