import type { WebSocket } from 'ws'

/** Why a connection is ended: a code, and what the other side had better do. */
const closings = {
  leaving: [1001, 'The server is going away: come back and resume.'],
  failed: [1011, 'The fault is ours: come back and resume.'],
  session_ended: [4401, 'The access token is no longer good: refresh it, come back and resume.'],
  too_slow: [4408, 'What was sent was not taken in time: come back and resume.'],
  too_much: [4429, 'Too much was sent at once: come back more slowly.'],
} as const
export type Closing = keyof typeof closings

/** Who does not take what was sent within so long is cut off. */
export const SEND_TIMEOUT_MS = 10_000
/** Beyond so much that was not taken yet, what is only of the moment is left out. */
const MOST_UNSENT_BYTES = 64 * 1024
const HEARTBEAT_MS = 15_000
/** How long the other side has to agree that it is over. */
const GRACE_MS = 1000

/** A socket with somebody at its other end who may be slow, or gone. */
export type Line = {
  /** Resolves when it has left this process, or never will; one after another, nothing piles up. */
  readonly send: (frame: object) => Promise<void>
  /** What nobody needs later: left out when much is under way already. */
  readonly mention: (frame: object) => void
  readonly close: (why: Closing) => void
  /** Aborted when it is over, whoever ended it. */
  readonly signal: AbortSignal
}

type Wire = Pick<
  WebSocket,
  'send' | 'close' | 'terminate' | 'ping' | 'on' | 'bufferedAmount' | 'OPEN' | 'readyState'
>

/** `beat`: done at each heartbeat. Who does not answer one by the next is gone. */
export const createLine = (wire: Wire, beat: () => void): Line => {
  const ending = new AbortController()
  let isAlive = true

  const end = (): void => {
    clearInterval(heartbeat)
    ending.abort()
  }
  const close: Line['close'] = (why) => {
    if (ending.signal.aborted) return
    end()
    const [code, reason] = closings[why]
    wire.close(code, reason)
    setTimeout(() => wire.terminate(), GRACE_MS).unref()
  }
  const send: Line['send'] = (frame) =>
    new Promise((resolve) => {
      if (ending.signal.aborted) {
        resolve()
        return
      }
      const late = setTimeout(() => close('too_slow'), SEND_TIMEOUT_MS)
      wire.send(JSON.stringify(frame), () => {
        clearTimeout(late)
        resolve()
      })
    })
  const heartbeat = setInterval(() => {
    if (!isAlive) {
      wire.terminate()
      return
    }
    isAlive = false
    wire.ping()
    beat()
  }, HEARTBEAT_MS)
  heartbeat.unref()
  wire.on('pong', () => {
    isAlive = true
  })
  wire.on('close', end)
  // What goes wrong with a socket ends it, and that is told by `close`.
  wire.on('error', () => undefined)
  return {
    send,
    mention: (frame) => {
      if (wire.bufferedAmount <= MOST_UNSENT_BYTES) void send(frame)
    },
    close,
    signal: ending.signal,
  }
}
