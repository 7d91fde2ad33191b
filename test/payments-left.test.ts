import { beforeAll, expect, test } from 'vitest'
import { openDeposit } from '../commands/deposits.ts'
import { addAsset, openBook } from '../commands/ledger/index.ts'
import {
  openPaymentAccounts,
  requestCounterPayment,
  requestPayment,
} from '../commands/payments/index.ts'
import { registerUser } from '../commands/users.ts'
import { runSchedule } from '../infra/schedule.ts'
import { projections } from '../projections/index.ts'
import { getPayment } from '../projections/payment_queries.ts'
import { answerOf, askOn } from './machine-support.ts'
import { useWorld } from './people-support.ts'

const book = 'main'
const asset = 'GHS/2'
const world = useWorld()

beforeAll(async () => {
  const ask = askOn(world.ports)
  answerOf(await ask(openBook, { book, name: 'Main', assets: ['USD/2'] }))
  answerOf(await ask(addAsset, { book, asset }))
  answerOf(await ask(openPaymentAccounts, { book, asset }))
  const password = 'a long enough password'
  const ama = { user: 'ama', username: 'ama', password, name: 'Ama', roles: ['customer' as const] }
  answerOf(await ask(registerUser, ama))
})

test('what was let pass by a process that ended is carried out by the clock, once', async () => {
  const { ports, database } = world
  const ask = askOn(ports)
  const opened = await ask(openDeposit, { book, asset, customer: 'ama', product: 'daily_susu' })
  const { account } = answerOf(opened)
  const caughtUp = await world.project(projections)
  const cash = { book, kind: 'deposit' as const, account, amount: '5000' }
  const { payment } = answerOf(await ask(requestCounterPayment, cash))
  const waiting = { book, kind: 'deposit' as const, to: account, amount: '1', propose: true }
  const { payment: pending } = answerOf(await ask(requestPayment, waiting))

  const stopping = new AbortController()
  stopping.abort()
  const log = { error: () => undefined } as never
  const { signal } = stopping
  const freshness = { waitFor: async () => true, close: async () => undefined }
  const schedule = runSchedule({ ports, database, freshness, log, signal })
  const statusOf = async (id: string) => {
    await caughtUp(await ports.store.head())
    const asker = { id: 'root', reach: 'all', at: ports.clock() } as const
    return (await getPayment.run(database, { payment: id }, asker, ports.vault))?.status
  }
  await caughtUp(await ports.store.head())
  // Whoever asked for it is still at work on it, as far as anybody knows.
  expect(await schedule.catchUp()).toBe(false)
  expect(await statusOf(payment)).toBe('accepted')
  world.advance(10_000)
  expect(await schedule.catchUp()).toBe(true)
  expect(await statusOf(payment)).toBe('completed')
  expect(await statusOf(pending)).toBe('pending')
  expect(await schedule.catchUp()).toBe(false)
})
