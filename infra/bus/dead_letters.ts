/** What consumers could not handle: shown, and given to them again once the reason is gone. */
import { waited } from './deliver.ts'
import type { Bus, Message, OutgoingMessage } from './port.ts'

const suffix = '.dead'
/** The group that knows how far each topic's dead letters have been replayed. */
const replayer = 'dead-letters'
/** A group that never commits: what it has not read is everything. */
const onlooker = 'dead-letters-onlooker'
const replayedAtOnce = 100
const watchInterval_ms = 1_000

export type DeadLetter = {
  readonly id: string
  readonly key: string
  /** Where it was published at first, and will be again. */
  readonly topic: string
  /** The consumer group that could not handle it. */
  readonly group: string
  readonly reason: string
  /** An ISO time; empty for letters older than the header. */
  readonly at: string
}

/** `daybook.ledger` and `daybook.ledger.dead` both name the dead letters of the former. */
export function deadTopicOf(topic: string): string {
  return topic.endsWith(suffix) ? topic : `${topic}${suffix}`
}

/** The dead-letter topics there are. */
export async function deadTopics(bus: Bus): Promise<string[]> {
  return (await bus.topics()).filter((topic) => topic.endsWith(suffix))
}

export type ListOptions = {
  readonly topic: string
  readonly limit: number
  /** Those that were replayed, too. */
  readonly all: boolean
  readonly signal: AbortSignal
}

/** What lies in a dead-letter topic, the oldest first. */
export async function listDeadLetters(bus: Bus, options: ListOptions): Promise<DeadLetter[]> {
  const { all, ...rest } = options
  const messages = await bus.peek({ group: all ? onlooker : replayer, ...rest })
  return messages.map(letterOf).toSorted((one, other) => one.at.localeCompare(other.at))
}

/** How many of a dead-letter topic have not been replayed. */
export async function countDeadLetters(bus: Bus, topic: string): Promise<number> {
  return bus.lag(replayer, topic)
}

export type ReplayOptions = {
  readonly topic: string
  /** Without it, all that lie there when it begins. */
  readonly limit?: number
  readonly signal: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Publishes dead letters to the topics they came from, in each key's order, and answers how many.
 * Each is remembered once it is published, so that one may come twice but none is left out.
 */
export async function replayDeadLetters(bus: Bus, options: ReplayOptions): Promise<number> {
  const { topic, limit, onProgress } = options
  const waiting = await bus.lag(replayer, topic)
  const total = Math.min(waiting, limit ?? waiting)
  if (total === 0) return 0
  const enough = new AbortController()
  const signal = AbortSignal.any([options.signal, enough.signal])
  let done = 0
  onProgress?.(done, total)
  const consuming = bus.consume({
    group: replayer,
    topic,
    fromBeginning: true,
    // A batch is committed as a whole.
    maxBatch: limit === undefined ? replayedAtOnce : 1,
    signal,
    handle: async (messages) => {
      for (const [to, letters] of Map.groupBy(messages, originOf)) {
        await bus.publish(to, letters.map(revived))
      }
      done += messages.length
      onProgress?.(Math.min(done, total), total)
      if (done >= total) enough.abort()
    },
  })
  const watching = untilEmpty(bus, topic, signal).then(() => enough.abort())
  await consuming.finally(() => enough.abort())
  await watching
  return done
}

/** Fewer come than were counted when somebody else replays the same ones. */
async function untilEmpty(bus: Bus, topic: string, signal: AbortSignal): Promise<void> {
  while (await waited(watchInterval_ms, signal)) {
    const left = await bus.lag(replayer, topic).catch(() => undefined)
    if (left === 0) return
  }
}

function originOf({ topic, headers }: Message): string {
  return headers['dead-topic'] ?? topic.slice(0, -suffix.length)
}

function letterOf(message: Message): DeadLetter {
  const { id, key, headers } = message
  return {
    id,
    key,
    topic: originOf(message),
    group: headers['dead-group'] ?? '',
    reason: headers['dead-reason'] ?? '',
    at: headers['dead-at'] ?? '',
  }
}

/** As it was when it was first published, but for a header that says where it has been. */
function revived({ key, id, value, headers, topic, partition, offset }: Message): OutgoingMessage {
  const kept = Object.entries(headers).filter(([name]) => !name.startsWith('dead-'))
  const from = { 'replayed-from': `${topic}/${partition}/${offset}` }
  return { key, id, value, headers: { ...Object.fromEntries(kept), ...from } }
}
