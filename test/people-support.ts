/** What the tests of users, sessions and API keys share: a whole Daybook without its HTTP side. */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'
import { createEngine } from '../commands/engine.ts'
import type { Context, Receipt } from '../commands/kernel.ts'
import type { Actor, Ports } from '../commands/ports.ts'
import { createNumbers } from '../commands/sequences.ts'
import { type AnyEvent, type Decider, fold, isRefusal, type Refusal } from '../domain/kernel.ts'
import type { EventStore, Position } from '../domain/log.ts'
import type { RefusalCode } from '../domain/refusals.ts'
import { connectEventStore } from '../infra/eventstore/client.ts'
import { startEmbeddedEventStore } from '../infra/eventstore/embedded/index.ts'
import { createCardSessions } from '../infra/postgres/card_sessions.ts'
import { startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { connectPostgres } from '../infra/postgres/pool.ts'
import { createSecrets } from '../infra/secrets.ts'
import { openVault } from '../infra/vault.ts'
import { followFreshness } from '../projections/freshness.ts'
import type { Projection } from '../projections/kernel.ts'
import { prepareProjections, runProjector } from '../projections/runner.ts'
import { plainChurnModel, plainGate, plainLaboratory } from './support/memory.ts'

export const administrator: Actor = { id: 'root', roles: ['admin'] }
export const anonymous: Actor = { id: 'anonymous', roles: [] }

/** The state after these events. */
export const given = <State>(decider: Decider<State>, events: readonly AnyEvent[]): State =>
  events.reduce(
    (state, event, revision) => fold(decider, state, event, revision),
    decider.initial(),
  )

const log = { info: () => undefined, error: () => undefined }

export type World = {
  readonly ports: Ports
  readonly database: Pool
  readonly url: string
  /** The same log, secrets and database, as another process sees them. */
  anotherProcess(wrap?: (store: EventStore) => EventStore): Ports
  context(actor: Actor, more?: Partial<Context>): Context
  advance(ms: number): void
  /** Keeps the read models up with the log; resolves with a way to wait for a position. */
  project(projections: readonly Projection[]): Promise<(position?: Position) => Promise<void>>
}

/** One world for the tests of a file, ended behind them. */
export const useWorld = (): World => {
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
  const secret = randomBytes(32)
  let now = Date.now()
  const clock = (): Date => new Date(now)
  const endings: (() => unknown)[] = []
  const world: { ports?: Ports; database?: Pool; url?: string } = {}

  type Shared = Pick<Ports, 'secrets' | 'vault' | 'cardSessions'>
  const portsOver = (store: EventStore, { secrets, vault, cardSessions }: Shared): Ports => {
    const engine = createEngine(store, {
      load: async () => undefined,
      save: async () => undefined,
    })
    const numbers = createNumbers(engine, clock)
    const index = { locate: async () => undefined }
    const scores = { find: async () => undefined }
    const payments = { areWaiting: async () => false }
    const churnModel = plainChurnModel
    const kept = { secrets, vault, cardSessions }
    const asked = { gate: plainGate, laboratory: plainLaboratory }
    return { store, engine, clock, ...kept, index, scores, payments, numbers, churnModel, ...asked }
  }

  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'daybook-test-'))
    endings.unshift(() => rmSync(directory, { recursive: true, force: true }))
    chmodSync(directory, 0o711)
    const server = await startEmbeddedEventStore({ directory: join(directory, 'events') })
    endings.unshift(server.close)
    const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') })
    endings.unshift(postgres.close)
    const database = await connectPostgres({ url: postgres.url, name: 'daybook-test', max: 10 })
    endings.unshift(() => database.end())
    const store = connectEventStore({ url: server.url })
    endings.unshift(store.close)
    const vault = await openVault({ database, masterKey: randomBytes(32) })
    const secrets = createSecrets({ secret, pepper: secret, clock })
    const cardSessions = await createCardSessions(database)
    const ports = portsOver(store, { secrets, vault, cardSessions })
    Object.assign(world, { database, url: server.url, ports })
  })
  afterAll(async () => {
    for (const end of endings) await end()
  })

  const ready = world as World
  return Object.assign(ready, {
    anotherProcess: (wrap: (store: EventStore) => EventStore = (store) => store) => {
      const store = connectEventStore({ url: ready.url })
      onTestFinished(() => store.close())
      return portsOver(wrap(store), ready.ports)
    },
    context: (actor: Actor, more: Partial<Context> = {}) => ({
      actor,
      at: clock(),
      correlation: 'test',
      ...more,
    }),
    advance: (ms: number) => {
      now += ms
    },
    project: async (projections: readonly Projection[]) => {
      const { database } = ready
      const { store } = ready.ports
      const stopping = new AbortController()
      await prepareProjections(database, projections)
      const running = runProjector({
        store,
        database,
        projections,
        log,
        signal: stopping.signal,
      })
      const freshness = await followFreshness(database, log)
      onTestFinished(async () => {
        stopping.abort()
        await running
        await freshness.close()
      })
      return async (position?: Position) => {
        if (!position) return
        const names = projections.map(({ name }) => name)
        expect(await freshness.waitFor(names, position.commit, 20_000)).toBe(true)
      }
    },
  })
}

/** The receipt of what must not have been refused. */
export const accepted = <Answer>(outcome: Receipt<Answer> | Refusal): Receipt<Answer> => {
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.refused}: ${outcome.detail}`)
  return outcome
}

/** The code with which it was refused; undefined when it was not. */
export const codeOf = (outcome: object): RefusalCode | undefined =>
  isRefusal(outcome) ? outcome.refused : undefined

/** Events of a stream, oldest first. */
export const typesIn = async (store: EventStore, stream: string): Promise<string[]> => {
  const types: string[] = []
  for await (const { type } of store.readStream(stream)) types.push(type)
  return types
}
