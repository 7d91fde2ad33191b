import { beforeAll, expect, test } from 'vitest'
import {
  approveCashAdvance,
  disburseCashAdvance,
  requestCashAdvance,
} from '../commands/cash_advances.ts'
import {
  approveCheckDeposit,
  returnCheckDeposit,
  submitCheckDeposit,
} from '../commands/check_deposits.ts'
import { openDeposit } from '../commands/deposits.ts'
import { openBook } from '../commands/ledger/index.ts'
import {
  carryOutPayment,
  openPaymentAccounts,
  requestCounterPayment,
} from '../commands/payments/index.ts'
import { approveRefund, requestRefund } from '../commands/refunds.ts'
import { registerUser } from '../commands/users.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Book } from '../domain/ledger/state.ts'
import { bookUnbooked } from '../infra/unbooked.ts'
import { projections } from '../projections/index.ts'
import { answerOf, askOn } from './machine-support.ts'
import { useWorld } from './people-support.ts'

const book = 'main'
const asset = 'GHS/2'
const world = useWorld()
const manager = { actor: { id: 'manager', roles: ['manager' as const] } }
const cashier = { actor: { id: 'cashier', roles: ['cashier' as const] } }
const image = { attachment: 'x'.repeat(43), media_type: 'image/png', bytes: 70 }

let account = ''

beforeAll(async () => {
  const ask = askOn(world.ports)
  answerOf(await ask(openBook, { book, name: 'Main', assets: [asset] }))
  answerOf(await ask(openPaymentAccounts, { book, asset }))
  const password = 'a long enough password'
  const ama = { user: 'ama', username: 'ama', password, name: 'Ama', roles: ['customer' as const] }
  answerOf(await ask(registerUser, ama))
  const opened = await ask(openDeposit, { book, asset, customer: 'ama', product: 'daily_susu' })
  account = answerOf(opened).account
})

const stands = async (code: string): Promise<bigint | undefined> => {
  const { state } = await world.ports.engine.look(Ledger, `book-${book}`)
  return (state as Book).accounts.get(code)?.balance
}

/** Each decided on, by somebody who ended before he had the ledger book it. */
const leaveBehind = async () => {
  const ask = askOn(world.ports)
  const cash = { book, kind: 'deposit' as const, account, amount: '5000' }
  const { payment } = answerOf(await ask(requestCounterPayment, cash))
  answerOf(await ask(carryOutPayment, { payment }))
  const wanted = { payment, amount: '2000', reason: 'other' as const }
  const { refund } = answerOf(await ask(requestRefund, wanted))
  answerOf(await ask(approveRefund, { payment, refund }, manager))

  const asked = { book, asset, amount: '700', repayment_date: '2099-01-01', reason: 'Fees' }
  const { advance } = answerOf(await ask(requestCashAdvance, asked, cashier))
  answerOf(await ask(approveCashAdvance, { advance }, manager))
  answerOf(await ask(disburseCashAdvance, { advance }, manager))

  const pictures = { bank_name: 'Volta Bank', front: image, back: image }
  const given = { book, account, amount: '300', ...pictures }
  const { check } = answerOf(await ask(submitCheckDeposit, given, cashier))
  answerOf(await ask(approveCheckDeposit, { check }, manager))
  return check
}

test('what was decided on by a process that ended is booked by the clock, once', async () => {
  const { ports, database } = world
  const caughtUp = await world.project(projections)
  const check = await leaveBehind()
  const catchUp = async () => {
    await caughtUp(await ports.store.head())
    return bookUnbooked({ ports, database }, world.context(manager.actor))
  }
  // Whoever decided is still at work on it, as far as anybody knows.
  expect(await catchUp()).toBe(false)
  expect(await stands(account)).toBe(5000n)
  world.advance(10_000)
  expect(await catchUp()).toBe(true)
  expect(await stands(account)).toBe(3300n)
  expect(await stands('receivables:cash-advances:ghs:cashier')).toBe(700n)
  expect(await stands('cash:counter:ghs')).toBe(5000n - 2000n - 700n)
  expect(await stands('clearing:checks:ghs')).toBe(300n)
  expect(await catchUp()).toBe(false)

  answerOf(await askOn(ports)(returnCheckDeposit, { check }, cashier))
  world.advance(10_000)
  expect(await catchUp()).toBe(true)
  expect(await stands(account)).toBe(3000n)
  expect(await catchUp()).toBe(false)
})
