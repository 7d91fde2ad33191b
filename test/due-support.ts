/** What the tests of interest and standing orders share: a savings bank, and a clock for it. */
import { onTestFinished } from 'vitest'
import { registerCustomer } from '../commands/customers.ts'
import { openDeposit } from '../commands/deposits.ts'
import { newUlid } from '../commands/ids.ts'
import { openBook, postEntry } from '../commands/ledger/index.ts'
import { openPaymentAccounts } from '../commands/payments/index.ts'
import { pairOf } from '../domain/ledger/lines.ts'
import { carryOutDue } from '../infra/due.ts'
import { SYSTEM } from '../infra/system.ts'
import { followFreshness } from '../projections/freshness.ts'
import { projections } from '../projections/index.ts'
import { answerOf, askOn } from './machine-support.ts'
import type { World } from './people-support.ts'

export const book = 'main'
const asset = 'GHS/2'
const COUNTER = 'cash:counter:ghs'

const log = { info: () => undefined, error: () => undefined } as never

export const goTo = ({ ports, advance }: World, instant: string): void =>
  advance(Date.parse(instant) - ports.clock().getTime())

/** A bank with a customer's accounts, which nothing is in. */
export const openSavings = async (world: World, numbers: readonly string[]): Promise<void> => {
  const ask = askOn(world.ports)
  answerOf(await ask(openBook, { book, name: 'Main', assets: [asset] }))
  answerOf(await ask(openPaymentAccounts, { book, asset }))
  const { customer } = answerOf(await ask(registerCustomer, { name: 'Ama' }))
  for (const account_number of numbers) {
    const wanted = { book, asset, customer, account_number, product: 'member_savings' as const }
    answerOf(await ask(openDeposit, { ...wanted, velocity_limits: [] }))
  }
}

/** Cash in (more than 0) or out, which counts from a day on. */
export const bookCash = (world: World, account: string, amount: number, value_date: string) => {
  const [debit, credit] = amount > 0 ? [COUNTER, account] : [account, COUNTER]
  const lines = [...pairOf(debit, credit, `${Math.abs(amount)}`)]
  return askOn(world.ports)(postEntry, { book, kind: 'deposit', lines, value_date })
}

/** A clock that looks when it is told to, until nothing is due any more; how often that was. */
export const createTicks = async (world: World) => {
  const { ports, database } = world
  const caughtUp = await world.project(projections)
  const freshness = await followFreshness(database, log)
  onTestFinished(() => freshness.close())
  const { signal } = new AbortController()
  const tick = async (instant: string): Promise<number> => {
    goTo(world, instant)
    const options = { ports, database, freshness, log, signal }
    for (let rounds = 0; ; rounds += 1) {
      await caughtUp(await ports.store.head())
      const context = { actor: SYSTEM, at: ports.clock(), correlation: newUlid() }
      if (!(await carryOutDue(options, context))) return rounds
    }
  }
  return tick
}
