import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apply, features, initialFeatures, type Observation } from '../ml/features.ts'
import { observation, seen } from './ml-support.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const RECENT = 32

const dayOf = (at_ms: number): number => Math.floor(at_ms / DAY_MS)
const sum = (past: readonly Observation[]): number =>
  past.reduce((total, { amount }) => total + amount, 0)

/** What the windows must say, from the whole past of the customer and of the terminal. */
const slowly = (all: readonly Observation[], now: Observation) => {
  const past = all.filter(({ customer }) => customer === now.customer)
  const recent = (window_ms: number) =>
    past.slice(-RECENT).filter(({ at_ms }) => at_ms > now.at_ms - window_ms && at_ms <= now.at_ms)
  const onDays = (given: readonly Observation[], days: number) => {
    const newest = Math.max(...given.map(({ at_ms }) => dayOf(at_ms)))
    const today = dayOf(now.at_ms)
    return given.filter(({ at_ms }) => {
      const day = dayOf(at_ms)
      return day > newest - 30 && day > today - days && day <= today
    })
  }
  const month = onDays(past, 30)
  const there = all.filter(({ terminal }) => terminal === now.terminal)
  return {
    count_1h: recent(HOUR_MS).length,
    sum_1h: sum(recent(HOUR_MS)),
    count_1d: recent(DAY_MS).length,
    sum_1d: sum(recent(DAY_MS)),
    count_30d: month.length,
    mean_30d: month.length > 0 ? Math.fround(sum(month) / month.length) : undefined,
    terminal_count_7d: onDays(there, 7).length,
    terminal_count_30d: onDays(there, 30).length,
  }
}

const payment = fc.record({
  // Steps of nothing and of exactly a window, mostly forwards and sometimes weeks back.
  step: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(0, 1, HOUR_MS / 2, HOUR_MS, 7 * HOUR_MS, DAY_MS) },
    { weight: 1, arbitrary: fc.integer({ min: -15 * DAY_MS, max: 40 * DAY_MS }) },
  ),
  customer: fc.constantFrom('customers:1:a', 'customers:2:a'),
  terminal: fc.constantFrom('t1', 't2'),
  amount: fc.integer({ min: 1, max: 1_000 }),
})

const past = fc.array(payment, { minLength: 1, maxLength: 150, size: 'max' }).map((payments) => {
  let at_ms = Date.parse('2026-01-10')
  return payments.map(({ step, ...rest }) => {
    at_ms += step
    return observation({ ...rest, at_ms })
  })
})

describe('windows', () => {
  it('are what a count over the whole past says, saturation and forgotten days included', () => {
    fc.assert(
      fc.property(past, (observations) => {
        const state = initialFeatures()
        observations.forEach((one, place) => {
          const expected = slowly(observations.slice(0, place), one)
          const found = seen(features(state, one))
          for (const [name, value] of Object.entries(expected)) {
            expect([name, found[name]]).toEqual([name, value])
          }
          apply(state, one)
        })
      }),
      { numRuns: 60 },
    )
  })
})
