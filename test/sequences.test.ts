import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEngine } from '../commands/engine.ts'
import { createNumbers, type Numbers, referenceOf } from '../commands/sequences.ts'
import { Sequence } from '../domain/sequences.ts'
import { createMemoryStore, type MemoryStore, noSnapshots } from './support/memory.ts'
import { spec } from './support/spec.ts'

const NOON = new Date('2026-03-10T12:00:00.000Z')
const clock = (): Date => NOON

describe('a sequence', () => {
  const given = spec(Sequence).given
  const taken = (first: number, count: number) => ({
    type: 'NumbersTaken',
    data: { sequence: 'accounts', first, count },
  })

  test('begins at 1 and goes on where the last block ended', () => {
    given().when('take', { sequence: 'accounts', count: 1 }).gives(taken(1, 1))
    given(taken(1, 1), taken(2, 1000))
      .when('take', { sequence: 'accounts', count: 5 })
      .gives(taken(1002, 5))
  })

  test('gives away each number once, whatever blocks are taken', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 })), (counts) => {
        const history: object[] = []
        const numbers: number[] = []
        for (const count of counts) {
          const [event] = given(history as never)
            .when('take', { sequence: 'accounts', count })
            .events() as [ReturnType<typeof taken>]
          history.push(event)
          const { first } = event.data
          numbers.push(...Array.from({ length: count }, (_, n) => first + n))
        }
        expect(numbers).toEqual(numbers.map((_, index) => index + 1))
      }),
    )
  })
})

describe('numbers', () => {
  /** As a process with its own engine has them, on a log that it may share. */
  const processOn = (store: MemoryStore): Numbers =>
    createNumbers(createEngine(store, noSnapshots), clock)
  const take = (numbers: Numbers, sequence: 'accounts' | 'references', count: number) =>
    Promise.all(Array.from({ length: count }, () => numbers.next(sequence)))

  test('that people look at are given in order, one event each', async () => {
    const store = createMemoryStore(clock)
    expect(await take(processOn(store), 'accounts', 3)).toEqual([1, 2, 3])
    expect(store.log.map(({ data }) => data)).toMatchObject([1, 2, 3].map((first) => ({ first })))
  })

  test('of different sequences have nothing to do with each other', async () => {
    const numbers = processOn(createMemoryStore(clock))
    expect(await numbers.next('accounts')).toBe(1)
    expect(await numbers.next('customers')).toBe(1)
    expect(await numbers.next('references')).toBe(1)
    expect(await numbers.next('accounts')).toBe(2)
  })

  test('that are only to differ are taken a thousand at a time', async () => {
    const store = createMemoryStore(clock)
    const numbers = await take(processOn(store), 'references', 1001)
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
    expect(store.log).toHaveLength(2)
  })

  test('are each given once, in whatever order two processes come to the log', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.constantFrom('accounts' as const, 'references' as const),
        async (scheduler, sequence) => {
          const store = createMemoryStore(clock)
          const append = scheduler.scheduleFunction(store.append)
          const processes = [1, 2].map(() => processOn({ ...store, append }))
          const given = Promise.all(processes.map((one) => take(one, sequence, 8)))
          const numbers = (await scheduler.waitFor(given)).flat()
          expect(new Set(numbers).size).toBe(16)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('are each given once after a restart, which leaves a gap at most', async () => {
    const store = createMemoryStore(clock)
    const before = await take(processOn(store), 'references', 3)
    const after = await take(processOn(store), 'references', 3)
    expect([...before, ...after]).toEqual([1, 2, 3, 1001, 1002, 1003])
    expect(await processOn(store).next('accounts')).toBe(1)
    expect(await processOn(store).next('accounts')).toBe(2)
  })

  test('are enough for a thousand who ask at once', async () => {
    const numbers = processOn(createMemoryStore(clock))
    expect(new Set(await take(numbers, 'accounts', 1000)).size).toBe(1000)
  })

  test('go on after a log that was out of reach', async () => {
    const store = createMemoryStore(clock)
    let isGone = true
    const flaky: MemoryStore = {
      ...store,
      append: (...append) =>
        isGone ? Promise.reject(new Error('out of reach')) : store.append(...append),
    }
    const numbers = processOn(flaky)
    const outcomes = await Promise.allSettled([numbers.next('accounts'), numbers.next('accounts')])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    isGone = false
    expect(await take(numbers, 'accounts', 2)).toEqual([1, 2])
  })
})

describe('a reference', () => {
  const SPACE = 36 ** 6
  const numbers = fc.integer({ min: 1, max: SPACE })

  test('is TXN, the day, and six of 0-9 and A-Z', () => {
    expect(referenceOf(1, '2026-02-10')).toMatch(/^TXN-20260210-[0-9A-Z]{6}$/)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (number) => {
        expect(referenceOf(number, '2026-02-10')).toMatch(/^TXN-20260210-[0-9A-Z]{6}$/)
      }),
    )
  })

  test('differs for all numbers of a day, up to 36 to the sixth', () => {
    fc.assert(
      fc.property(numbers, numbers, (one, other) => {
        const same = referenceOf(one, '2026-02-10') === referenceOf(other, '2026-02-10')
        expect(same).toBe(one === other)
      }),
      { numRuns: 1000 },
    )
    const many = Array.from({ length: 50_000 }, (_, n) => referenceOf(n + 1, '2026-02-10'))
    expect(new Set(many).size).toBe(many.length)
    expect(referenceOf(SPACE + 1, '2026-02-10')).toBe(referenceOf(1, '2026-02-10'))
  })

  test('can be turned back into its number, so that no two numbers share one', () => {
    // The other way round: what the stride is multiplied with to be 1.
    const space = BigInt(SPACE)
    const step = (digitsOf(2) - digitsOf(1) + space) % space
    const inverse = inverseOf(step, space)
    fc.assert(
      fc.property(numbers, (number) => {
        const back = ((((digitsOf(number) - digitsOf(0)) * inverse) % space) + space) % space
        expect(back).toBe(BigInt(number) % space)
      }),
    )
  })

  test('tells nobody how many came between two', () => {
    const [first, second, third] = [1, 2, 3].map((number) => digitsOf(number)) as [
      bigint,
      bigint,
      bigint,
    ]
    for (const distance of [second - first, third - second]) {
      expect(distance < 0n ? -distance : distance).toBeGreaterThan(1_000_000n)
    }
  })

  const digitsOf = (number: number): bigint =>
    [...referenceOf(number, '2026-02-10').slice(-6)].reduce(
      (value, digit) => value * 36n + BigInt(Number.parseInt(digit, 36)),
      0n,
    )
  /** By Euclid; fails when there is none, which is when two numbers meet. */
  const inverseOf = (value: bigint, space: bigint): bigint => {
    let [a, b, x, y] = [value, space, 1n, 0n]
    while (b !== 0n) {
      const quotient = a / b
      ;[a, b, x, y] = [b, a - quotient * b, y, x - quotient * y]
    }
    expect(a).toBe(1n)
    return ((x % space) + space) % space
  }
})
