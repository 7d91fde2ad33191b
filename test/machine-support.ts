/** What the tests of cards, machines and deposits share: a branch with a machine, in memory. */
import type { z } from 'zod'
import { logInWithCard } from '../commands/card_sessions.ts'
import { issueCard } from '../commands/cards.ts'
import { registerCustomer } from '../commands/customers.ts'
import { bringForward, openDeposit } from '../commands/deposits.ts'
import { type Command, type Context, execute, type Receipt } from '../commands/kernel.ts'
import { openBook } from '../commands/ledger/index.ts'
import { installMachine, loadMachine } from '../commands/machines.ts'
import type { Actor, Ports } from '../commands/ports.ts'
import { isRefusal, type Refusal } from '../domain/kernel.ts'
import { Ledger } from '../domain/ledger/index.ts'
import { available, type Book } from '../domain/ledger/state.ts'
import { NOTE_CENTS, VAULT } from '../domain/machines.ts'
import type { RefusalCode } from '../domain/refusals.ts'
import { createMemoryPorts, type MemoryPorts } from './support/memory.ts'

const book = 'main'
/** A Tuesday. */
export const NOON = '2026-03-10T12:00:00.000Z'
const BEFORE = new Date('2026-01-01T00:00:00.000Z')

export const CHECKING = 'customers:1000-0001-0001'
export const SAVINGS = 'customers:1000-0001-0002'
export const BENS = 'customers:1000-0002-0001'
export const ADAS_CARD = { card_number: '4000-0001', pin: '7391' }
export const BENS_CARD = { card_number: '4000-0002', pin: '8024' }

export const staff: Actor = { id: 'root', roles: ['admin'] }
const nobody: Actor = { id: 'anonymous', roles: [] }

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

type Ask = Branch['ask']

const openAccount = async (ask: Ask, customer: string, account_number: string, amount: string) => {
  const product = account_number.endsWith('2') ? 'savings' : 'checking'
  const at = BEFORE
  const number = { book, customer, account_number, product } as const
  const { account } = answerOf(await ask(openDeposit, number, { at }))
  answerOf(await ask(bringForward, { book, account, amount }, { at }))
}

/** Ada has 1,000.00 and 500.00 of savings, Ben has 100.00; each has a card. */
const receivePeople = async (ask: Ask): Promise<void> => {
  const at = BEFORE
  const ada = answerOf(await ask(registerCustomer, { name: 'Ada Byron' }, { at })).customer
  const ben = answerOf(await ask(registerCustomer, { name: 'Ben Novak' }, { at })).customer
  await openAccount(ask, ada, '1000-0001-0001', '100000')
  await openAccount(ask, ada, '1000-0001-0002', '50000')
  await openAccount(ask, ben, '1000-0002-0001', '10000')
  const cards = [
    { ...ADAS_CARD, account_number: '1000-0001-0001' },
    { ...BENS_CARD, account_number: '1000-0002-0001' },
  ]
  for (const card of cards) answerOf(await ask(issueCard, { ...card, book }, { at }))
}

const placeMachine = async (ask: Ask, twenties: number): Promise<void> => {
  const at = BEFORE
  answerOf(await ask(installMachine, { book, machine: '1' }, { at }))
  if (twenties === 0) return
  const amount = String(twenties * NOTE_CENTS)
  answerOf(await ask(bringForward, { book, account: VAULT, amount }, { at }))
  answerOf(await ask(loadMachine, { book, machine: '1', twenties }, { at }))
}

/** The book, a machine with so many notes and the customers, since the first of January. */
export const furnish = async (ask: Ask, twenties: number): Promise<void> => {
  const opened = { book, name: 'Main', assets: ['USD/2', 'KES/2'] }
  answerOf(await ask(openBook, opened, { at: BEFORE }))
  await placeMachine(ask, twenties)
  await receivePeople(ask)
}

/** Runs commands as staff, unless somebody else is named. */
export const askOn =
  (ports: Ports): Ask =>
  (command, input, { ports: others = ports, ...more } = {}) => {
    const context = { actor: staff, at: ports.clock(), correlation: 'test', ...more }
    return execute(others, command, command.input.parse(input), context)
  }

/** Opens a branch in memory. */
export const openBranch = async (twenties = 500): Promise<Branch> => {
  let now = Date.parse(NOON)
  const ports = createMemoryPorts(() => new Date(now))
  const accountOf = async (code: string) => {
    const { state } = await ports.engine.look(Ledger, 'book-main')
    const account = (state as Book).accounts.get(code)
    if (!account) throw new Error(`no account ${code}`)
    return account
  }
  const branch: Branch = {
    ports,
    go: (at) => {
      now = Date.parse(at)
    },
    ask: askOn(ports),
    logIn: (card = ADAS_CARD, others = ports) =>
      logInWithCard.run(others, card, { actor: nobody, at: ports.clock(), correlation: 'test' }),
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
  await furnish(branch.ask, twenties)
  return branch
}
