import { chatMessageShownTo } from '../../api/coastal/chat.ts'
import { coastalDialect } from '../../api/coastal/dialect.ts'
import { ask } from '../../api/contract.ts'
import { ProblemError } from '../../api/problems.ts'
import type { Call } from '../../api/route.ts'
import { newUlid } from '../../commands/ids.ts'
import { listMessagesAfter } from '../../projections/conversation_messages.ts'
import type { ConversationView } from '../../projections/conversation_queries.ts'
import type { Heard, Hub } from './hub.ts'
import type { Line } from './line.ts'

/** Somebody in a room, over a socket. */
export type Connection = {
  readonly line: Line
  /** The request that it began with. */
  readonly call: Call
  readonly room: ConversationView
  readonly hub: Hub
}

const PAGE = 100

/** As the request that it began with, made again now. */
export const askedNow = ({ services, ...call }: Call): Call => ({
  ...{ ...call, services, at: services.ports.clock(), requestId: newUlid() },
  consistency: services.newestWrite(),
})

/** Whether the session that it was opened with is still good; if it is not, that was it. */
export const isGood = async ({ line, call }: Connection): Promise<boolean> => {
  const { services, request } = call
  try {
    await coastalDialect.identify(request.headers, services, services.ports.clock())
    return true
  } catch (error) {
    line.close(error instanceof ProblemError ? 'session_ended' : 'failed')
    return false
  }
}

/** Several rings before it is listened to are one. */
const createBell = (first: bigint) => {
  let newest: bigint | undefined = first
  let wake = (): void => undefined
  return {
    ring: (position: bigint): void => {
      if (newest === undefined || position > newest) newest = position
      wake()
    },
    stop: (): void => wake(),
    /** The newest position that it was rung with; undefined when it was stopped. */
    heard: async (): Promise<bigint | undefined> => {
      if (newest === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const position = newest
      newest = undefined
      return position
    },
  }
}

/**
 * Sends all that is behind `after`, in its order, each message when the one before it has left. The
 * answer is how far that came.
 */
const sendFrom = async (
  connection: Connection,
  position: bigint,
  after: number,
): Promise<number> => {
  const { line, call, room } = connection
  const show = chatMessageShownTo(call.identity)
  let reached = after
  for (;;) {
    const asked = { conversation: room.conversation, after: reached, limit: PAGE }
    const page = await ask({ ...askedNow(call), consistency: position }, listMessagesAfter, asked)
    for (const message of page) {
      if (line.signal.aborted || !(await isGood(connection))) return reached
      await line.send({ type: 'message', message: show(message) })
      reached = message.sequence
    }
    if (page.length < PAGE) return reached
  }
}

/**
 * Joins the room and sends what is said in it from `after` on until the line ends: what the read
 * models have, whenever there is word of more, so that nothing is lost or sent twice.
 */
export const follow = async (connection: Connection, after: number): Promise<void> => {
  const { line, call, room, hub } = connection
  const { identity, services } = call
  const numberOf = (user: string) => room.members.find((one) => one.user === user)?.number ?? null
  const bell = createBell(services.newestWrite())
  bell.ring(hub.position)
  const hearers: {
    readonly [What in Heard['what']]: (heard: Extract<Heard, { what: What }>) => void
  } = {
    moved: ({ position }) => bell.ring(position),
    read: ({ by, up_to }) => line.mention({ type: 'read', user: numberOf(by), up_to }),
    typing: ({ by }) => line.mention({ type: 'typing', user: numberOf(by) }),
    presence: ({ by, online }) => line.mention({ type: 'presence', user: numberOf(by), online }),
  }
  const hear = (heard: Heard): void => hearers[heard.what](heard as never)
  const me = room.members.find(({ user }) => user === identity.id)
  const leave = hub.join(room.conversation, {
    user: identity.id,
    isSeen: me?.is_seen ?? true,
    hear,
  })
  line.signal.addEventListener('abort', () => {
    leave()
    bell.stop()
  })
  let reached = after
  let isReady = false
  for (let position = await bell.heard(); position !== undefined; position = await bell.heard()) {
    if (line.signal.aborted) return
    reached = await sendFrom(connection, position, reached)
    if (isReady) continue
    isReady = true
    await line.send({ type: 'ready', sequence: reached })
    for (const user of hub.seenIn(room.conversation, identity.id)) {
      line.mention({ type: 'presence', user: numberOf(user), online: true })
    }
  }
}
