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
import { createDeliveries, sendPatiently } from '../deliveries.ts'
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

const MOST_LEFT = 10_000
/** Thirty messages a minute (facts of the churn contract). */
const PAUSE_BETWEEN_MS = 2000
const BURST = 30

type Alert = ChurnState['open'][number]
type Wanted = { readonly customer: string; readonly alert: number }

/** Out of the log: the read models may not show yet what was raised a moment ago. */
const lookAtAlert = async (
  ports: Ports,
  { customer, alert: wanted }: Wanted,
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
    signal,
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

/**
 * Sends alerts one after another by webhook (Standard Webhooks), and keeps in the log whether each
 * arrived. What an earlier process left is sent again: receivers tell by the id.
 */
export const startDelivery = (options: DeliveryOptions): Delivery => {
  const { ports, database, secret, signal } = options
  const webhook = new Webhook(secret.toString('base64'))
  let sent = 0

  const deliverOne = async (wanted: Wanted): Promise<void> => {
    const alert = await lookAtAlert(ports, wanted)
    if (!alert) return
    const settings = await lookAtAlertSettings(ports)
    const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
    const url = settings.is_enabled ? settings.webhook_url : null
    sent += 1
    if (url !== null && sent > BURST) await wait(PAUSE_BETWEEN_MS, undefined, { signal })
    const { reason: error } =
      url === null
        ? { reason: 'Sending alerts is switched off.' }
        : await sendPatiently((until) => post(url, alert, webhook, until), signal)
    if (error === undefined) await execute(ports, alertSent, wanted, context)
    else await execute(ports, alertNotSent, { ...wanted, error }, context)
  }
  const deliveries = createDeliveries('alert', deliverOne, options)
  const goOn = async (): Promise<void> => {
    const { rows } = await database.query<{ customer: string; alert: string }>(
      `select customer, alert from churn_alerts where was_sent is null
       order by alert limit ${MOST_LEFT}`,
    )
    for (const { customer, alert } of rows) deliveries.deliver({ customer, alert: Number(alert) })
  }
  goOnWith('churn', options, goOn)
  return {
    deliver: (customer, alert) => deliveries.deliver({ customer, alert }),
    settled: deliveries.settled,
  }
}
