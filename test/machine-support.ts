/** What the tests of cards, machines and deposits share: a branch with a machine, in memory. */
import type { z } from 'zod'
import { logInWithCard } from '../commands/cards.ts'
import {
  type Actor,
  type Command,
  type Context,
  execute,
  type Ports,
  type Receipt,
} from '../commands/kernel.ts'
import { isRefusal, type Refusal } from '../domain/kernel.ts'
import { Ledger } from '../domain/ledger/index.ts'
import { available, type Book } from '../domain/ledger/state.ts'
import type { RefusalCode } from '../domain/refusals.ts'
import { type MachineSeed, seedMachine } from '../infra/seed/machine.ts'
import { createMemoryPorts, type MemoryPorts } from './support/memory.ts'

/** A Tuesday. */
export const NOON = '2026-03-10T12:00:00.000Z'
const BEFORE = new Date('2026-01-01T00:00:00.000Z')

export const CHECKING = 'customers:1000-0001-0001'
export const SAVINGS = 'customers:1000-0001-0002'
export const BENS = 'customers:1000-0002-0001'
export const ADAS_CARD = { card_number: '4000-0001', pin: '7391' }

/** Ada has 1,000.00 and 500.00 of savings, Ben has 100.00. */
export const people: MachineSeed['customers'] = [
  {
    customer: 'Ada Byron',
    accounts: [
      {
        ref: 'checking',
        account_number: '1000-0001-0001',
        account_type: 'CHECKING',
        balance_cents: 100_000,
        status: 'ACTIVE',
      },
      {
        ref: 'savings',
        account_number: '1000-0001-0002',
        account_type: 'SAVINGS',
        balance_cents: 50_000,
        status: 'ACTIVE',
      },
    ],
    cards: [{ ...ADAS_CARD, account: 'checking', status: 'ACTIVE' }],
  },
  {
    customer: 'Ben Novak',
    accounts: [
      {
        ref: 'bens',
        account_number: '1000-0002-0001',
        account_type: 'CHECKING',
        balance_cents: 10_000,
        status: 'ACTIVE',
      },
    ],
    cards: [{ card_number: '4000-0002', pin: '8024', account: 'bens', status: 'ACTIVE' }],
  },
]

export const staff: Actor = { id: 'root', roles: ['admin'] }

/** The answer of what must not have been refused. */
export const answerOf = <Answer>(outcome: Receipt<Answer> | Refusal): Answer => {
  if (isRefusal(outcome)) throw new Error(`refused: ${outcome.refused}: ${outcome.detail}`)
  return outcome.answer
}

/** The code with which it was refused; undefined when it was not. */
export const codeOf = (outcome: object): RefusalCode | undefined =>
  isRefusal(outcome) ? outcome.refused : undefined

export type Branch = {
  readonly ports: MemoryPorts
  /** Sets the clock. */
  go(at: string): void
  /** Runs a command as staff, or as somebody else; `ports` may be another process's. */
  ask<Input extends z.ZodType, Values, Answer>(
    command: Command<Input, Values, Answer>,
    input: z.input<Input>,
    more?: Partial<Context> & { readonly ports?: Ports },
  ): Promise<Receipt<Answer> | Refusal>
  logIn(
    card?: { readonly card_number: string; readonly pin: string },
    ports?: Ports,
  ): ReturnType<typeof logInWithCard.run>
  /** Who owns an account, as he stands at a machine. */
  holder(account: string): Promise<{ readonly actor: Actor }>
  /** What an account stands at, and how much of it is free. */
  stands(account: string): Promise<{ readonly balance: bigint; readonly available: bigint }>
  /** Types of the events of a stream, oldest first. */
  types(stream: string): string[]
}

/** Opens a branch: the people above and a machine with so many notes, since the first of January. */
export const openBranch = async (twenties = 500, customers = people): Promise<Branch> => {
  let now = Date.parse(NOON)
  const ports = createMemoryPorts(() => new Date(now))
  await seedMachine(ports, { customers, cassettes: { twenties } }, BEFORE)
  const contextOf = (more: Partial<Context> = {}): Context => ({
    actor: staff,
    at: ports.clock(),
    correlation: 'test',
    ...more,
  })
  const accountOf = async (code: string) => {
    const { state } = await ports.engine.look(Ledger, 'book-main')
    const account = (state as Book).accounts.get(code)
    if (!account) throw new Error(`no account ${code}`)
    return account
  }
  return {
    ports,
    go: (at) => {
      now = Date.parse(at)
    },
    ask: (command, input, { ports: others = ports, ...more } = {}) =>
      execute(others, command, command.input.parse(input), contextOf(more)),
    logIn: (card = ADAS_CARD, others = ports) => logInWithCard.run(others, card, contextOf()),
    holder: async (code) => {
      const { owner } = await accountOf(code)
      return { actor: { id: owner ?? '', roles: ['customer'] } }
    },
    stands: async (code) => {
      const account = await accountOf(code)
      return { balance: account.balance, available: available(account) }
    },
    types: (stream) =>
      ports.store.log.filter((event) => event.stream === stream).map(({ type }) => type),
  }
}
