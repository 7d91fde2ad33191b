/** What the tests of auditing and exports share: a small bank with something of everything. */
import type { z } from 'zod'
import { type Command, execute } from '../commands/kernel.ts'
import {
  captureHold,
  closePeriod,
  freezeAccount,
  openAccount,
  openBook,
  placeHold,
  postBatch,
  postEntry,
  postTransfer,
  releaseHold,
  reverseEntry,
} from '../commands/ledger/index.ts'
import type { Ports } from '../commands/ports.ts'
import { entriesOf } from '../domain/ledger/events.ts'
import type { EventStore } from '../domain/log.ts'
import { accepted, administrator } from './people-support.ts'

/** Finds entries by reading the book, so that no read model has to be there. */
export const indexOver = (store: EventStore): Ports['index'] => ({
  locate: async (book, entry) => {
    for await (const { type, data, revision } of store.readStream(`book-${book}`)) {
      const entries = entriesOf({ type, data: data as object })
      if (entries.some(({ id }) => id === entry)) return revision
    }
    return undefined
  },
})

export const hour = (hours: number): Date =>
  new Date(Date.parse('2026-01-10T00:00:00.000Z') + hours * 3_600_000)

/** Carries out a command as the administrator; answers its answer and where it stands in the log. */
export const doing =
  (ports: Ports) =>
  async <Input extends z.ZodType, Values, Answer>(
    command: Command<Input, Values, Answer>,
    input: z.input<Input>,
    at: Date,
  ) => {
    const parsed = command.input.parse(input)
    const context = { actor: administrator, at, correlation: 'test' }
    const { answer, position } = accepted(await execute(ports, command, parsed, context))
    return { answer, position: position?.commit.toString() ?? '' }
  }

/**
 * A book over a few days: accounts of several types and two assets, transfers, an exchange, a batch,
 * a reversal, holds that are open, captured and released, a frozen account and a closed period.
 */
export const liveThrough = async (ports: Ports, book: string) => {
  const act = doing({ ...ports, index: indexOver(ports.store) })
  await act(openBook, { book, name: 'Test', assets: ['USD/2', 'KES/2'] }, hour(0))
  const account = (
    code: string,
    type: 'asset' | 'liability' | 'income' | 'equity',
    asset = 'USD/2',
  ) =>
    act(
      openAccount,
      {
        ...{ book, account: code, type, asset, name: `=${code}` },
        overdraft_limit: type === 'liability' ? '0' : 'unlimited',
        owner: type === 'liability' ? code.replace(':', '-') : null,
      },
      hour(0),
    )
  await account('cash', 'asset')
  await account('cash-kes', 'asset', 'KES/2')
  await account('exchange', 'equity')
  await account('exchange-kes', 'equity', 'KES/2')
  await account('fees', 'income')
  for (const name of ['ann', 'ben', 'cleo']) await account(`customers:${name}`, 'liability')

  const transfer = (from: string, to: string, amount: string, at: Date, more: object = {}) =>
    act(postTransfer, { book, from, to, amount, ...more }, at)
  await transfer('cash', 'customers:ann', '100000', hour(1), { description: '=1+1' })
  const early = await transfer('cash', 'customers:ben', '50000', hour(2))
  await transfer('customers:ann', 'customers:ben', '2500', hour(30), { description: '@home, "x"' })
  const exchange = {
    ...{ book, kind: 'exchange', description: '-5 off' },
    lines: [
      { account: 'cash', direction: 'credit' as const, amount: '1000' },
      { account: 'exchange', direction: 'debit' as const, amount: '1000' },
      { account: 'cash-kes', direction: 'debit' as const, amount: '129000' },
      { account: 'exchange-kes', direction: 'credit' as const, amount: '129000' },
    ],
  }
  await act(postEntry, exchange, hour(31))
  const fee = (from: string, amount: string) => ({
    kind: 'fee',
    lines: [
      { account: from, direction: 'debit' as const, amount },
      { account: 'fees', direction: 'credit' as const, amount },
    ],
  })
  const batch = { book, entries: [fee('customers:ann', '25'), fee('customers:ben', '30')] }
  const { answer: fees } = await act(postBatch, batch, hour(32))
  await act(reverseEntry, { book, entry: fees.entries[1]?.id ?? '' }, hour(33))
  const hold = (name: string, amount: string) =>
    act(placeHold, { book, account: `customers:${name}`, amount }, hour(34))
  const captured = await hold('ann', '700')
  const released = await hold('ann', '800')
  await hold('ben', '900')
  const to = 'customers:cleo'
  await act(captureHold, { book, hold: captured.answer.id, to, amount: '300' }, hour(35))
  const { position } = await act(releaseHold, { book, hold: released.answer.id }, hour(36))
  await act(closePeriod, { book, through: '2026-01-10' }, hour(50))
  await transfer('cash', 'customers:cleo', '1', hour(51), {
    hold_until: '2027-01-01T00:00:00.000Z',
  })
  await act(freezeAccount, { book, account: 'customers:cleo', reason: 'asked for' }, hour(52))
  return { early, released: position }
}
