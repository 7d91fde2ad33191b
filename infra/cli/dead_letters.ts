import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  countDeadLetters,
  type DeadLetter,
  deadTopicOf,
  deadTopics,
  listDeadLetters,
  replayDeadLetters,
} from '../bus/dead_letters.ts'
import { openEmbeddedBus } from '../bus/embedded.ts'
import { openKafkaBus } from '../bus/kafka.ts'
import type { Bus, Log } from '../bus/port.ts'
import type { Config } from '../config.ts'
import { openDataDirectory } from '../data_directory.ts'
import { findRunning } from '../running.ts'
import { StartError } from '../start/error.ts'
import { grouped, progressBar, table } from './print.ts'

export type DeadLetterFlags = {
  readonly topic?: string
  readonly limit?: number
  readonly all?: boolean
}

const LISTED_AT_MOST = 100
const REASON_WIDTH = 100
/** For an original topic that is not there any more. */
const PARTITIONS = 4
const KAFKA_INSTEAD = 'If the bus is Kafka, set KAFKA_BROKERS.'

// What fails for good is thrown; what is tried again needs no words here.
const pass = (): void => undefined
const quiet: Log = { debug: pass, info: pass, warn: pass, error: pass }

/** Takes the data directory for as long as its bus is used: the two of them have one owner. */
const openOwnBus = (path: string): { readonly bus: Bus; readonly release: () => void } => {
  const file = join(path, 'bus.db')
  const running = findRunning(path)
  if (running) {
    throw new StartError(
      `A Daybook runs on ${path} (process ${running.pid}). Its embedded bus lies in ${file} and ` +
        `can be reached only while Daybook is stopped: stop it first. ${KAFKA_INSTEAD}`,
    )
  }
  if (!existsSync(file)) {
    throw new StartError(`There is no embedded bus: ${file} is not there. ${KAFKA_INSTEAD}`)
  }
  const { release } = openDataDirectory(path)
  try {
    return { bus: openEmbeddedBus({ file, log: quiet }), release }
  } catch (error) {
    release()
    throw error
  }
}

const withBus = async (
  { kafkaBrokers, dataDirectory }: Config,
  work: (bus: Bus) => Promise<number>,
): Promise<number> => {
  const kafka = kafkaBrokers && { brokers: kafkaBrokers, log: quiet, partitions: PARTITIONS }
  const { bus, release } = kafka
    ? { bus: openKafkaBus(kafka), release: pass }
    : openOwnBus(dataDirectory)
  try {
    return await work(bus)
  } finally {
    await bus.close()
    release()
  }
}

/** The dead-letter topics meant. Throws for a name that nothing was ever published to. */
const choose = async (bus: Bus, topic: string | undefined): Promise<string[]> => {
  const dead = await deadTopics(bus)
  if (topic === undefined) return dead
  const chosen = deadTopicOf(topic)
  if (dead.includes(chosen)) return [chosen]
  const known = await bus.topics()
  if (known.includes(topic)) return []
  throw new StartError(
    `There is no topic ${topic}; there are ${known.join(', ') || 'none at all'}.`,
  )
}

const shorten = (reason: string): string => {
  const line = reason.replaceAll(/\s+/g, ' ')
  return line.length <= REASON_WIDTH ? line : `${line.slice(0, REASON_WIDTH - 1)}…`
}

const rowOf = ({ at, topic, group, key, id, reason }: DeadLetter): string[] => [
  at,
  topic,
  group,
  key,
  id,
  shorten(reason),
]

const HEADER = ['when', 'topic', 'group', 'key', 'id', 'reason'] as const

/** Answers the exit code. */
export const runListDeadLetters = (
  config: Config,
  { topic, limit = LISTED_AT_MOST, all = false }: DeadLetterFlags,
  signal: AbortSignal,
): Promise<number> =>
  withBus(config, async (bus) => {
    const rows: string[][] = []
    let waiting = 0
    for (const dead of await choose(bus, topic)) {
      signal.throwIfAborted()
      const options = { topic: dead, limit: limit - rows.length, all, signal }
      if (rows.length < limit) rows.push(...(await listDeadLetters(bus, options)).map(rowOf))
      waiting += await countDeadLetters(bus, dead)
    }
    if (rows.length > 0) console.log(`${table(HEADER, rows)}\n`)
    const replayed = all ? ' (replayed ones included)' : ''
    console.log(`${grouped(rows.length)} shown${replayed}, ${grouped(waiting)} not yet replayed.`)
    return 0
  })

/** Answers the exit code. */
export const runReplayDeadLetters = (
  config: Config,
  { topic, limit }: DeadLetterFlags,
  signal: AbortSignal,
): Promise<number> =>
  withBus(config, async (bus) => {
    const bar = progressBar('replaying')
    const rows: string[][] = []
    let replayed = 0
    try {
      for (const dead of await choose(bus, topic)) {
        signal.throwIfAborted()
        const onProgress = (done: number, total: number): void =>
          bar.show(done, total, `${grouped(done)} of ${grouped(total)} of ${dead}`)
        const rest = limit === undefined ? {} : { limit: limit - replayed }
        const count = await replayDeadLetters(bus, { topic: dead, signal, onProgress, ...rest })
        bar.end()
        replayed += count
        rows.push([dead, grouped(count), grouped(await countDeadLetters(bus, dead))])
      }
    } finally {
      bar.end()
    }
    const counts = ['replayed', 'left']
    if (rows.length > 0) console.log(table(['dead letters', ...counts], rows, counts))
    else console.log('There are no dead letters.')
    return 0
  })
