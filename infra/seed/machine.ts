/** People with accounts and cards, and a machine with money in it: for demonstrations and tests. */
import { z } from 'zod'
import { blockCard, issueCard } from '../../commands/cards.ts'
import { registerCustomer } from '../../commands/customers.ts'
import { bringForward, lookAtAccount, openDeposit } from '../../commands/deposits.ts'
import type { Command } from '../../commands/kernel.ts'
import {
  addAsset,
  closeAccount,
  freezeAccount,
  openBook,
  placeHold,
} from '../../commands/ledger/index.ts'
import { installMachine, loadMachine } from '../../commands/machines.ts'
import { GivenPin } from '../../commands/pins.ts'
import type { Ports } from '../../commands/ports.ts'
import { AccountNumber } from '../../domain/deposits.ts'
import { idFrom } from '../../domain/ids.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import { machineAccounts, NOTE_CENTS, VAULT } from '../../domain/machines.ts'
import type { Ask as AskAt } from './ask.ts'

const book = 'main'
const machine = '1'
const ASSET = 'USD/2'
const DEFAULT_NOTES = 500

const Cents = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

const Account = z
  .strictObject({
    ref: z.string().min(1),
    account_number: AccountNumber,
    account_type: z.enum(['CHECKING', 'SAVINGS']),
    balance_cents: Cents,
    /** Less than the balance: the rest is held. */
    available_balance_cents: Cents.optional(),
    status: z.enum(['ACTIVE', 'FROZEN', 'CLOSED']).default('ACTIVE'),
  })
  .refine(({ balance_cents, available_balance_cents: free }) => (free ?? 0) <= balance_cents, {
    path: ['available_balance_cents'],
    message: 'is more than the balance',
  })
type Account = z.infer<typeof Account>

const Card = z.strictObject({
  card_number: z.string().min(1).max(20),
  pin: GivenPin,
  /** The ref of an account of the same customer. */
  account: z.string().min(1),
  status: z.enum(['ACTIVE', 'BLOCKED']).default('ACTIVE'),
})

export const MachineSeed = z.strictObject({
  customers: z
    .array(
      z.strictObject({
        customer: z.string().min(1).max(256),
        accounts: z.array(Account).max(100).default([]),
        cards: z.array(Card).max(100).default([]),
      }),
    )
    .max(1000)
    .default([]),
  /** $20 notes that the machine holds. */
  cassettes: z.strictObject({ twenties: z.int().min(0).max(10_000) }).optional(),
})
export type MachineSeed = z.infer<typeof MachineSeed>

export type Refs = Readonly<Record<string, Readonly<Record<string, string | number>>>>

/** Asks as of the seed's time. */
type Ask = <Input extends z.ZodType, Values, Answer>(
  command: Command<Input, Values, Answer>,
  input: z.input<Input>,
) => Promise<Answer>

const openMain = async (ports: Ports, ask: Ask): Promise<void> => {
  const { revision } = await ports.engine.look(Ledger, `${Ledger.category}-${book}`)
  if (revision < 0) await ask(openBook, { book, name: 'Main book', assets: [ASSET] })
  else await ask(addAsset, { book, asset: ASSET })
}

/** A machine that is there already keeps what it holds. */
const provideMachine = async (ports: Ports, ask: Ask, notes: number): Promise<void> => {
  const known = await lookAtAccount(ports, book, machineAccounts(machine).cassette)
  if (known) return
  await ask(installMachine, { book, machine })
  if (notes === 0) return
  await ask(bringForward, { book, account: VAULT, amount: String(notes * NOTE_CENTS) })
  await ask(loadMachine, { book, machine, twenties: notes })
}

const changeStatus = async (ask: Ask, account: string, status: Account['status']) => {
  const change = { book, account, reason: 'Given' }
  if (status === 'FROZEN') await ask(freezeAccount, change)
  if (status === 'CLOSED') await ask(closeAccount, change)
}

const openAccount = async (ask: Ask, customer: string, given: Account) => {
  const { account_number, balance_cents, available_balance_cents, status } = given
  const product = given.account_type === 'CHECKING' ? 'checking' : 'savings'
  const opened = await ask(openDeposit, { book, customer, account_number, product })
  const { account, id } = opened
  // A closed account was paid out: nothing is left to bring forward.
  if (balance_cents > 0 && status !== 'CLOSED') {
    await ask(bringForward, { book, account, amount: String(balance_cents) })
    const held = balance_cents - (available_balance_cents ?? balance_cents)
    if (held > 0) await ask(placeHold, { book, account, amount: String(held) })
  }
  await changeStatus(ask, account, status)
  return { id, account_number, account }
}

type Given = MachineSeed['customers'][number]

const provideCustomer = async (ask: Ask, { customer: name, accounts, cards }: Given) => {
  const { customer, number } = await ask(registerCustomer, { name })
  const refs: Record<string, Record<string, string | number>> = {}
  for (const account of accounts) {
    const opened = await openAccount(ask, customer, account)
    refs[account.ref] = { ...opened, customer: number }
  }
  // A PIN takes a while to hash, and several can be hashed at once.
  await Promise.all(
    cards.map(async ({ card_number, pin, account, status }) => {
      const account_number = String(refs[account]?.account_number ?? '')
      const { card } = await ask(issueCard, { card_number, pin, book, account_number })
      if (status === 'BLOCKED') await ask(blockCard, { card, reason: 'Given' })
    }),
  )
  return refs
}

export type Sowing = {
  readonly ports: Ports
  readonly ask: AskAt
  /** When it came about. */
  readonly at: Date
  /** The same request again is the same thing: for seeds that may be interrupted. */
  readonly repeatable: boolean
}

/** Brings it all about through commands. Throws SeedRefused. */
export const seedMachine = async (
  { ports, ask: askAt, at, repeatable }: Sowing,
  seed: MachineSeed,
): Promise<Refs> => {
  const ask: Ask = (command, input) => {
    const key = repeatable ? idFrom(`${command.name} ${JSON.stringify(input)}`) : undefined
    return askAt(key, command, input, at)
  }
  await openMain(ports, ask)
  await provideMachine(ports, ask, seed.cassettes?.twenties ?? DEFAULT_NOTES)
  const all = await Promise.all(seed.customers.map((given) => provideCustomer(ask, given)))
  return Object.assign({}, ...all)
}
