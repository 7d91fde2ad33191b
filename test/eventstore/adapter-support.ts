import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { afterEach } from 'vitest'
import type { EventStore, Position, Recorded, SubscriptionItem } from '../../domain/log.ts'
import { connectEventStore } from '../../infra/eventstore/client.ts'
import { noFaults } from '../../infra/eventstore/embedded/faults.ts'
import {
  type EmbeddedEventStore,
  startEmbeddedEventStore,
} from '../../infra/eventstore/embedded/index.ts'
import { freshStream, newEvent, type Running, temporaryDirectory } from './support.ts'

export const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const undo of cleanUp.splice(0).toReversed()) await undo()
})

export async function startServer(port = 0, directory?: string): Promise<EmbeddedEventStore> {
  const place = directory ?? (await temporaryDirectory())
  if (!directory) cleanUp.push(() => rm(place, { recursive: true, force: true }))
  const server = await startEmbeddedEventStore({ directory: place, port })
  cleanUp.push(() => server.close())
  return server
}

export function connect(url: string, timeoutMs = 2_000): EventStore {
  const store = connectEventStore({ url, appendTimeoutMs: timeoutMs, readTimeoutMs: timeoutMs })
  cleanUp.push(() => store.close())
  return store
}

/** An event store that a test has for itself, with an empty log. */
export async function setUpAlone(timeoutMs?: number) {
  const server = await startServer()
  return { server, store: connect(server.url, timeoutMs) }
}

/** The event store that most tests share, and a stream of the test's own. */
export async function setUp(shared: Running, timeoutMs?: number) {
  const { server } = shared
  cleanUp.push(() => server.faults.set(noFaults()))
  return { server, store: connect(server.url, timeoutMs), stream: freshStream() }
}

/** Takes connections and never says a word. */
export async function startSilentServer(): Promise<string> {
  const server: Server = createServer((socket) => {
    cleanUp.push(async () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp.push(async () => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `esdb://127.0.0.1:${address.port}?tls=false`
}

/** Follows a subscription until the test ends. */
export function follow(store: EventStore, after: Position | 'start' | 'end', slowly = false) {
  const stop = new AbortController()
  const items: SubscriptionItem[] = []
  const done = (async () => {
    for await (const item of store.subscribe({ after, signal: stop.signal })) {
      items.push(item)
      if (slowly) await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  const end = async () => {
    stop.abort()
    await done
  }
  cleanUp.push(end)
  return { items, numbers: () => numbersOf(eventsOf(items)), end, done }
}

function eventsOf(items: readonly SubscriptionItem[]): Recorded[] {
  return items.flatMap((item) => (item.kind === 'event' ? [item.event] : []))
}

export function numbersOf(events: readonly Recorded[]): number[] {
  return events.map(({ data }) => (data as { number: number }).number)
}

export const upTo = (count: number) => Array.from({ length: count }, (_, number) => number)
export const numbered = (from: number, to: number) =>
  upTo(to - from).map((number) => newEvent({ number: from + number }))
