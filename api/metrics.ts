import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = {
  observe(method: string, route: string, status: number, seconds: number): void
  /** Prometheus text format. */
  render(): Promise<string>
  readonly contentType: string
  /** What has been answered since the process began. */
  traffic(): Promise<Traffic>
}

export type Traffic = {
  readonly since: Date
  readonly requests: number
  /** Of them, those that something here was to blame for. */
  readonly failures: number
  /** All of them together took so long to answer. */
  readonly seconds: number
}

type Measured = {
  readonly metricName?: string
  readonly value: number
  readonly labels: Readonly<Partial<Record<string, string | number>>>
}

const sumOf = (values: readonly Measured[], isCounted: (one: Measured) => boolean): number =>
  values.filter(isCounted).reduce((sum, { value }) => sum + value, 0)

/** `lag` is read at each scrape: projection -> seconds behind the log's newest event. */
export const createMetrics = (lag: () => Promise<Readonly<Record<string, number>>>): Metrics => {
  const since = new Date()
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  })
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from request to answer',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  })
  const behind = new Gauge({
    name: 'daybook_projection_lag_seconds',
    help: 'Age of the newest event that a projection has handled, when it is not the last one',
    labelNames: ['projection'],
    registers: [registry],
    collect: async () => {
      for (const [projection, seconds] of Object.entries(await lag())) {
        behind.set({ projection }, seconds)
      }
    },
  })
  return {
    observe: (method, route, status, seconds) => {
      requests.inc({ method, route, status })
      durations.observe({ method, route }, seconds)
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
    traffic: async () => {
      const answered = (await requests.get()).values
      const took = (await durations.get()).values
      return {
        since,
        requests: sumOf(answered, () => true),
        failures: sumOf(answered, ({ labels }) => Number(labels.status) >= 500),
        seconds: sumOf(took, ({ metricName }) => metricName?.endsWith('_sum') ?? false),
      }
    },
  }
}
