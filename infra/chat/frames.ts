/** What clients send over the socket, and what comes of it. */
import { z } from 'zod'
import { Content } from '../../api/coastal/chat.ts'
import { coastalDialect } from '../../api/coastal/dialect.ts'
import { tell } from '../../api/contract.ts'
import { invalidField, ProblemError, problem } from '../../api/problems.ts'
import type { Call } from '../../api/route.ts'
import { markRead, sendMessage } from '../../commands/conversations.ts'
import { lookAtPreferences } from '../../commands/preferences.ts'
import { createTurns } from '../../domain/turns.ts'
import { askedNow, type Connection, isGood } from './connection.ts'

/** The most that one frame may have. */
export const MOST_BYTES = 32 * 1024
const MOST_WAITING = 32
const TYPING_PAUSE_MS = 2000

/** The same key again is the same message: for who was cut off before he knew. */
const Key = z.string().min(1).max(64).optional()

const Frame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('send'), content: Content, key: Key }),
  z.object({ type: z.literal('read') }),
  z.object({ type: z.literal('typing') }),
])
type Frame = z.infer<typeof Frame>

type Doers = {
  readonly [Type in Frame['type']]: (
    frame: Extract<Frame, { type: Type }>,
  ) => Promise<object | undefined>
}

/** A message, or a connection, counts as the request that it would be otherwise. */
export const count = ({ services, identity }: Call): void => {
  const { known } = coastalDialect.limits ?? {}
  if (!known) return
  const { scope, ...rate } = known
  const key = `${coastalDialect.name} user ${identity.id}`
  const wait_s = services.throttle.take(scope, key, rate, services.ports.clock())
  if (wait_s === undefined) return
  throw new ProblemError(problem('RATE_LIMITED', `Too many requests: wait ${wait_s} seconds.`))
}

const doersOf = (connection: Connection): Doers => {
  const { call, room, hub } = connection
  const { conversation } = room
  const by = call.identity.id
  let typed_ms = Number.NEGATIVE_INFINITY
  return {
    send: async ({ content, key }) => {
      count(call)
      const said = { conversation, content }
      const { answer } = await tell({ ...askedNow(call), key }, sendMessage, said)
      return { type: 'sent', id: answer.number, sequence: answer.sequence, key }
    },
    read: async () => {
      await tell(askedNow(call), markRead, { conversation })
      return undefined
    },
    typing: async () => {
      const now_ms = performance.now()
      if (now_ms - typed_ms < TYPING_PAUSE_MS) return undefined
      typed_ms = now_ms
      const preferences = await lookAtPreferences(call.services.ports, by)
      if (preferences.typing_indicators_enabled) hub.tell(conversation, { what: 'typing', by })
      return undefined
    },
  }
}

/** Throws a problem when it is no frame. */
const parse = (text: string): Frame => {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw new ProblemError(invalidField('(body)', 'A frame is JSON.'))
  }
  const parsed = Frame.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue?.path.join('.') || '(body)'
  throw new ProblemError(invalidField(field, issue?.message ?? 'A frame is none of the known.'))
}

/** In the words in which it would be refused over HTTP. */
const refusalOf = ({ problem: found }: ProblemError, key: string | undefined): object => {
  const { body } = coastalDialect.fault(found, { path: '', requestId: '' })
  return { type: 'error', key, error: body }
}

/** Takes frames in, one after another, and answers each that calls for it. */
export const receiving = (connection: Connection): ((text: string) => void) => {
  const { line, call } = connection
  const doers = doersOf(connection)
  const inTurn = createTurns()
  let waiting = 0

  const answer = async (text: string): Promise<void> => {
    if (line.signal.aborted || !(await isGood(connection))) return
    let key: string | undefined
    try {
      const frame = parse(text)
      if (frame.type === 'send') key = frame.key
      const told = await doers[frame.type](frame as never)
      if (told) await line.send(told)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      await line.send(refusalOf(error, key))
    }
  }
  return (text) => {
    if (waiting >= MOST_WAITING) {
      line.close('too_much')
      return
    }
    waiting += 1
    inTurn(() => answer(text))
      .catch((error: unknown) => {
        call.services.log.error({ err: error }, 'a chat frame failed')
        line.close('failed')
      })
      .finally(() => {
        waiting -= 1
      })
  }
}
