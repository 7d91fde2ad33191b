import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { EventStoreDBClient } from '@eventstore/db-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectEventStore } from '../../infra/eventstore/client.ts'
import {
  type EmbeddedEventStore,
  startEmbeddedEventStore,
} from '../../infra/eventstore/embedded/index.ts'
import {
  collect,
  event,
  newEvent,
  newEvents,
  rejection,
  temporaryDirectory,
  until,
} from './support.ts'

let directory = ''
const running: EmbeddedEventStore[] = []
const children: ChildProcess[] = []
beforeEach(async () => {
  directory = await temporaryDirectory()
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(running.splice(0).map((server) => server.close()))
  await rm(directory, { recursive: true, force: true })
})

async function start(): Promise<EmbeddedEventStore> {
  const server = await startEmbeddedEventStore({ directory })
  running.push(server)
  return server
}

async function using<Result>(
  work: (
    store: ReturnType<typeof connectEventStore>,
    server: EmbeddedEventStore,
  ) => Promise<Result>,
): Promise<Result> {
  const server = await start()
  const store = connectEventStore({ url: server.url })
  try {
    return await work(store, server)
  } finally {
    await store.close()
    await server.close()
  }
}

const file = () => join(directory, 'eventstore.sqlite')

describe('a restart', () => {
  it('keeps events, order, positions, limits, deletions and the memory of ids', async () => {
    const batch = newEvents(3)
    const before = await using(async (store) => {
      await store.append('kept', -1, batch)
      await store.append('kept', 2, newEvents(2))
      return collect(store.readAll())
    })
    await using(async (store) => {
      expect(await collect(store.readAll())).toEqual(before)
      expect(await store.append('kept', -1, batch)).toMatchObject({
        outcome: 'appended',
        revision: 2,
      })
      const next = await store.append('kept', 4, [newEvent()])
      if (next.outcome !== 'appended') throw new Error('conflict')
      expect(next.position.commit).toBeGreaterThan(before.at(-1)?.position.commit ?? 0n)
    })
  })

  it('after a close finds the whole log in one file', async () => {
    await using((store) => store.append('kept', -1, newEvents(3)))
    await Promise.all(['-wal', '-shm'].map((end) => rm(`${file()}${end}`, { force: true })))
    await using(async (store) => expect(await collect(store.readAll())).toHaveLength(3))
  })
})

it('a close writes and acknowledges what is queued', async () => {
  const server = await start()
  const client = EventStoreDBClient.connectionString(server.url)
  await client.appendToStream('first', event())
  await server.faults.set({ slowDiskMs: 200 })
  const queued = ['a', 'b', 'c'].map((stream) => client.appendToStream(stream, event()))
  // On the same connection: the client may send the first of these before the appends, but once the
  // last is answered they have arrived.
  for (let read = 0; read < 3; read += 1) await collect(client.readStream('first'))
  await server.close()
  expect(await Promise.all(queued)).toMatchObject(queued.map(() => ({ success: true })))
  await client.dispose()
  await using(async (store) => expect(await collect(store.readAll())).toHaveLength(4))
})

it('kill -9 loses nothing that was acknowledged and leaves no append half-written', async () => {
  const script = new URL('./appending-process.ts', import.meta.url).pathname
  const acknowledged = new Map<string, string[]>()
  for (let round = 0; round < 2; round++) {
    if (round > 0) await rm(directory, { recursive: true, force: true })
    acknowledged.clear()
    const child = spawn(process.execPath, [script, directory])
    children.push(child)
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    await until('a few hundred appends', () => output.split('\n').length > 100 + round * 37)
    child.kill('SIGKILL')
    await once(child, 'exit')
    for (const line of output.split('\n').slice(0, -1)) {
      const [stream = '', ...ids] = line.split(' ')
      acknowledged.set(stream, [...(acknowledged.get(stream) ?? []), ...ids])
    }
    expect(acknowledged.size).toBe(4)
    await using(async (store) => {
      for (const [stream, ids] of acknowledged) {
        const found = (await collect(store.readStream(stream))).map(({ id }) => id)
        expect(found.slice(0, ids.length)).toEqual(ids)
        expect(found.length % 3).toBe(0)
      }
    })
  }
})

describe('a start is refused with one clear line', () => {
  const refused = async () => {
    const { message } = await rejection(start())
    expect(message).not.toContain('\n')
    return message
  }

  it('when the log is in use', async () => {
    await start()
    expect(await refused()).toMatch(/is in use by another process/)
  })

  it('when the port is taken', async () => {
    const server = await start()
    const other = join(directory, 'other')
    const port = Number(new URL(server.url).port)
    const { message } = await rejection(startEmbeddedEventStore({ directory: other, port }))
    expect(message).toMatch(/cannot listen on 127\.0\.0\.1:\d+/)
  })

  it('when the file is no database', async () => {
    await writeFile(
      file(),
      'this is not a database, but it is long enough to be looked at'.repeat(99),
    )
    expect(await refused()).toMatch(/is damaged/)
  })

  it('when pages of the log are damaged', async () => {
    await using(async (store) => {
      for (let revision = -1; revision < 999; revision += 100) {
        await store.append('damaged', revision, newEvents(100))
      }
    })
    const handle = await open(file(), 'r+')
    const { size } = await handle.stat()
    const noise = Buffer.alloc(4096, 0xa5)
    for (let at = 8192; at < size; at += 3 * 4096) await handle.write(noise, 0, 4096, at)
    await handle.close()
    expect(await refused()).toMatch(/is damaged/)
  })

  it('when it is the database of something else, which stays as it was', async () => {
    const foreign = new DatabaseSync(file())
    foreign.exec('CREATE TABLE theirs (a); PRAGMA journal_mode = DELETE')
    foreign.close()
    expect(await refused()).toMatch(/is not an event store of this version/)
    const again = new DatabaseSync(file())
    expect(again.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' })
    again.close()
  })

  it('when the directory cannot be made', async () => {
    await writeFile(join(directory, 'taken'), '')
    const inside = join(directory, 'taken', 'inside')
    const { message } = await rejection(startEmbeddedEventStore({ directory: inside }))
    expect(message).toMatch(/cannot be opened: ENOTDIR/)
  })
})

it('a full disk acknowledges nothing and damages nothing', async () => {
  const kept = await using(async (store, server) => {
    await store.append('full', -1, newEvents(3))
    await server.faults.set({ fullDisk: true })
    const large = Array.from({ length: 9 }, () => newEvent({ text: 'x'.repeat(100_000) }))
    const error = await rejection(store.append('full', 2, large))
    expect(error).toMatchObject({ code: 'EVENT_STORE_UNAVAILABLE' })
    expect(error.message).toContain('the disk is full')
    expect(await collect(store.readStream('full'))).toHaveLength(3)
    await server.faults.set({ fullDisk: false })
    expect(await store.append('full', 2, large)).toMatchObject({
      outcome: 'appended',
      revision: 11,
    })
    return collect(store.readAll())
  })
  await using(async (store) => expect(await collect(store.readAll())).toEqual(kept))
})

it('the thread keeps no process alive once it is closed', async () => {
  await mkdir(directory, { recursive: true })
  const index = new URL('../../infra/eventstore/embedded/index.ts', import.meta.url).href
  const code = `
    const { startEmbeddedEventStore } = await import(${JSON.stringify(index)})
    const server = await startEmbeddedEventStore({ directory: ${JSON.stringify(directory)} })
    await server.close()
    await server.close()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
  children.push(child)
  expect(await once(child, 'exit')).toEqual([0, null])
})
