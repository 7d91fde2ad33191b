import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent, type ResolvedEvent } from '@eventstore/db-client'
import { afterAll, beforeAll, vi } from 'vitest'
import type { NewEvent } from '../../domain/log.ts'
import {
  type EmbeddedEventStore,
  startEmbeddedEventStore,
} from '../../infra/eventstore/embedded/index.ts'

// Each test has a deadline of its own for what it waits for; this one is for a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

export type Running = {
  readonly server: EmbeddedEventStore
  readonly client: EventStoreDBClient
}

/** One event store for the tests of a file, in a directory that is removed behind them. */
export function useEventStore(): Running {
  const running: { server?: EmbeddedEventStore; client?: EventStoreDBClient } = {}
  let directory = ''
  beforeAll(async () => {
    directory = await temporaryDirectory()
    running.server = await startEmbeddedEventStore({ directory })
    running.client = EventStoreDBClient.connectionString(running.server.url)
  })
  afterAll(async () => {
    await running.client?.dispose()
    await running.server?.close()
    await rm(directory, { recursive: true, force: true })
  })
  return running as Running
}

export function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'eventstore-'))
}

/** A stream name that no other test uses. */
export function freshStream(prefix = 'stream'): string {
  return `${prefix}-${randomUUID()}`
}

export function event(data: object = {}, type = 'Tested') {
  return jsonEvent({ type, data: data as Record<string, unknown> })
}

export function events(count: number, type = 'Tested') {
  return Array.from({ length: count }, (_, number) => event({ number }, type))
}

/** An event as the adapter takes it. */
export function newEvent(data: object = {}, type = 'Tested'): NewEvent {
  return { id: randomUUID(), type, data, metadata: { command: 'test' } }
}

export function newEvents(count: number, type = 'Tested'): NewEvent[] {
  return Array.from({ length: count }, (_, number) => newEvent({ number }, type))
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

/** The revisions of what was read. */
export function revisions(read: readonly ResolvedEvent[]): number[] {
  return read.map(({ event }) => Number(event?.revision))
}

/** What a promise rejects with; fails when it does not. */
export async function rejection(work: PromiseLike<unknown>): Promise<Error> {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('this should have been refused')
}

/** Waits until a condition holds; fails with `what` after the deadline. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + deadlineMs
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A new stream with so many events in it. */
export async function fillStream({ client }: Running, count: number): Promise<string> {
  const stream = freshStream()
  await client.appendToStream(stream, events(count))
  return stream
}
