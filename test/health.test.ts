import { expect, test } from 'vitest'
import { alertsOf, healthOf, type Lagging, type Readings } from '../api/health.ts'
import { createReadings } from '../infra/readings.ts'

const projection: Lagging = {
  ...{ projection: 'accounts', status: 'active', position: '7', lag_seconds: 0 },
}
const well: Readings = {
  cpu: { load_1m: 1.2, cores: 2 },
  memory: { total_bytes: 1000, used_bytes: 800, process_bytes: 100 },
  ...{ database_ms: 250, event_store_ms: 3, head: '7', projections: [projection] },
}

test('what is up to its bounds is healthy', () => {
  expect(healthOf(well)).toMatchObject({
    ...{ status: 'healthy', cpu_percent: 60, memory_percent: 80 },
  })
})

test.each<[string, Partial<Readings>, string, object]>([
  ['a busy machine', { cpu: { load_1m: 1.21, cores: 2 } }, 'degraded', { cpu: 'degraded' }],
  ['an overloaded one', { cpu: { load_1m: 9, cores: 2 } }, 'degraded', { cpu: 'unhealthy' }],
  ['a slow database', { database_ms: 251 }, 'degraded', { database: 'degraded' }],
  ['none', { database_ms: null }, 'unhealthy', { database: 'unhealthy' }],
  ['no event store', { event_store_ms: null }, 'unhealthy', { event_store: 'unhealthy' }],
  [
    'a read model that lags',
    { projections: [projection, { ...projection, lag_seconds: 5.1 }] },
    'degraded',
    { projections: 'degraded' },
  ],
  [
    'one that has stopped',
    { projections: [{ ...projection, status: 'stopped' }] },
    'unhealthy',
    { projections: 'unhealthy' },
  ],
])('%s shows', (_what, readings, status, parts) => {
  expect(healthOf({ ...well, ...readings })).toMatchObject({ status, parts })
})

test.each([
  [60, []],
  [60.1, [{ severity: 'medium', threshold: 60 }]],
  [80, [{ severity: 'medium', threshold: 60 }]],
  [80.1, [{ severity: 'critical', threshold: 80 }]],
])('processors at %s per cent are told of', (cpu_percent, alerts) => {
  expect(alertsOf({ cpu_percent })).toMatchObject(alerts)
})

test('what does not answer is away', async () => {
  const gone = () => Promise.reject(new Error('gone'))
  const readings = createReadings({ query: gone } as never, { head: gone } as never)
  expect(await readings()).toMatchObject({
    ...{ database_ms: null, event_store_ms: null, head: null, projections: [] },
  })
})
