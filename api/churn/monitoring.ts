import { z } from '@hono/zod-openapi'
import { Day } from '../../domain/ledger/events.ts'
import {
  type ChurnAlertView,
  listChurnAlerts,
  riskDashboard,
} from '../../projections/churn/index.ts'
import { ask, route } from '../contract.ts'
import { instant } from '../formats.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import type { Route } from '../route.ts'
import { asAnalyst } from './customers.ts'
import { risk } from './views.ts'

const tag = 'Monitoring'
const PAGE_SIZE = 10
const MOST_PAGE_SIZE = 100

const Alert = z
  .object({
    id: z.int(),
    customer_id: z.int(),
    alert_type: z.enum(['HIGH_RISK', 'RISK_INCREASE', 'SUMMARY']),
    message: z.string(),
    was_sent: z.boolean(),
    error_message: z.string().nullable(),
    created_at: z.string(),
  })
  .openapi('ChurnAlert')

const shown = (alert: ChurnAlertView) => ({
  id: alert.alert,
  customer_id: alert.number,
  alert_type: alert.alert_type,
  message: alert.message,
  was_sent: alert.was_sent ?? false,
  error_message: alert.error,
  created_at: instant(alert.raised_at),
})

export const monitoringRoutes: readonly Route[] = [
  route('get', '/api/monitoring/dashboard/', 'churn:use', {
    tag,
    summary: 'Show who is at risk, and how the risk has moved',
    description: 'High from 0.7 up, medium from 0.4. The trend is the daily mean of 30 days.',
    input: z.object({}),
    response: z.object({
      high_risk_customers: z.array(
        z.object({
          id: z.int(),
          name: z.string(),
          risk_score: z.number(),
          last_updated: z.string(),
        }),
      ),
      risk_distribution: z.object({ low: z.int(), medium: z.int(), high: z.int() }),
      risk_trend: z.array(z.object({ date: z.string(), average_risk: z.number() })),
    }),
    example: asAnalyst,
    run: async (call) => {
      const { high, distribution, trend } = await ask(call, riskDashboard, {})
      return {
        body: {
          high_risk_customers: high.map(({ number, name, probability, scored_at }) => ({
            id: number,
            name: name ?? '',
            risk_score: risk(probability),
            last_updated: instant(scored_at),
          })),
          risk_distribution: distribution,
          risk_trend: trend.map(({ date, average_risk }) => ({
            date,
            average_risk: risk(average_risk),
          })),
        },
      }
    },
  }),
  route('get', '/api/monitoring/alerts/', 'churn:use', {
    tag,
    summary: 'List alerts, newest first',
    description: 'Days are inclusive, in UTC.',
    input: z.object({
      ...numberedPaging(PAGE_SIZE, MOST_PAGE_SIZE),
      customer_id: z
        .string()
        .regex(/^\d{1,15}$/, 'a customer id is a whole number')
        .transform(Number)
        .optional(),
      start_date: Day.optional(),
      end_date: Day.optional(),
    }),
    response: numberedPageOf(Alert, 'ChurnAlert'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...asAnalyst, query: { start_date: '2026-01-01' } },
    run: async (call) => {
      const page = await ask(call, listChurnAlerts, call.input)
      return { body: numberedPage(call, call.input, page, shown) }
    },
  }),
]
