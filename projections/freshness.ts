import { setTimeout as wait } from 'node:timers/promises'
import { readBuilds } from './builds.ts'
import { CHANNEL } from './checkpoints.ts'
import type { Log } from './flush.ts'
import type { Database } from './table.ts'

/** How far each projection has come, as told by the projectors themselves. */
export type Freshness = {
  /** Resolves true when all have handled `position`, false when that takes longer than allowed. */
  waitFor(names: readonly string[], position: bigint, timeout_ms: number): Promise<boolean>
  close(): Promise<void>
}

type Waiter = { readonly ready: () => boolean; readonly resolve: () => void }
const MAX_WAITERS = 10_000

/** Listens on a connection of its own and reconnects by itself; until then, waits time out. */
export const followFreshness = async (database: Database, log: Log): Promise<Freshness> => {
  const positions = new Map<string, bigint>()
  const waiters = new Set<Waiter>()
  const closing = new AbortController()

  const advance = (name: string, position: bigint): void => {
    if (position > (positions.get(name) ?? 0n)) positions.set(name, position)
  }
  const wake = (): void => {
    for (const waiter of waiters) if (waiter.ready()) waiter.resolve()
  }
  const listen = async (onListening: () => void): Promise<void> => {
    const client = await database.connect()
    try {
      const lost = new Promise<void>((resolve) => {
        client.once('error', () => resolve())
        client.once('end', () => resolve())
        closing.signal.addEventListener('abort', () => resolve(), { once: true })
      })
      client.on('notification', ({ payload }) => {
        const moved = JSON.parse(payload ?? '{}') as Record<string, string>
        for (const [name, position] of Object.entries(moved)) advance(name, BigInt(position))
        wake()
      })
      await client.query(`listen ${CHANNEL}`)
      for (const { name, position, status } of await readBuilds(client)) {
        if (status !== 'building') advance(name, position.commit)
      }
      wake()
      onListening()
      await lost
    } finally {
      client.release(true)
    }
  }
  const keepListening = async (onListening: () => void): Promise<void> => {
    while (!closing.signal.aborted) {
      await listen(onListening).catch((error: unknown) =>
        log.error({ error: String(error) }, 'projections cannot be followed'),
      )
      await wait(500, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }
  let ended = Promise.resolve()
  await new Promise<void>((resolve) => {
    ended = keepListening(resolve)
  })

  const positionOf = (name: string): bigint => positions.get(name) ?? 0n
  return {
    waitFor: (names, position, timeout_ms) => {
      const ready = (): boolean => names.every((name) => positionOf(name) >= position)
      if (ready()) return Promise.resolve(true)
      if (waiters.size >= MAX_WAITERS) return Promise.resolve(false)
      return new Promise((resolve) => {
        const finish = (): void => {
          clearTimeout(timer)
          waiters.delete(waiter)
          resolve(ready())
        }
        const timer = setTimeout(finish, timeout_ms)
        const waiter: Waiter = { ready, resolve: finish }
        waiters.add(waiter)
      })
    },
    close: async () => {
      closing.abort()
      for (const waiter of waiters) waiter.resolve()
      await ended
    },
  }
}
