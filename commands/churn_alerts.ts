import { z } from 'zod'
import { AlertType, Churn } from '../domain/churn.ts'
import { ChurnAlertSettings } from '../domain/churn_alerts.ts'
import { refuse } from '../domain/kernel.ts'
import { Identifier } from '../domain/ledger/events.ts'
import { lookAtChurn } from './churn.ts'
import { command, onExisting, takeNumber } from './kernel.ts'

/** When alerts are raised, and where they are sent. */
export const configureChurnAlerts = command({
  name: 'churn_alerts.configure',
  permission: 'churn:train',
  input: z.strictObject({
    webhook_url: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .nullable()
      .default(null),
    is_enabled: z.boolean().default(false),
    high_risk_threshold: z.number().min(0).max(1).default(0.7),
    /** Percent. */
    risk_increase_threshold: z.number().min(0).max(10_000).default(20),
  }),
  decider: ChurnAlertSettings,
  stream: () => 'settings',
  on: 'any',
  otherwise: 'RESOURCE_UNKNOWN',
  ifMatch: 'stream',
  enrich: (input, { at }) => ({ ...input, configured_at: at }),
  decide: ChurnAlertSettings.decide.configure,
  answer: (_events, input) => input,
})

const alertCommand = onExisting({
  decider: Churn,
  field: 'customer',
  otherwise: 'CUSTOMER_NOT_FOUND',
})

/** By hand: a summary, or what another system has found. */
export const raiseChurnAlert = alertCommand({
  name: 'churn_alerts.raise',
  permission: 'churn:train',
  input: z.strictObject({
    customer: Identifier,
    alert_type: AlertType,
    message: z.string().trim().min(1).max(256),
  }),
  enrich: async ({ customer, alert_type, message }, enrichment) => {
    const { number, profile } = await lookAtChurn(enrichment.ports, customer)
    if (profile === null) {
      return refuse('CUSTOMER_NOT_FOUND', `There is no customer ${customer}.`, { customer })
    }
    const alert = await takeNumber(enrichment, 'alerts')
    return { customer, number, alert, alert_type, message, raised_at: enrichment.at }
  },
  decide: Churn.decide.raise,
  answer: (_events, { customer }, { alert }) => ({ customer, alert }),
})

const OfAlert = { customer: Identifier, alert: z.int().min(1) }

/** What the one who delivers alerts says of one. */
export const alertSent = alertCommand({
  name: 'churn_alerts.sent',
  permission: 'models:manage',
  input: z.strictObject(OfAlert),
  enrich: (input, { at }) => ({ ...input, sent_at: at }),
  decide: Churn.decide.sent,
  answer: (_events, { alert }) => ({ alert }),
})

export const alertNotSent = alertCommand({
  name: 'churn_alerts.not_sent',
  permission: 'models:manage',
  input: z.strictObject({ ...OfAlert, error: z.string().max(512) }),
  enrich: (input, { at }) => ({ ...input, failed_at: at }),
  decide: Churn.decide.notSent,
  answer: (_events, { alert }) => ({ alert }),
})
