import { z } from 'zod'
import { type Decision, decider, type EventOf } from './kernel.ts'
import { Instant } from './ledger/events.ts'

const alertSettingsEvents = {
  ChurnAlertsConfigured: z.object({
    /** Where alerts are sent by HTTP; null: nowhere. */
    webhook_url: z.url().max(2048).nullable(),
    is_enabled: z.boolean(),
    high_risk_threshold: z.number().min(0).max(1),
    /** Percent. */
    risk_increase_threshold: z.number().min(0).max(10_000),
    configured_at: Instant,
  }),
} as const

type Configured = z.infer<typeof alertSettingsEvents.ChurnAlertsConfigured>
export type AlertSettings = Omit<Configured, 'configured_at'>

const initial: AlertSettings = {
  webhook_url: null,
  is_enabled: false,
  high_risk_threshold: 0.7,
  risk_increase_threshold: 20,
}

const configure = (
  _state: AlertSettings,
  data: Configured,
): Decision<EventOf<typeof alertSettingsEvents>> => [{ type: 'ChurnAlertsConfigured', data }]

/** When alerts are raised, and where they are sent. */
export const ChurnAlertSettings = decider({
  category: 'churn_alerts',
  schemas: alertSettingsEvents,
  initial: (): AlertSettings => initial,
  evolve: {
    ChurnAlertsConfigured: (_state, { configured_at: _at, ...settings }): AlertSettings => settings,
  },
  decide: { configure },
})
