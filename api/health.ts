/** What is measured of the machine and the stores, and how it is judged. */

export type Lagging = {
  readonly projection: string
  readonly status: 'building' | 'active' | 'stopped'
  readonly position: string
  readonly lag_seconds: number
}

export type Readings = {
  /** The load of the last minute: processes that ran or waited, on so many cores. */
  readonly cpu: { readonly load_1m: number; readonly cores: number }
  readonly memory: {
    readonly total_bytes: number
    readonly used_bytes: number
    readonly process_bytes: number
  }
  /** null: no answer within two seconds. */
  readonly database_ms: number | null
  readonly event_store_ms: number | null
  /** The position of the newest event. */
  readonly head: string | null
  readonly projections: readonly Lagging[]
}

export type Health = 'healthy' | 'degraded' | 'unhealthy'

/** Per cent; above these, and for parts that answer, milliseconds and seconds. */
const bounds = {
  percent: { degraded: 60, unhealthy: 80 },
  memory_percent: { degraded: 80, unhealthy: 95 },
  answer_ms: { degraded: 250, unhealthy: 2000 },
  lag_seconds: { degraded: 5, unhealthy: 60 },
} as const

const judge = (value: number, of: keyof typeof bounds): Health => {
  const { degraded, unhealthy } = bounds[of]
  if (value > unhealthy) return 'unhealthy'
  return value > degraded ? 'degraded' : 'healthy'
}

const judgeAnswer = (ms: number | null): Health =>
  ms === null ? 'unhealthy' : judge(ms, 'answer_ms')

const worstFirst: readonly Health[] = ['unhealthy', 'degraded', 'healthy']

const worstOf = (all: readonly Health[]): Health =>
  worstFirst.find((health) => all.includes(health)) ?? 'healthy'

const percent = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.min(100, Math.round((1000 * part) / whole) / 10)

/** A read model that met an event which it cannot handle shows nothing new, however near it is. */
const judgeProjection = ({ status, lag_seconds }: Lagging): Health =>
  status === 'stopped' ? 'unhealthy' : judge(lag_seconds, 'lag_seconds')

/** Each part with how it is, and the whole as its worst part; the machine can only degrade it. */
export const healthOf = (readings: Readings) => {
  const { cpu, memory, projections } = readings
  const cpu_percent = percent(cpu.load_1m, cpu.cores)
  const memory_percent = percent(memory.used_bytes, memory.total_bytes)
  const parts = {
    cpu: judge(cpu_percent, 'percent'),
    memory: judge(memory_percent, 'memory_percent'),
    database: judgeAnswer(readings.database_ms),
    event_store: judgeAnswer(readings.event_store_ms),
    projections: worstOf(projections.map(judgeProjection)),
  }
  const machine = worstOf([parts.cpu, parts.memory]) === 'healthy' ? 'healthy' : 'degraded'
  const stores = [parts.database, parts.event_store, parts.projections]
  return { status: worstOf([...stores, machine]), parts, cpu_percent, memory_percent }
}

export type Alert = {
  readonly metric: 'cpu_usage'
  readonly severity: 'medium' | 'critical'
  readonly value: number
  /** What it is above. */
  readonly threshold: number
  readonly message: string
}

/** What somebody should look at now. */
export const alertsOf = ({ cpu_percent }: { readonly cpu_percent: number }): Alert[] => {
  const { degraded, unhealthy } = bounds.percent
  if (cpu_percent <= degraded) return []
  const isCritical = cpu_percent > unhealthy
  return [
    {
      ...{ metric: 'cpu_usage', severity: isCritical ? 'critical' : 'medium', value: cpu_percent },
      threshold: isCritical ? unhealthy : degraded,
      message: `The processors are at ${cpu_percent} %.`,
    },
  ]
}
