import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openKafkaBus } from '../../infra/bus/kafka.ts'
import type { Bus } from '../../infra/bus/port.ts'
import { message } from '../bus-contract.ts'
import { deadLettersContract, runDeadLetters, startConsumer } from '../dead-letters-support.ts'

const brokers = process.env.KAFKA_BROKERS ?? ''
const log = pino({ level: 'silent' })

describe.skipIf(!brokers)('dead letters on Kafka', { timeout: 120_000 }, () => {
  let bus: Bus
  beforeEach(() => {
    bus = openKafkaBus({ brokers: brokers.split(','), log, partitions: 4 })
  })
  afterEach(() => bus.close())

  deadLettersContract(() => bus)

  it('are listed and replayed from the command line', async () => {
    const topic = `test-${randomUUID()}`
    const run = (...args: string[]) =>
      runDeadLetters({ KAFKA_BROKERS: brokers, DAYBOOK_DATA: '/nowhere' }, ...args)
    const consumer = startConsumer(bus, topic)
    const bad = message('some key', 'bad')
    await bus.publish(topic, [bad])
    await vi.waitFor(async () => expect(await bus.lag('readers', topic)).toBe(0), 30_000)

    const listed = await run('list', '--topic', topic)
    expect(listed).toMatchObject({ code: 0, errors: '' })
    expect(listed.out).toMatch(
      new RegExp(`Z +${topic} +readers +some key +${bad.id} +it is bad$`, 'm'),
    )
    expect(listed.out).toMatch(/^1 shown, 1 not yet replayed\.$/m)

    consumer.mend()
    const replayed = await run('replay', '--topic', `${topic}.dead`)
    expect(replayed).toMatchObject({ code: 0, errors: '' })
    expect(replayed.out).toMatch(new RegExp(`^${topic}\\.dead +1 +0$`, 'm'))
    await vi.waitFor(() => expect(consumer.values()).toEqual(['bad']), 30_000)
    expect((await run('list', '--topic', topic)).out).toBe('0 shown, 0 not yet replayed.\n')
    await consumer.stop()

    const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    const { groups } = await admin.listGroups()
    await admin.disconnect()
    const ours = groups.map(({ groupId }) => groupId).filter((group) => group.includes(topic))
    expect(ours.toSorted()).toEqual([`dead-letters.${topic}.dead`, `readers.${topic}`])
  })

  it('says so when Kafka is not there', async () => {
    const env = { KAFKA_BROKERS: '127.0.0.1:1', DAYBOOK_DATA: '/nowhere' }
    const { code, out, errors } = await runDeadLetters(env, 'list')
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(errors).toContain('Kafka did not answer')
  })
})
