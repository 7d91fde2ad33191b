import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type EmbeddedBus, openEmbeddedBus } from '../infra/bus/embedded.ts'
import type { ConsumeOptions, Message } from '../infra/bus/port.ts'
import { openStorage, type Retention } from '../infra/bus/storage.ts'
import { busContract, message } from './bus-contract.ts'

const directory = mkdtempSync(join(tmpdir(), 'daybook-bus-'))
const log = pino({ level: 'silent' })
const retries = { attempts: 3, delay_ms: 1, maximumDelay_ms: 2 }
let files = 0

afterAll(() => rmSync(directory, { recursive: true }))

function newFile(): string {
  files += 1
  return join(directory, `${files}.sqlite`)
}

busContract('the embedded bus', async () => {
  const file = newFile()
  return { open: async () => openEmbeddedBus({ file, log, retries }) }
})

describe('the file of the embedded bus', () => {
  it('holds messages and position together, or neither', async () => {
    const file = newFile()
    const bus = openEmbeddedBus({ file, log })
    const relay = bus.relayTarget('relay')
    const good = { topic: 'good', messages: [message('a', '1')] }
    // A value that SQLite refuses stands for any fault in the middle of the transaction.
    const bad = { topic: 'bad', messages: [{ ...message('a', '2'), value: {} as string }] }
    await relay.publish([good], { commit: 2n ** 64n - 1n, prepare: 7n })
    await expect(relay.publish([good, bad], { commit: 9n, prepare: 9n })).rejects.toThrow()
    expect(await bus.lag('readers', 'good')).toBe(1)
    await relay.publish([], { commit: 2n ** 64n - 1n, prepare: 8n })
    await bus.close()
    const again = openEmbeddedBus({ file, log })
    expect(await again.relayTarget('relay').position()).toEqual({
      commit: 2n ** 64n - 1n,
      prepare: 8n,
    })
    expect(await again.relayTarget('other').position()).toBeUndefined()
    expect(await again.lag('readers', 'good')).toBe(1)
    await again.close()
  })

  it('is refused when it is foreign, damaged or open in another process', async () => {
    const foreign = newFile()
    const node = (script: string) => spawnSync(process.execPath, ['-e', script])
    const sqlite = `const { DatabaseSync } = require('node:sqlite')`
    const made = node(`${sqlite}; new DatabaseSync('${foreign}').exec('CREATE TABLE other (a)')`)
    expect(made.status).toBe(0)
    expect(() => openEmbeddedBus({ file: foreign, log })).toThrow(/not a bus of Daybook/)
    const damaged = newFile()
    writeFileSync(damaged, 'not a database at all, but long enough to be read as a header page')
    expect(() => openEmbeddedBus({ file: damaged, log })).toThrow(/cannot be opened/)
    const file = newFile()
    const bus = openEmbeddedBus({ file, log })
    await bus.publish('topic', [message('a', '1')])
    expect(() => openEmbeddedBus({ file, log })).toThrow(/locked/)
    await bus.close()
  })
})

describe('the retention of the embedded bus', () => {
  const ageless = { maximumAge_ms: 3_600_000, maximumMessages: 10, hardCapMessages: 50 }

  function kept(retention: Retention, groupNext: number | undefined, published: number): number[] {
    const storage = openStorage(newFile(), 1)
    const topic = storage.topic('topic')
    const messages = Array.from({ length: published }, (_, index) => message('a', `${index}`))
    storage.publish([{ topic: 'topic', messages }])
    if (groupNext !== undefined) {
      storage.join('readers', topic, true)
      storage.commit('readers', topic, 0, groupNext)
    }
    storage.trim(topic, 0, retention)
    const offsets = storage.read(topic, 0, 0, published).map(({ offset }) => Number(offset))
    storage.publish([{ topic: 'topic', messages: [message('a', 'next')] }])
    expect(storage.read(topic, 0, published, 1)[0]?.value).toBe('next')
    storage.close()
    return [offsets[0] ?? -1, offsets.length]
  }

  it('keeps so many messages, when every group has read the others', () => {
    expect(kept(ageless, 30, 30)).toEqual([20, 10])
    expect(kept(ageless, undefined, 30)).toEqual([20, 10])
  })

  it('keeps what a group has not read, up to the hard cap', () => {
    expect(kept(ageless, 5, 30)).toEqual([5, 25])
    expect(kept(ageless, 5, 80)).toEqual([30, 50])
  })

  it('lets old messages go, but never the newest', () => {
    const old = { ...ageless, maximumAge_ms: -1_000, maximumMessages: 100 }
    expect(kept(old, 30, 30)).toEqual([29, 1])
    expect(kept(old, 12, 30)).toEqual([12, 18])
  })
})

