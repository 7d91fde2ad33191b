import type { Connection, Request, Response } from './connection.ts'

/** What one repetition came to. Latencies in ms, from sending to having the whole answer. */
export type Repetition = {
  readonly done: number
  readonly seconds: number
  readonly latencies_ms: readonly number[]
}

export class UnexpectedAnswer extends Error {}

/** Throws unless the answer has the status that it must have: nothing else is ever counted. */
export const expectStatus = (response: Response, status: number): Response => {
  if (response.status === status) return response
  throw new UnexpectedAnswer(
    `expected ${status}, got ${response.status}: ${response.body.slice(0, 500)}`,
  )
}

/**
 * Each connection sends its next request when it has the answer to the last one, for so long.
 * Counts what was acknowledged with `status` within that time.
 */
export const runClosedLoop = async (
  connections: readonly Connection[],
  seconds: number,
  status: number,
  next: () => Request,
): Promise<Repetition> => {
  const latencies_ms: number[] = []
  const began = performance.now()
  const until = began + seconds * 1000
  const drive = async (connection: Connection): Promise<void> => {
    let sent = performance.now()
    while (sent < until) {
      expectStatus(await connection.send(next()), status)
      const now = performance.now()
      if (now <= until) latencies_ms.push(now - sent)
      sent = now
    }
  }
  await Promise.all(connections.map(drive))
  return { done: latencies_ms.length, seconds, latencies_ms }
}

/** Sends at a steady rate, whatever the answers take, over connections that are free. */
export const runSteadily = async (
  connections: readonly Connection[],
  seconds: number,
  perSecond: number,
  send: (connection: Connection) => Promise<void>,
): Promise<void> => {
  const free = [...connections]
  const waiting: (() => void)[] = []
  const release = (connection: Connection): void => {
    free.push(connection)
    waiting.shift()?.()
  }
  const began = performance.now()
  const open = new Set<Promise<void>>()
  for (let index = 0; index < seconds * perSecond; index += 1) {
    const due = began + (index * 1000) / perSecond
    const early = due - performance.now()
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early))
    let connection = free.shift()
    while (!connection) {
      await new Promise<void>((resolve) => waiting.push(resolve))
      connection = free.shift()
    }
    const used = connection
    const sending = send(used).finally(() => {
      open.delete(sending)
      release(used)
    })
    open.add(sending)
  }
  await Promise.all(open)
}
