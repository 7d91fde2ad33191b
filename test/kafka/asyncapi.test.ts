import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { pino } from 'pino'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openKafkaBus } from '../../infra/bus/kafka.ts'
import {
  type Carried,
  expectAsDescribed,
  letMessagesDie,
  makeTraffic,
  readDocument,
} from '../asyncapi-support.ts'
import { eventually } from '../support/client.ts'
import { makeDirectory, removeDirectory, startDaybook } from '../support/stack.ts'

const brokers = process.env.KAFKA_BROKERS ?? ''

/** What lies in topics, read by kafkajs alone: nothing of Daybook is between. */
const readTopics = async (topics: string[]): Promise<Carried[]> => {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const offsets = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)))
  await admin.disconnect()
  const expected = offsets
    .flat()
    .reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
  const consumer = kafka.consumer({ groupId: `reader-${randomUUID()}` })
  const found: Carried[] = []
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const named = Object.entries(message.headers ?? {}).map(([name, value]) => [name, `${value}`])
      found.push({
        topic,
        key: String(message.key),
        value: String(message.value),
        headers: Object.fromEntries(named),
      })
    },
  })
  const count = async () => found.length
  await eventually('all is read', count, (seen) => seen >= expected, 60_000)
  await consumer.disconnect()
  return found
}

describe.skipIf(!brokers)('docs/asyncapi.yaml', { timeout: 240_000 }, () => {
  it('describes what lies in Kafka, on every channel', async () => {
    const directory = makeDirectory()
    onTestFinished(() => removeDirectory(directory))
    const daybook = await startDaybook({ directory, env: { KAFKA_BROKERS: brokers } })
    onTestFinished(async () => {
      await daybook.stop()
    })
    await makeTraffic(daybook, 'described')
    const admin = await daybook.as('admin')
    const scores = () => admin.get('/v1/risk/scores?book=described')
    const isScored = ({ body }: { body: { items?: object[] } }) => body.items?.length === 1
    await eventually('the transfer is scored', scores, isScored, 60_000)

    const bus = openKafkaBus({
      brokers: brokers.split(','),
      log: pino({ level: 'silent' }),
      partitions: 4,
    })
    onTestFinished(() => bus.close())
    await letMessagesDie(bus)
    const lag = () => bus.lag('scorer', 'daybook.ledger')
    await eventually('the scorer has read all', lag, (left) => left === 0, 60_000)
    const topics = Object.values(readDocument().channels).map(({ address }) => address)
    const records = await readTopics(topics)
    expectAsDescribed(records)
    const buried = records.filter(({ topic }) => topic === 'daybook.ledger.dead')
    const groups = buried.map(({ headers }) => headers['dead-group'])
    expect(groups.toSorted()).toEqual(['scorer', 'wants-events'])
  })
})
