import type { Repetition } from './load.ts'
import { type Effort, watchEffort } from './machine.ts'
import { median, percentile } from './statistics.ts'

/** What is aimed for, and whether more or less of it is better. */
export type Aim = { readonly value: number; readonly better: 'more' | 'less' }

export type Line = {
  readonly name: string
  readonly unit: string
  /** One figure for each repetition. */
  readonly values: readonly number[]
  readonly latencies_ms: readonly number[]
  readonly aim?: Aim | undefined
  readonly effort: Effort
}

const digits = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(2)

const verdictOf = (value: number, { value: aim, better }: Aim): string => {
  const ratio = better === 'more' ? value / aim : aim / value
  const met = ratio >= 1 ? 'PASS' : 'MISS'
  return `${met} ${ratio.toFixed(2)}x of ${better === 'more' ? 'at least' : 'at most'} ${digits(aim)}`
}

const times = (latencies_ms: readonly number[]): string =>
  latencies_ms.length === 0
    ? ''
    : [0.5, 0.95, 0.99].map((share) => percentile(latencies_ms, share).toFixed(1)).join(' / ')

export const HEADING = [
  'what'.padEnd(36),
  'median'.padStart(9),
  'unit'.padEnd(10),
  'spread'.padEnd(17),
  'ms p50/p95/p99'.padEnd(21),
  'busy'.padStart(5),
  'own'.padStart(5),
  'load'.padStart(5),
  'aim',
].join('  ')

export const format = ({ name, unit, values, latencies_ms, aim, effort }: Line): string => {
  const middle = median(values)
  const spread = `${digits(Math.min(...values))} - ${digits(Math.max(...values))}`
  return [
    name.padEnd(36),
    digits(middle).padStart(9),
    unit.padEnd(10),
    spread.padEnd(17),
    times(latencies_ms).padEnd(21),
    `${Math.round(effort.machine * 100)}%`.padStart(5),
    effort.generator_cores.toFixed(2).padStart(5),
    effort.load.toFixed(1).padStart(5),
    aim ? verdictOf(middle, aim) : '-',
  ].join('  ')
}

export type Described = Pick<Line, 'name' | 'unit' | 'aim'>

/** Repeats a measurement; the figure of each repetition is what it did a second. */
export const repeat = async (
  repetitions: number,
  described: Described,
  once: () => Promise<Repetition>,
): Promise<Line> => {
  const effortOf = watchEffort()
  const runs: Repetition[] = []
  for (let run = 0; run < repetitions; run += 1) runs.push(await once())
  return {
    ...described,
    values: runs.map(({ done, seconds }) => done / seconds),
    latencies_ms: runs.flatMap((run) => run.latencies_ms),
    effort: effortOf(),
  }
}
