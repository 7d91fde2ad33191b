import { z } from '@hono/zod-openapi'
import { type DayVolume, getDayVolume } from '../../projections/volumes.ts'
import { ask, route } from '../contract.ts'
import { instant } from '../formats.ts'
import { alertsOf, healthOf, type Readings } from '../health.ts'
import type { Traffic } from '../metrics.ts'
import type { Call, Route } from '../route.ts'
import type { Services } from '../services.ts'
import { ADMIN, kept, STAFF } from './accounts.ts'
import { Cedis, cedis } from './amounts.ts'

const tag = 'Performance'
const MEGABYTE = 1024 * 1024
/** For so long a dashboard shows the same figures. */
const KEPT_MS = 60_000

const Health = z.enum(['healthy', 'degraded', 'unhealthy'])
const Figure = z.number().min(0)
const Percent = z.number().min(0).max(100)
const Answering = z.object({
  status: Health,
  response_time_ms: Figure.nullable().openapi({ description: 'null: no answer in two seconds' }),
})

const SystemHealth = z
  .object({
    status: Health,
    timestamp: z.string(),
    cpu: z.object({ status: Health, usage_percent: Percent, load_1m: Figure, cores: z.int() }),
    memory: z.object({
      status: Health,
      usage_percent: Percent,
      ...{ total_mb: z.int(), used_mb: z.int(), process_mb: z.int() },
    }),
    database: Answering,
    event_store: Answering.extend({
      position: z.string().nullable(),
      read_models: z.object({
        status: Health,
        lag_seconds: Figure.openapi({ description: 'of the one that is furthest behind' }),
        behind: z.array(z.string()),
      }),
    }),
  })
  .openapi('CoastalSystemHealth')

const twoPlaces = (value: number): number => Math.round(100 * value) / 100
const megabytes = (bytes: number): number => Math.round(bytes / MEGABYTE)
const shownMs = (ms: number | null): number | null => (ms === null ? null : twoPlaces(ms))

const healthShown = (readings: Readings, at: Date): z.infer<typeof SystemHealth> => {
  const { cpu, memory, projections } = readings
  const { status, parts, cpu_percent, memory_percent } = healthOf(readings)
  const behind = projections.filter((one) => one.lag_seconds > 0 || one.status === 'stopped')
  return {
    ...{ status, timestamp: instant(at) },
    cpu: { status: parts.cpu, usage_percent: cpu_percent, ...cpu },
    memory: {
      status: parts.memory,
      usage_percent: memory_percent,
      total_mb: megabytes(memory.total_bytes),
      used_mb: megabytes(memory.used_bytes),
      process_mb: megabytes(memory.process_bytes),
    },
    database: { status: parts.database, response_time_ms: shownMs(readings.database_ms) },
    event_store: {
      status: parts.event_store,
      response_time_ms: shownMs(readings.event_store_ms),
      position: readings.head,
      read_models: {
        status: parts.projections,
        lag_seconds: Math.max(0, ...projections.map(({ lag_seconds }) => lag_seconds)),
        behind: behind.map(({ projection }) => projection),
      },
    },
  }
}

const Alert = z.object({
  metric: z.string(),
  severity: z.enum(['medium', 'critical']),
  value: Percent,
  threshold: Percent,
  message: z.string(),
})

const Dashboard = z
  .object({
    performance_summary: z.object({
      total_metrics: z.int().openapi({ description: 'requests that were measured' }),
      metric_types: z.array(z.string()),
      time_range: z.string().openapi({ description: 'since when, as an instant' }),
      average_response_time: Figure.openapi({ description: 'milliseconds' }),
      error_rate: Percent,
      throughput: Figure.openapi({ description: 'requests a second' }),
    }),
    system_health: SystemHealth,
    transaction_volume: z.object({
      ...{ count: z.int(), completed: z.int(), pending_approval: z.int(), failed: z.int() },
      ...{ amount: Cedis, time_range_hours: z.int() },
    }),
    active_alerts: z.array(Alert),
    recent_recommendations: z.array(z.string()),
    generated_at: z.string(),
  })
  .openapi('CoastalDashboard')
type Dashboard = z.infer<typeof Dashboard>

const performanceOf = ({ since, requests, failures, seconds }: Traffic, now: number) => {
  const passed_s = Math.max(1, (now - since.getTime()) / 1000)
  return {
    total_metrics: requests,
    metric_types: ['response_time', 'error_rate', 'throughput'],
    time_range: instant(since),
    average_response_time: requests === 0 ? 0 : twoPlaces((1000 * seconds) / requests),
    error_rate: requests === 0 ? 0 : twoPlaces((100 * failures) / requests),
    throughput: twoPlaces(requests / passed_s),
  }
}

const volumeOf = ({ count, completed, waiting, failed, amount }: DayVolume) => ({
  ...{ count, completed, pending_approval: waiting, failed },
  ...{ amount: cedis(amount), time_range_hours: 24 },
})

/** What follows from the readings; where they are fine, nothing. */
const recommendationsOf = (readings: Readings): string[] => {
  const { parts } = healthOf(readings)
  const advice: readonly (readonly [keyof typeof parts, string])[] = [
    ['cpu', 'Give the server more processors, or move the projector to a machine of its own.'],
    ['memory', 'Give the server more memory.'],
    ['database', 'Look at what Postgres is busy with.'],
    ['event_store', 'Look at the event store: it answers late or not at all.'],
    ['projections', 'Look at the read models with `daybook status`.'],
  ]
  return advice.flatMap(([part, text]) => (parts[part] === 'healthy' ? [] : [text]))
}

const drawUp = async (call: Call): Promise<Dashboard> => {
  const { services, at } = call
  const readings = await services.readings()
  const volume = await ask(call, getDayVolume, kept)
  return {
    performance_summary: performanceOf(await services.traffic(), Date.now()),
    system_health: healthShown(readings, at),
    transaction_volume: volumeOf(volume),
    active_alerts: alertsOf(healthOf(readings)),
    recent_recommendations: recommendationsOf(readings),
    generated_at: instant(at),
  }
}

type Drawn = { readonly at: number; readonly dashboard: Promise<Dashboard> }
const drawn = new WeakMap<Services, Drawn>()

/** One for all who ask within a minute; one that came to nothing is kept for nobody. */
const dashboardFor = (call: Call): Promise<Dashboard> => {
  const at = call.at.getTime()
  const before = drawn.get(call.services)
  if (before && at >= before.at && at < before.at + KEPT_MS) return before.dashboard
  const dashboard = drawUp(call)
  drawn.set(call.services, { at, dashboard })
  dashboard.catch(() => drawn.delete(call.services))
  return dashboard
}

export const dashboardRoutes: readonly Route[] = [
  route('get', '/api/performance/system-health/', 'system:read', {
    tag,
    summary: 'Show how processors, memory, database and event store are doing',
    description:
      'Measured at the moment. Processors: the load of the last minute on the cores, degraded ' +
      'above 60 %. Memory: above 80 %. Stores: an answer above 250 ms. Read models: above 5 s.',
    input: z.object({}),
    response: SystemHealth,
    example: ADMIN,
    run: async ({ services, at }) => ({ body: healthShown(await services.readings(), at) }),
  }),
  route('get', '/api/performance/dashboard-data/', 'operations:read', {
    tag,
    summary: 'Show how the service is doing, a minute old at most',
    description: 'Alerts: processors above 60 % (medium), above 80 % (critical).',
    input: z.object({}),
    response: Dashboard,
    example: STAFF,
    run: async (call) => ({ body: await dashboardFor(call) }),
  }),
]