describe('a group of the embedded bus', () => {
  let bus: EmbeddedBus
  let stop: AbortController
  let reader: Omit<ConsumeOptions, 'maxBatch' | 'handle'>
  beforeEach(() => {
    stop = new AbortController()
    reader = { group: 'readers', topic: 'topic', fromBeginning: true, signal: stop.signal }
    const retention = { maximumMessages: 10, maximumAge_ms: 3_600_000, hardCapMessages: 20 }
    bus = openEmbeddedBus({ file: newFile(), log, retries, retention })
  })
  afterEach(() => bus.close())

  const numbered = (count: number) =>
    Array.from({ length: count }, (_, index) => message('one key', `${index}`))

  /** Some key of each partition. */
  async function keysByPartition(): Promise<Map<number, string>> {
    const found = new Map<number, string>()
    const enough = new AbortController()
    const keys = Array.from({ length: 100 }, (_, index) => message(`key-${index}`, ''))
    await bus.publish('keys', keys)
    await bus.consume({
      ...reader,
      topic: 'keys',
      maxBatch: 100,
      signal: enough.signal,
      handle: async (messages) => {
        for (const { partition, key } of messages) found.set(partition, key)
        if (found.size === 4) enough.abort()
      },
    })
    return found
  }

  it('gives a partition to another consumer only after the batch in hand', async () => {
    const seen: string[] = []
    const handling = Promise.withResolvers<void>()
    const allowed = Promise.withResolvers<void>()
    const record = async (messages: readonly Message[]) => {
      seen.push(...messages.map(({ value }) => value))
    }
    const slow = async (messages: readonly Message[]) => {
      handling.resolve()
      await allowed.promise
      await record(messages)
    }
    // The second of two consumers gets the odd partitions.
    const keys = await keysByPartition()
    const [held, free] = [keys.get(1) ?? '', keys.get(3) ?? '']
    await bus.publish('topic', [message(held, 'in hand')])
    const first = bus.consume({ ...reader, maxBatch: 1, handle: slow })
    await handling.promise
    const second = bus.consume({ ...reader, maxBatch: 1, handle: record })
    await bus.publish('topic', [message(held, 'later'), message(free, 'elsewhere')])
    await vi.waitFor(() => expect(seen).toContain('elsewhere'))
    expect(seen).toEqual(['elsewhere'])
    allowed.resolve()
    await vi.waitFor(() => expect(seen).toEqual(['elsewhere', 'in hand', 'later']))
    stop.abort()
    await Promise.all([first, second])
  })

  it('goes on at the oldest message kept when it fell behind the hard cap', async () => {
    const seen: string[] = []
    const gone = new AbortController()
    gone.abort()
    await bus.consume({ ...reader, maxBatch: 1, handle: async () => {}, signal: gone.signal })
    await bus.publish('topic', numbered(2_000))
    await bus.publish('topic', numbered(2_000))
    const lag = await bus.lag('readers', 'topic')
    expect(lag).toBe(20)
    void bus.consume({
      ...reader,
      maxBatch: 500,
      handle: async (messages) => void seen.push(...messages.map(({ value }) => value)),
    })
    await vi.waitFor(async () => expect(await bus.lag('readers', 'topic')).toBe(0))
    expect(seen).toHaveLength(lag)
    expect(seen.at(-1)).toBe('1999')
  })
})
