import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bringForward, openDeposit } from '../commands/deposits.ts'
import { freezeAccount, openBook, unfreezeAccount } from '../commands/ledger/index.ts'
import {
  approveLoan,
  carryOutLoan,
  repayLoan,
  requestLoan,
  writeOffLoan,
} from '../commands/loans/index.ts'
import { openPaymentAccounts } from '../commands/payments/index.ts'
import type { Ports } from '../commands/ports.ts'
import { registerUser } from '../commands/users.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Book } from '../domain/ledger/state.ts'
import { workOnLoans } from '../infra/loans.ts'
import { SYSTEM } from '../infra/system.ts'
import { projections } from '../projections/index.ts'
import { getLoan } from '../projections/loans/queries.ts'
import { answerOf, askOn, codeOf } from './machine-support.ts'
import { typesIn, useWorld } from './people-support.ts'

const book = 'main'
const asset = 'GHS/2'
const boss = { actor: { id: 'boss', roles: ['manager' as const] } }
const world = useWorld()
const opened = { account: '' }

beforeAll(async () => {
  const ask = askOn(world.ports)
  answerOf(await ask(openBook, { book, name: 'Main', assets: [asset] }))
  answerOf(await ask(openPaymentAccounts, { book, asset }))
  const password = 'a long enough password'
  const ama = { user: 'ama', username: 'ama', password, name: 'Ama', roles: ['customer' as const] }
  answerOf(await ask(registerUser, ama))
})

beforeEach(async () => {
  const wanted = { book, asset, customer: 'ama', product: 'member_savings' as const }
  opened.account = answerOf(await askOn(world.ports)(openDeposit, wanted)).account
})

const file = async (): Promise<string> => {
  const terms = { book, asset, borrower: 'ama', amount: '60000' }
  const ask = askOn(world.ports)
  const asked = { ...terms, rate_basis_points: 1200, term_months: 3 }
  return answerOf(await ask(requestLoan, asked)).loan
}

const approve = (loan: string, more: object = boss) =>
  askOn(world.ports)(approveLoan, { loan, account: opened.account }, more)
const carryOut = (loan: string, step: string, ports: Ports = world.ports) =>
  askOn(ports)(carryOutLoan, { loan, step }, { ports })
const repay = (loan: string, amount: string, more: object = {}) =>
  askOn(world.ports)(repayLoan, { loan, account: opened.account, amount }, more)
const stands = async (code = opened.account): Promise<bigint | undefined> => {
  const { state } = await world.ports.engine.look(Ledger, `book-${book}`)
  return (state as Book).accounts.get(code)?.balance
}

/** The clock's work, until there is none. */
const schedule = async () => {
  const { ports, database } = world
  const caughtUp = await world.project(projections)
  return {
    work: async () => {
      await caughtUp(await ports.store.head())
      const context = { actor: SYSTEM, at: ports.clock(), correlation: 'test' }
      const worked = await workOnLoans({ ports, database }, context)
      await caughtUp(await ports.store.head())
      return worked
    },
    statusOf: async (loan: string) => {
      const asker = { id: 'root', reach: 'all', at: ports.clock() } as const
      return (await getLoan.run(database, { loan }, asker, ports.vault))?.status
    },
  }
}

describe('what was decided on by a process that ended', () => {
  test('is booked by the clock ten seconds later, once', async () => {
    const { work, statusOf } = await schedule()
    const loan = await file()
    answerOf(await approve(loan))
    // Whoever approved it is still at work on it, as far as anybody knows.
    expect(await work()).toBe(false)
    expect([await statusOf(loan), await stands()]).toEqual(['approved', 0n])
    world.advance(10_000)
    expect(await work()).toBe(true)
    expect([await statusOf(loan), await stands()]).toEqual(['active', 60_000n])

    answerOf(await repay(loan, '20000'))
    world.advance(10_000)
    expect(await work()).toBe(true)
    expect(await stands()).toBe(40_000n)
    expect(await work()).toBe(false)
  })

  test('is written off by the clock, too, and in arrears before that', async () => {
    const { work, statusOf } = await schedule()
    const loan = await file()
    answerOf(await approve(loan))
    answerOf(await carryOut(loan, 'disburse'))
    world.advance(130 * 86_400_000)
    expect(await work()).toBe(true)
    expect(await statusOf(loan)).toBe('defaulted')
    const chief = { actor: { id: 'chief', roles: ['manager' as const] } }
    const ask = askOn(world.ports)
    answerOf(await ask(writeOffLoan, { loan, reason: 'Moved away' }, chief))
    expect(await work()).toBe(false)
    world.advance(10_000)
    expect(await work()).toBe(true)
    expect(await statusOf(loan)).toBe('written_off')
  })
})

test('two processes that pay out at once pay out once', async () => {
  const loan = await file()
  answerOf(await approve(loan))
  const processes = [world.ports, world.anotherProcess(), world.anotherProcess()]
  const outcomes = await Promise.all(
    processes.flatMap((ports) => [1, 2, 3].map(() => carryOut(loan, 'disburse', ports))),
  )
  expect(outcomes.map(codeOf)).toEqual(outcomes.map(() => undefined))
  expect(await stands()).toBe(60_000n)
  expect(await typesIn(world.ports.store, `loan-${loan}`)).toEqual([
    ...['LoanRequested', 'LoanApproved', 'LoanDisbursed'],
  ])
})

test('an account that is frozen meanwhile gets nothing, and the loan waits again', async () => {
  const loan = await file()
  answerOf(await approve(loan))
  const ask = askOn(world.ports)
  const frozen = { book, account: opened.account, reason: 'Lost' }
  answerOf(await ask(freezeAccount, frozen))
  const outcome = await carryOut(loan, 'disburse')
  expect(codeOf(outcome)).toBe('ACCOUNT_FROZEN')
  expect(codeOf(await carryOut(loan, 'disburse'))).toBe('ACCOUNT_FROZEN')
  expect(await stands()).toBe(0n)
  expect(codeOf(await approve(loan))).toBe('LOAN_ACCOUNT_UNFIT')
  answerOf(await ask(unfreezeAccount, frozen))
  answerOf(await approve(loan))
  answerOf(await carryOut(loan, 'disburse'))
  expect(await stands()).toBe(60_000n)
})

test('a repayment that is asked for again with its key, when its money is spent, was made', async () => {
  const loan = await file()
  answerOf(await approve(loan))
  answerOf(await carryOut(loan, 'disburse'))
  const first = answerOf(await repay(loan, '60000', { key: 'once' }))
  answerOf(await carryOut(loan, first.step))
  expect(answerOf(await repay(loan, '60000', { key: 'once' }))).toEqual(first)
  answerOf(await carryOut(loan, first.step))
  expect(await stands()).toBe(0n)
})

test('a dry run of each step leaves nothing behind', async () => {
  const dryRun = { dryRun: true }
  const ask = askOn(world.ports)
  const terms = { book, asset, borrower: 'ama', amount: '60000', rate_basis_points: 0 }
  answerOf(await ask(requestLoan, { ...terms, term_months: 1 }, dryRun))
  const loan = await file()
  answerOf(await approve(loan, { ...boss, ...dryRun }))
  expect(await typesIn(world.ports.store, `loan-${loan}`)).toEqual(['LoanRequested'])
  answerOf(await approve(loan))
  answerOf(await carryOut(loan, 'disburse'))
  answerOf(await ask(bringForward, { book, account: opened.account, amount: '100' }))
  answerOf(await repay(loan, '100', dryRun))
  expect(await stands()).toBe(60_100n)
})
