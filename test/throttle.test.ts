import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createThrottle, parseRate, type Rate } from '../api/throttle.ts'

describe('a rate', () => {
  test.each([
    ['5/15min', 5, 900],
    ['5/15m', 5, 900],
    ['100/h', 100, 3600],
    ['100/hour', 100, 3600],
    ['1/s', 1, 1],
    ['10/30 s', 10, 30],
    ['3/2d', 3, 172_800],
    ['1000/day', 1000, 86_400],
    ['0/min', 0, 60],
  ])('written %s is %d requests in %d seconds', (text, requests, seconds) => {
    expect(parseRate(text)).toEqual({ requests, seconds })
  })

  test.each([
    ...['', '5', '5/', '/min', '5/15', '-5/min', '5.5/min', '5/1.5min', 'five/min', '5 per min'],
    ...['5/15min/2', '5//min', ' 5/min', '5/min ', '5/MIN', '5/year', '5/week', '1e3/min'],
    ...[
      '5/month',
      '5/ms',
      '5/sheep',
      '5/0s',
      '5/00min',
      '1234567/min',
      '5/12345s',
      '٥/min',
      '5/-1min',
    ],
  ])('is not %j', (text) => {
    expect(parseRate(text)).toBeUndefined()
  })
})

const NOON = Date.parse('2026-03-10T12:00:00.000Z')
const at = (seconds: number): Date => new Date(NOON + seconds * 1000)
const rate: Rate = { requests: 3, seconds: 60 }

describe('a throttle', () => {
  test('lets so many through in a window, and says how long the others have to wait', () => {
    const { take } = createThrottle()
    const waits = [0, 10, 20, 20, 59.001].map((seconds) => take('login', 'a', rate, at(seconds)))
    expect(waits).toEqual([undefined, undefined, undefined, 40, 1])
  })

  test('begins anew when the window that began with the first is over', () => {
    const { take } = createThrottle()
    for (const seconds of [0, 59, 59.999]) {
      expect(take('login', 'a', rate, at(seconds))).toBeUndefined()
    }
    expect(take('login', 'a', rate, at(59.999))).toBe(1)
    for (const seconds of [60, 60, 119.999]) {
      expect(take('login', 'a', rate, at(seconds))).toBeUndefined()
    }
    expect(take('login', 'a', rate, at(119.999))).toBe(1)
    expect(take('login', 'a', rate, at(120))).toBeUndefined()
  })

  test('is not made longer by those who are refused', () => {
    const { take } = createThrottle()
    for (let tries = 0; tries < 100; tries += 1) take('login', 'a', rate, at(30))
    expect(take('login', 'a', rate, at(90))).toBeUndefined()
  })

  test('counts each scope and each key apart', () => {
    const { take } = createThrottle()
    const once: Rate = { requests: 1, seconds: 60 }
    expect(take('login', 'a', once, at(0))).toBeUndefined()
    expect(take('login', 'b', once, at(0))).toBeUndefined()
    expect(take('reset', 'a', once, at(0))).toBeUndefined()
    expect(take('login', 'a', once, at(0))).toBe(60)
  })

  test('forgets what lies in the future when the clock has gone back', () => {
    const { take } = createThrottle()
    for (let tries = 0; tries < 3; tries += 1) take('login', 'a', rate, at(86_400))
    expect(take('login', 'a', rate, at(86_400))).toBe(60)
    expect(take('login', 'a', rate, at(0))).toBeUndefined()
    expect(take('login', 'a', rate, at(0))).toBeUndefined()
    // Back by less than the window, it is still the same one.
    for (let tries = 0; tries < 2; tries += 1) take('login', 'a', rate, at(30))
    expect(take('login', 'a', rate, at(29))).toBe(31)
  })

  test('that allows none lets none through', () => {
    const { take } = createThrottle()
    expect(take('login', 'a', { requests: 0, seconds: 60 }, at(0))).toBe(60)
  })

  test('never lets more than the rate through in a window, whoever asks when', () => {
    const steps = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b'), after_ms: fc.nat(40_000) }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, (asked) => {
        const { take } = createThrottle()
        const passed = new Map<string, number[]>()
        let now = NOON
        for (const { key, after_ms } of asked) {
          now += after_ms
          const known = passed.get(key) ?? []
          const wait = take('login', key, rate, new Date(now))
          if (wait === undefined) passed.set(key, [...known, now])
        }
        for (const times of passed.values()) {
          // Two windows may touch: twice the rate is the most in any stretch as long as one.
          for (const from of times) {
            const inStretch = times.filter((time) => time >= from && time < from + 60_000)
            expect(inStretch.length).toBeLessThanOrEqual(2 * rate.requests)
          }
        }
      }),
    )
  })

  test('whoever waits as long as he is told is let in', () => {
    const { take } = createThrottle()
    for (const seconds of [0, 0.4, 0.9]) take('login', 'a', rate, at(seconds))
    const wait = take('login', 'a', rate, at(17.3)) ?? 0
    expect(take('login', 'a', rate, at(17.3 + wait))).toBeUndefined()
  })

  test('remembers so many windows and no more: the oldest goes first', () => {
    const { take } = createThrottle()
    const once: Rate = { requests: 1, seconds: 60 }
    const MOST = 100_000
    for (let key = 0; key < MOST; key += 1) take('login', `${key}`, once, at(0))
    expect(take('login', '0', once, at(1))).toBe(59)
    take('login', 'one more', once, at(1))
    expect(take('login', '0', once, at(2))).toBeUndefined()
    expect(take('login', `${MOST - 1}`, once, at(2))).toBe(58)
  })
})

describe('a throttle that is restricted', () => {
  const given = (...rates: readonly (readonly [string, Rate])[]) => {
    const throttle = createThrottle()
    for (let tries = 0; tries < 3; tries += 1) throttle.take('login', 'a', rate, at(0))
    throttle.restrict(new Map(rates))
    return (scope: string) => throttle.take(scope, 'a', rate, at(1))
  }

  test('to nothing lets everything through', () => {
    const take = given()
    for (let tries = 0; tries < 100; tries += 1) expect(take('login')).toBeUndefined()
  })

  test('to some scopes counts them anew at their new rates, and no others', () => {
    const take = given(['login', { requests: 2, seconds: 60 }])
    for (let tries = 0; tries < 2; tries += 1) expect(take('login')).toBeUndefined()
    expect(take('login')).toBe(60)
    for (let tries = 0; tries < 10; tries += 1) expect(take('reset')).toBeUndefined()
  })
})
