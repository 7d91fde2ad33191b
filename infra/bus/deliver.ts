/** How a batch reaches a handler: the same rules whatever the bus. */
import { setTimeout as delay } from 'node:timers/promises'
import { HandlerFailed, isPoison } from './errors.ts'
import type {
  ConsumeOptions,
  Log,
  Message,
  OutgoingMessage,
  PoisonError,
  RetryPolicy,
} from './port.ts'

/** About eleven seconds of trying: longer than a restart of the event store or of Postgres. */
export const defaultRetries: RetryPolicy = { attempts: 8, delay_ms: 100, maximumDelay_ms: 5_000 }

export type Delivery = {
  readonly options: ConsumeOptions
  readonly retries: RetryPolicy
  readonly log: Log
  /** Ends the retries; the batch is then not handled. */
  readonly signal: AbortSignal
  readonly publishDead: (topic: string, message: OutgoingMessage) => Promise<void>
}

/**
 * Hands a batch until it is handled, poisoned messages taken out. False when the consumer was
 * stopped first: then its offset must not be committed. Rejects with HandlerFailed.
 */
export async function deliver(batch: readonly Message[], delivery: Delivery): Promise<boolean> {
  const { options, retries, signal, log } = delivery
  let rest = batch
  let failures = 0
  while (rest.length > 0) {
    try {
      await options.handle(rest)
      return true
    } catch (error) {
      const dead = isPoison(error) ? rest[error.messageIndex] : undefined
      if (dead && isPoison(error)) {
        await bury(dead, error, delivery)
        rest = rest.filter((message) => message !== dead)
        failures = 0
        continue
      }
      if (signal.aborted) return false
      failures += 1
      const facts = { group: options.group, topic: options.topic, failures, error }
      if (failures >= retries.attempts) {
        log.error(facts, 'a bus handler kept failing; its consumer stops')
        throw new HandlerFailed(
          `group ${options.group} could not handle ${options.topic}: ${reasonOf(error)}`,
          { cause: error },
        )
      }
      log.warn(facts, 'a bus handler failed and will be tried again')
      if (!(await waited(backoff_ms(retries, failures), signal))) return false
    }
  }
  return true
}

/** The wait after the given number of failures in a row. */
export function backoff_ms(retries: RetryPolicy, failures: number): number {
  return Math.min(retries.delay_ms * 2 ** (failures - 1), retries.maximumDelay_ms)
}

/** False when the signal cut the wait short. */
export async function waited(wait_ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(wait_ms, true, { signal }).catch(() => false)
}

async function bury(dead: Message, error: PoisonError, delivery: Delivery): Promise<void> {
  const { options, log } = delivery
  const { topic, partition, offset } = dead
  log.error(
    { group: options.group, topic, partition, offset, id: dead.id, reason: reasonOf(error) },
    'a poisoned message was moved to the dead topic',
  )
  await delivery.publishDead(`${topic}.dead`, {
    key: dead.key,
    id: dead.id,
    value: dead.value,
    headers: {
      ...dead.headers,
      'dead-topic': topic,
      'dead-partition': String(partition),
      'dead-offset': offset,
      'dead-group': options.group,
      'dead-reason': reasonOf(error),
      'dead-at': new Date().toISOString(),
    },
  })
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500)
}
