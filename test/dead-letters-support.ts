/** What becomes of dead letters, whatever the bus; and the command line that shows them. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { expect, it, vi } from 'vitest'
import {
  countDeadLetters,
  deadTopics,
  listDeadLetters,
  replayDeadLetters,
} from '../infra/bus/dead_letters.ts'
import { PoisonedMessage } from '../infra/bus/errors.ts'
import type { Bus, Message, OutgoingMessage } from '../infra/bus/port.ts'
import { message } from './bus-contract.ts'

const deadline = { timeout: 45_000, interval: 10 }
const never = new AbortController().signal

export type Ended = { readonly code: number | null; readonly out: string; readonly errors: string }

/** Runs `daybook dead-letters` as a person would. */
export async function runDeadLetters(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Ended> {
  // As `npm run daybook` has it: kafkajs sets timers in the past, which Node remarks upon.
  const flags = ['--disable-warning=TimeoutNegativeWarning']
  const command = [...flags, 'infra/cli/main.ts', 'dead-letters', ...args]
  const child = spawn(process.execPath, command, {
    cwd: new URL('..', import.meta.url),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { out: '', errors: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.errors += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...texts }
}

/** A consumer that cannot handle what begins with `bad`, until it is mended. */
export function startConsumer(bus: Bus, topic: string) {
  const seen: Message[] = []
  const stop = new AbortController()
  let isMended = false
  const done = bus.consume({
    group: 'readers',
    topic,
    fromBeginning: true,
    maxBatch: 10,
    signal: stop.signal,
    handle: async (messages) => {
      const bad = messages.findIndex(({ value }) => value.startsWith('bad'))
      if (bad >= 0 && !isMended) throw new PoisonedMessage(bad, 'it is\n  bad')
      seen.push(...messages)
    },
  })
  return {
    seen,
    values: () => seen.map(({ value }) => value).toSorted(),
    mend: () => {
      isMended = true
    },
    stop: async () => {
      stop.abort()
      await done
    },
  }
}

/** Publishes, and waits until everything was read, the bad ones into the dead-letter topic. */
async function publishAndRead(bus: Bus, topic: string, sent: OutgoingMessage[]): Promise<void> {
  await bus.publish(topic, sent)
  await vi.waitFor(async () => expect(await bus.lag('readers', topic)).toBe(0), deadline)
}

export function deadLettersContract(openBus: () => Bus): void {
  const use = () => ({ bus: openBus(), topic: `test-${randomUUID()}` })
  const list = (bus: Bus, topic: string, more: { limit?: number; all?: boolean } = {}) =>
    listDeadLetters(bus, { topic: `${topic}.dead`, limit: 100, all: false, signal: never, ...more })
  const values = (count: number) => Array.from({ length: count }, (_, index) => `bad ${index}`)
  const ids = (of: readonly { id: string }[]) => of.map(({ id }) => id).toSorted()

  it('lists them with what is known of each, and changes nothing by it', async () => {
    const { bus, topic } = use()
    const consumer = startConsumer(bus, topic)
    const bad = message('a', 'bad')
    const began = new Date().toISOString()
    await publishAndRead(bus, topic, [message('a', 'good'), bad])
    const [letter, ...others] = await list(bus, topic)
    expect(others).toEqual([])
    const facts = { key: 'a', topic, group: 'readers', reason: 'it is\n  bad' }
    expect(letter).toEqual({ ...facts, id: bad.id, at: letter?.at })
    expect(letter?.at.localeCompare(began)).toBeGreaterThanOrEqual(0)
    expect(letter?.at.localeCompare(new Date().toISOString())).toBeLessThanOrEqual(0)
    expect(await list(bus, topic)).toEqual([letter])
    expect(await countDeadLetters(bus, `${topic}.dead`)).toBe(1)
    expect(await deadTopics(bus)).toContain(`${topic}.dead`)
    await consumer.stop()
  })

  it('replays each to where it came from, as it was, and once', async () => {
    const { bus, topic } = use()
    const consumer = startConsumer(bus, topic)
    const sent = values(25).map((value, index) => message(`key-${index % 5}`, value))
    await publishAndRead(bus, topic, sent)
    consumer.mend()
    const steps: string[] = []
    const options = { topic: `${topic}.dead`, signal: never }
    const onProgress = (done: number, total: number) => void steps.push(`${done}/${total}`)
    expect(await replayDeadLetters(bus, { ...options, onProgress })).toBe(25)
    expect([steps[0], steps.at(-1)]).toEqual(['0/25', '25/25'])
    await vi.waitFor(() => expect(consumer.seen).toHaveLength(25), deadline)
    for (const original of sent) {
      const { key, id, value, headers } = consumer.seen.find((one) => one.id === original.id) ?? {}
      const { 'replayed-from': from, ...rest } = headers ?? {}
      expect({ key, id, value, headers: rest }).toEqual(original)
      expect(from).toMatch(new RegExp(`^${topic}\\.dead/\\d+/\\d+$`))
    }
    const order = consumer.seen.filter(({ key }) => key === 'key-3').map(({ value }) => value)
    expect(order).toEqual(['bad 3', 'bad 8', 'bad 13', 'bad 18', 'bad 23'])
    expect(await replayDeadLetters(bus, options)).toBe(0)
    expect(await list(bus, topic)).toEqual([])
    expect(ids(await list(bus, topic, { all: true }))).toEqual(ids(sent))
    await consumer.stop()
  })

  it('replays no more than asked, and goes on there', async () => {
    const { bus, topic } = use()
    const consumer = startConsumer(bus, topic)
    const sent = values(9).map((value) => message('a', value))
    await publishAndRead(bus, topic, sent)
    consumer.mend()
    const options = { topic: `${topic}.dead`, signal: never }
    expect(await replayDeadLetters(bus, { ...options, limit: 4 })).toBe(4)
    expect(await countDeadLetters(bus, `${topic}.dead`)).toBe(5)
    await vi.waitFor(() => expect(consumer.seen).toHaveLength(4), deadline)
    expect(ids([...(await list(bus, topic)), ...consumer.seen])).toEqual(ids(sent))
    expect(await list(bus, topic, { limit: 2 })).toHaveLength(2)
    expect(await replayDeadLetters(bus, { ...options, limit: 100 })).toBe(5)
    await vi.waitFor(() => expect(consumer.values()).toEqual(values(9)), deadline)
    await consumer.stop()
  })

  it('lets what is still bad die again', async () => {
    const { bus, topic } = use()
    const consumer = startConsumer(bus, topic)
    await publishAndRead(bus, topic, [message('a', 'bad')])
    const options = { topic: `${topic}.dead`, signal: never }
    expect(await replayDeadLetters(bus, options)).toBe(1)
    await vi.waitFor(async () => expect(await list(bus, topic)).toHaveLength(1), deadline)
    consumer.mend()
    expect(await replayDeadLetters(bus, options)).toBe(1)
    await vi.waitFor(() => expect(consumer.values()).toEqual(['bad']), deadline)
    await consumer.stop()
  })

  it('ends when somebody else has replayed them meanwhile', async () => {
    const { bus, topic } = use()
    const consumer = startConsumer(bus, topic)
    await publishAndRead(
      bus,
      topic,
      values(40).map((value) => message(value, value)),
    )
    consumer.mend()
    const options = { topic: `${topic}.dead`, signal: never, limit: 40 }
    const counts = await Promise.all([
      replayDeadLetters(bus, options),
      replayDeadLetters(bus, options),
    ])
    expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(40)
    await vi.waitFor(() => expect(new Set(consumer.values()).size).toBe(40), deadline)
    expect(await countDeadLetters(bus, `${topic}.dead`)).toBe(0)
    await consumer.stop()
  })

  it('has nothing to do where nothing ever died', async () => {
    const { bus, topic } = use()
    await bus.publish(topic, [message('a', 'good')])
    expect(await list(bus, topic)).toEqual([])
    expect(await deadTopics(bus)).not.toContain(`${topic}.dead`)
  })
}
