import { beforeAll, expect, test } from 'vitest'
import { assignClient } from '../commands/assignments.ts'
import { orderPayout } from '../commands/commissions.ts'
import { lookAtAccount, openDeposit } from '../commands/deposits.ts'
import { execute } from '../commands/kernel.ts'
import { openBook } from '../commands/ledger/index.ts'
import {
  carryOutPayment,
  openPaymentAccounts,
  requestCounterPayment,
} from '../commands/payments/index.ts'
import { openTill } from '../commands/tills.ts'
import { registerUser } from '../commands/users.ts'
import { runSchedule, type Schedule } from '../infra/schedule.ts'
import { listPayouts } from '../projections/commissions.ts'
import { projections } from '../projections/index.ts'
import { answerOf, askOn } from './machine-support.ts'
import { accepted, administrator, useWorld } from './people-support.ts'

const book = 'main'
const asset = 'GHS/2'
const world = useWorld()
const yaw = { actor: { id: 'yaw', roles: ['mobile_banker' as const] } }

beforeAll(async () => {
  const ask = askOn(world.ports)
  answerOf(await ask(openBook, { book, name: 'Main', assets: [asset] }))
  answerOf(await ask(openPaymentAccounts, { book, asset }))
  const password = 'a long enough password'
  const people = { ama: 'customer', yaw: 'mobile_banker' } as const
  for (const [user, role] of Object.entries(people)) {
    const person = { user, username: user, name: user, password, roles: [role] }
    answerOf(await ask(registerUser, person))
  }
  answerOf(await ask(assignClient, { user: 'ama', banker: 'yaw' }))
})

const scheduled = async (): Promise<Schedule['catchUp']> => {
  const { ports, database } = world
  const caughtUp = await world.project(projections)
  const stopping = new AbortController()
  stopping.abort()
  const log = { error: () => undefined } as never
  const freshness = { waitFor: async () => true, close: async () => undefined }
  const options = { ports, database, freshness, log, signal: stopping.signal }
  const { catchUp } = runSchedule(options)
  return async () => {
    await caughtUp(await ports.store.head())
    return catchUp()
  }
}

const stands = async (account: string): Promise<bigint | undefined> =>
  (await lookAtAccount(world.ports, book, account))?.balance

test('what a process left of commissions and tills is booked by the clock, once', async () => {
  const { ports, database } = world
  const ask = askOn(ports)
  const open = async (customer: string) => {
    const wanted = { book, asset, customer, product: 'daily_susu' as const }
    return answerOf(await ask(openDeposit, wanted)).account
  }
  const amas = await open('ama')
  const yaws = await open('yaw')
  const cash = { book, kind: 'deposit' as const, account: amas, amount: '10000' }
  const { payment } = answerOf(await ask(requestCounterPayment, cash, yaw))
  answerOf(await ask(carryOutPayment, { payment }))
  const catchUp = await scheduled()

  expect(await catchUp()).toBe(true)
  expect(await catchUp()).toBe(false)
  expect(await stands('payable:commissions:ghs:yaw')).toBe(100n)

  // Two that are ordered at once, and a till, of processes that end before the ledger is asked.
  const order = { agent: 'yaw', book, asset, account: yaws }
  answerOf(await ask(orderPayout, order))
  answerOf(await ask(orderPayout, order))
  const opening = { book, asset, float: '300' }
  const ending = { ...openTill, after: async () => undefined }
  accepted(await execute(ports, ending, opening, world.context(administrator)))
  expect(await catchUp()).toBe(false)
  world.advance(10_000)
  expect(await catchUp()).toBe(true)
  expect(await catchUp()).toBe(false)
  expect(await stands(yaws)).toBe(100n)
  expect(await stands('payable:commissions:ghs:yaw')).toBe(0n)
  expect(await stands('cash:tills:ghs:root')).toBe(300n)

  const asker = { id: 'root', reach: 'all', at: ports.clock() } as const
  const asked = listPayouts.input.parse({})
  const { items } = await listPayouts.run(database, asked, asker, ports.vault)
  expect(items.map(({ status, failure }) => [status, failure]).sort()).toEqual([
    ['failed', 'INSUFFICIENT_FUNDS'],
    ['paid', null],
  ])
})
