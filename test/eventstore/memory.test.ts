import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { EventStoreDBClient } from '@eventstore/db-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { event, temporaryDirectory } from './support.ts'

const MEBIBYTE = 1024 * 1024
const LOG_MEBIBYTES = 16
const READERS = 16

let directory = ''
let child: ChildProcess
let url = ''
beforeAll(async () => {
  directory = await temporaryDirectory()
  child = fork(new URL('./serving-process.ts', import.meta.url).pathname, [directory])
  url = String((await once(child, 'message'))[0])
})
afterAll(async () => {
  child.kill('SIGKILL')
  await rm(directory, { recursive: true, force: true })
})

async function serverMemory(): Promise<number> {
  const answer = once(child, 'message')
  child.send('memory')
  return Number((await answer)[0])
}

async function readWholeLog(): Promise<number> {
  const client = EventStoreDBClient.connectionString(url)
  let bytes = 0
  for await (const { event } of client.readAll()) {
    bytes += (event?.data as { text: string } | undefined)?.text.length ?? 0
  }
  await client.dispose()
  return bytes
}

it('readers that stop reading hold no memory on the server', async () => {
  const writer = EventStoreDBClient.connectionString(url)
  for (let mebibyte = 0; mebibyte < LOG_MEBIBYTES; mebibyte++) {
    const list = Array.from({ length: 16 }, () =>
      event({ text: 'x'.repeat(MEBIBYTE / 16 - 1_000) }),
    )
    await writer.appendToStream('large', list)
  }
  expect(await readWholeLog()).toBeGreaterThan(0.9 * LOG_MEBIBYTES * MEBIBYTE)
  const before = await serverMemory()

  const idle = Array.from({ length: READERS }, () => EventStoreDBClient.connectionString(url))
  for (const [index, client] of idle.entries()) {
    const stream = index % 2 === 0 ? client.subscribeToAll() : client.readAll()
    stream.on('error', () => {})
    await once(stream, 'readable')
  }
  // By the time another reader has seen everything, these would have been sent everything.
  await readWholeLog()
  const grownBy = (await serverMemory()) - before
  await Promise.all([...idle, writer].map((client) => client.dispose()))
  expect(grownBy).toBeLessThan((READERS / 3) * LOG_MEBIBYTES * MEBIBYTE)
})
