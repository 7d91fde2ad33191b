import { setTimeout as wait } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import { lookAtAlertSettings, lookAtChurn } from '../../commands/churn.ts'
import { alertNotSent, alertSent } from '../../commands/churn_alerts.ts'
import { newUlid } from '../../commands/ids.ts'
import { execute } from '../../commands/kernel.ts'
import type { Ports } from '../../commands/ports.ts'
import type { ChurnState } from '../../domain/churn.ts'
import type { Freshness } from '../../projections/freshness.ts'
import type { Database } from '../../projections/table.ts'
import { goOnWith } from '../left_behind.ts'
import type { Log } from '../log.ts'
import { SYSTEM } from '../system.ts'

export type DeliveryOptions = {
  readonly ports: Ports
  readonly database: Database
  readonly freshness: Freshness
  /** Signs what is sent, so that the receiver knows whom it is from. */
  readonly secret: Buffer
  readonly log: Log
  readonly signal: AbortSignal
}

export type Delivery = {
  deliver(customer: string, alert: number): void
  readonly settled: () => Promise<void>
}

const TRIES = 3
const FIRST_PAUSE_MS = 500
const TIMEOUT_MS = 5000
const MOST_WAITING = 10_000
/** Thirty messages a minute (facts of the churn contract). */
const PAUSE_BETWEEN_MS = 2000
const BURST = 30

type Alert = ChurnState['open'][number]

/** Out of the log: the read models may not show yet what was raised a moment ago. */
const lookAtAlert = async (
  ports: Ports,
  customer: string,
  wanted: number,
): Promise<Alert | undefined> => {
  const { open } = await lookAtChurn(ports, customer)
  return open.find(({ alert }) => alert === wanted)
}

const bodyOf = ({ alert, number, alert_type, message, raised_at }: Alert): string =>
  JSON.stringify({
    type: 'churn.alert',
    timestamp: raised_at,
    data: { id: alert, customer_id: number, alert_type, message },
  })

/** One try. Throws what a person can do something about. */
const post = async (url: string, alert: Alert, webhook: Webhook, signal: AbortSignal) => {
  const id = `churn-alert-${alert.alert}`
  const body = bodyOf(alert)
  const at = new Date()
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    headers: {
      'Content-Type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': webhook.sign(id, at, body),
    },
    body,
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`the receiver answered ${response.status}`)
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? error.cause.message : error.message
  return (error.name === 'TimeoutError' ? `no answer within ${TIMEOUT_MS} ms` : cause).slice(0, 512)
}

/** Sends up to three times. Answers why it did not arrive; undefined: it did. */
const send = async (
  url: string,
  alert: Alert,
  webhook: Webhook,
  signal: AbortSignal,
): Promise<string | undefined> => {
  let reason: string | undefined
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (tries > 0) await wait(FIRST_PAUSE_MS * 2 ** tries, undefined, { signal })
    try {
      await post(url, alert, webhook, signal)
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      reason = reasonOf(error)
    }
  }
  return reason
}

/**
 * Sends alerts one after another by webhook (Standard Webhooks), and keeps in the log whether each
 * arrived. What an earlier process left is sent again: receivers tell by the id.
 */
export const startDelivery = (options: DeliveryOptions): Delivery => {
  const { ports, database, secret, log, signal } = options
  const webhook = new Webhook(secret.toString('base64'))
  let waiting = 0
  let sent = 0
  let last: Promise<void> = Promise.resolve()

  const deliverOne = async (customer: string, number: number): Promise<void> => {
    const alert = await lookAtAlert(ports, customer, number)
    if (!alert) return
    const settings = await lookAtAlertSettings(ports)
    const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
    const isOff = !settings.is_enabled || settings.webhook_url === null
    sent += 1
    if (!isOff && sent > BURST) await wait(PAUSE_BETWEEN_MS, undefined, { signal })
    const error = isOff
      ? 'Sending alerts is switched off.'
      : await send(settings.webhook_url ?? '', alert, webhook, signal)
    if (error === undefined) await execute(ports, alertSent, { customer, alert: number }, context)
    else await execute(ports, alertNotSent, { customer, alert: number, error }, context)
  }
  const enqueue = (customer: string, alert: number): void => {
    if (waiting >= MOST_WAITING) {
      log.warn({ alert }, 'too many alerts wait; this one is sent after the next start')
      return
    }
    waiting += 1
    last = last
      .then(() => (signal.aborted ? undefined : deliverOne(customer, alert)))
      .catch((error: unknown) => {
        if (!signal.aborted) log.error({ alert, error: String(error) }, 'an alert was not sent')
      })
      .finally(() => {
        waiting -= 1
      })
  }
  const goOn = async (): Promise<void> => {
    const { rows } = await database.query<{ customer: string; alert: string }>(
      `select customer, alert from churn_alerts where was_sent is null
       order by alert limit ${MOST_WAITING}`,
    )
    for (const { customer, alert } of rows) enqueue(customer, Number(alert))
  }
  goOnWith('churn', options, goOn)
  return {
    deliver: enqueue,
    settled: async () => {
      while (waiting > 0) await last
    },
  }
}
