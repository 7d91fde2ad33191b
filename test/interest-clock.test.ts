/** A year of savings: a clock that looks every day, and one that looks when the year is over. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { setInterestTerms } from '../commands/interest.ts'
import { placeStandingOrder } from '../commands/standing_orders.ts'
import { dayAfter } from '../domain/calendar.ts'
import { book, bookCash, createTicks, goTo, openSavings } from './due-support.ts'
import { answerOf, askOn } from './machine-support.ts'
import { useWorld, type World } from './people-support.ts'

/** Of a year that has a 29th of February. */
const FIRST = '2028-01-01'
const DAYS = 366
const numbers = Array.from({ length: 6 }, (_, index) => `2231-000${index}`)
const accounts = numbers.map((number) => `customers:${number}`)

const watched = useWorld()
const forgotten = useWorld()

const day = fc.integer({ min: 0, max: DAYS - 1 }).map((days) => dayAfter(FIRST, days))
const account = fc.constantFrom(...accounts)
const rates = fc.array(
  fc.record({ account, rate_bp: fc.constantFrom(0, 1, 333, 850, 2400, 10_000), from: day }),
  { minLength: 8, maxLength: 16 },
)
const bookings = fc.array(
  fc.record({ account, amount: fc.integer({ min: -300_000, max: 900_000 }).filter(Boolean), day }),
  { minLength: 20, maxLength: 40 },
)
const orders = fc.array(
  fc.record({
    ...{ from: account, to: account, amount: fc.constantFrom('1', '4999', '70000') },
    frequency: fc.constantFrom('once' as const, 'weekly' as const, 'monthly' as const),
    starts_on: day,
    count: fc.option(fc.integer({ min: 1, max: 20 })),
  }),
  { minLength: 6, maxLength: 12 },
)
const years = fc.record({ rates, bookings, orders })
type Year = typeof years extends fc.Arbitrary<infer Value> ? Value : never

/** Everything that is asked for in the year is asked for on its first day. */
const begin = async (world: World, { rates, bookings, orders }: Year): Promise<void> => {
  goTo(world, `${FIRST}T08:00:00.000Z`)
  await openSavings(world, numbers)
  const ask = askOn(world.ports)
  for (const { account, rate_bp, from } of rates) {
    answerOf(await ask(setInterestTerms, { book, account, rate_bp, from }))
  }
  // What an account does not have is refused, in both.
  for (const { account, amount, day } of bookings) await bookCash(world, account, amount, day)
  for (const [index, order] of orders.entries()) {
    // With a key, so that both have the same ids, and the same order on the same day.
    await ask(placeStandingOrder, { book, ...order }, { key: `order-${index}` })
  }
}

const outcomeOf = async ({ database }: World) => {
  const rowsOf = async (sql: string) => (await database.query(sql)).rows
  return {
    interest: await rowsOf(
      `select account, from_day, through, earned, owed, amount, value_date, entry
       from interest_periods order by account, through`,
    ),
    dues: await rowsOf(
      'select order_id, due, status, payment, code from standing_order_dues order by 1, 2',
    ),
    orders: await rowsOf('select order_id, status, next_due from standing_orders order by 1'),
    balances: await rowsOf('select account, balance from accounts order by account'),
    lines: await rowsOf(
      `select account, value_date, direction, amount, kind from entry_lines
       order by account, value_date, kind, direction, amount`,
    ),
  }
}

// On a busy machine a look for each day of a year takes a while.
const PATIENCE_MS = 180_000

test('comes to the same, to the last unit and day', { timeout: PATIENCE_MS }, async () => {
  const seed = Date.now()
  const [year] = fc.sample(years, { seed, numRuns: 1 }) as [Year]
  const ends = `${dayAfter(FIRST, DAYS)}T08:00:00.000Z`
  for (const world of [watched, forgotten]) await begin(world, year)
  const daily = await createTicks(watched)
  for (let days = 0; days < DAYS; days += 1) {
    await daily(`${dayAfter(FIRST, days)}T23:00:00.000Z`)
  }
  await daily(ends)
  const late = await createTicks(forgotten)
  const rounds = await late(ends)
  const [expected, found] = [await outcomeOf(watched), await outcomeOf(forgotten)]
  expect(found, `seed ${seed}`).toEqual(expected)
  // There was something to compare, and a year takes few looks.
  expect(expected.interest.length, `seed ${seed}`).toBeGreaterThan(12)
  expect(expected.dues.length, `seed ${seed}`).toBeGreaterThan(5)
  expect(rounds).toBeLessThan(40)
})
