import { beforeAll, expect, test } from 'vitest'
import { setInterestTerms } from '../commands/interest.ts'
import {
  closeAccount,
  closePeriod,
  freezeAccount,
  unfreezeAccount,
} from '../commands/ledger/index.ts'
import { placeStandingOrder } from '../commands/standing_orders.ts'
import { INTEREST_UNITS } from '../domain/interest.ts'
import { getInterest, listInterestPeriods } from '../projections/interest_queries.ts'
import { listDues } from '../projections/standing_orders.ts'
import { book, bookCash, createTicks, goTo, openSavings } from './due-support.ts'
import { answerOf, askOn } from './machine-support.ts'
import { useWorld } from './people-support.ts'

const world = useWorld()
const [FIRST, SECOND, THIRD, FOURTH, FIFTH] = ['1', '2', '3', '4', '5'].map(
  (last) => `customers:2231-000${last}`,
) as [string, string, string, string, string]

beforeAll(async () => {
  goTo(world, '2027-01-01T08:00:00.000Z')
  await openSavings(
    world,
    [1, 2, 3, 4, 5].map((last) => `2231-000${last}`),
  )
  const ask = askOn(world.ports)
  for (const account of [FIRST, SECOND, THIRD, FOURTH, FIFTH]) {
    answerOf(await ask(setInterestTerms, { book, account, rate_bp: 1200 }))
  }
})

const asker = () => ({ id: 'root', reach: 'all' as const, at: world.ports.clock() })
const periodsOf = async (account: string) => {
  const { database, ports } = world
  const input = { book, account, limit: 50 }
  return (await listInterestPeriods.run(database, input, asker(), ports.vault))?.items ?? []
}
const balanceOf = async (account: string): Promise<string> => {
  const { rows } = await world.database.query('select balance from accounts where account = $1', [
    account,
  ])
  return rows[0].balance
}

test('an order may pay out what interest has paid in, and not what it will', async () => {
  const tick = await createTicks(world)
  const ask = askOn(world.ports)
  answerOf(await bookCash(world, FIRST, 100_000, '2027-01-01'))
  const once = { book, from: FIRST, to: SECOND, frequency: 'once' as const }
  const place = async (starts_on: string, amount: string) =>
    answerOf(await ask(placeStandingOrder, { ...once, starts_on, amount })).order
  // A per cent a month, about: 104,000 are there on the first of June, and not before.
  const early = await place('2027-03-01', '104000')
  const later = await place('2027-06-01', '104000')
  await tick('2027-07-01T08:00:00.000Z')
  const dueOf = async (order: string) => {
    const { database, ports } = world
    const page = await listDues.run(database, { order, limit: 5 }, asker(), ports.vault)
    return page?.items[0]
  }
  expect(await dueOf(early)).toMatchObject({ status: 'missed', code: 'INSUFFICIENT_FUNDS' })
  expect(await dueOf(later)).toMatchObject({ status: 'executed', due: '2027-06-01' })
})

test('what counts from a month that was paid is made up for with the next', async () => {
  const tick = await createTicks(world)
  answerOf(await bookCash(world, THIRD, 36_500, '2027-07-01'))
  await tick('2027-08-01T08:00:00.000Z')
  // 365.00 x 12 % x 31 / 365
  expect((await periodsOf(THIRD))[0]).toMatchObject({ from: '2027-07-01', amount: '372' })
  // Ten days of July with 36,500 more, which were learnt of in August.
  answerOf(await bookCash(world, THIRD, 36_500, '2027-07-22'))
  const { database, ports } = world
  goTo(world, '2027-08-02T08:00:00.000Z')
  await tick('2027-08-02T08:00:00.000Z')
  const now = await getInterest.run(database, { book, account: THIRD }, asker(), ports.vault)
  const dayOf73000 = 73_000n * 1200n + 372n * 1200n
  expect(now).toMatchObject({ accrues_from: '2027-08-01', through: '2027-08-01' })
  expect(now?.owed).toBe(10n * 36_500n * 1200n + dayOf73000)
  await tick('2027-09-01T08:00:00.000Z')
  const [august] = await periodsOf(THIRD)
  const owed = 10n * 36_500n * 1200n + 31n * dayOf73000
  expect(august?.amount).toBe(((owed + INTEREST_UNITS / 2n) / INTEREST_UNITS).toString())
})

test('a frozen account is paid when it is not any more, and a closed one never', async () => {
  const tick = await createTicks(world)
  const ask = askOn(world.ports)
  const day = world.ports.clock().toISOString().slice(0, 10)
  answerOf(await bookCash(world, FOURTH, 36_500, day))
  answerOf(await ask(freezeAccount, { book, account: FOURTH, reason: 'Why not' }))
  const idle = (await periodsOf(FIFTH)).length
  answerOf(await ask(closeAccount, { book, account: FIFTH, reason: 'Unused' }))
  await tick('2027-12-01T08:00:00.000Z')
  expect(await periodsOf(FOURTH)).toMatchObject([
    { through: '2027-08-31' },
    {},
    {},
    {},
    {},
    {},
    {},
    {},
  ])
  answerOf(await ask(unfreezeAccount, { book, account: FOURTH, reason: 'Why not' }))
  await tick('2027-12-01T09:00:00.000Z')
  const [november, october, september] = await periodsOf(FOURTH)
  expect(september).toMatchObject({ amount: '360', value_date: '2027-10-01' })
  // Of what it has borne before, too.
  expect(october).toMatchObject({ amount: '376', value_date: '2027-11-01' })
  expect(november).toMatchObject({ amount: '367', value_date: '2027-12-01' })
  expect(await periodsOf(FIFTH)).toHaveLength(idle)
})

test('what is paid behind the closing of its books counts from their first open day', async () => {
  const tick = await createTicks(world)
  const ask = askOn(world.ports)
  goTo(world, '2028-01-20T08:00:00.000Z')
  answerOf(await ask(closePeriod, { book, through: '2028-01-15' }))
  const before = await balanceOf(FOURTH)
  await tick('2028-01-20T09:00:00.000Z')
  const [december] = await periodsOf(FOURTH)
  expect(december).toMatchObject({ through: '2027-12-31', value_date: '2028-01-16' })
  expect(BigInt(await balanceOf(FOURTH)) - BigInt(before)).toBe(BigInt(december?.amount ?? 0))
})
