/** Accounts and transactions of a savings bank: for tests of the coastal contract. */
import { z } from 'zod'
import { bringForward, openDeposit } from '../../commands/deposits.ts'
import { execute } from '../../commands/kernel.ts'
import { addAsset, freezeAccount, openBook, unfreezeAccount } from '../../commands/ledger/index.ts'
import {
  approvePayment,
  carryOutPayment,
  openPaymentAccounts,
  rejectPayment,
  requestPayment,
} from '../../commands/payments/index.ts'
import type { Ports } from '../../commands/ports.ts'
import { SusuProduct } from '../../domain/deposits.ts'
import { isRefusal } from '../../domain/kernel.ts'
import { Ledger } from '../../domain/ledger/index.ts'
import { PaymentKind } from '../../domain/payments.ts'
import type { Role } from '../../domain/permissions.ts'
import { SYSTEM } from '../system.ts'
import { type Ask as AskAt, SeedRefused } from './ask.ts'
import type { Refs } from './machine.ts'

const book = 'main'
const asset = 'GHS/2'

export const Ref = z.string().min(1).max(128)
/** Decimal text as minor units. */
export const Cedis = z
  .string()
  .regex(/^\d{1,22}\.\d{2}$/, 'an amount has two decimals')
  .transform((text) => BigInt(text.replace('.', '')).toString())

export const GivenAccount = z.strictObject({
  ref: Ref,
  /** The ref of a user. */
  owner: Ref,
  account_type: SusuProduct.default('member_savings'),
  balance: Cedis.default('0'),
  is_active: z.boolean().default(true),
})

export const GivenTransaction = z.strictObject({
  ref: Ref,
  /** Refs of accounts. */
  from_account: Ref.nullish(),
  to_account: Ref.nullish(),
  amount: Cedis,
  transaction_type: PaymentKind,
  status: z.enum(['pending_approval', 'completed', 'failed', 'cancelled']).default('completed'),
})
type GivenTransaction = z.infer<typeof GivenTransaction>

export type MoneySeed = {
  readonly accounts: readonly z.infer<typeof GivenAccount>[]
  readonly transactions: readonly GivenTransaction[]
}

type Sowing = { readonly ports: Ports; readonly ask: AskAt; readonly at: Date }

export const missing = (what: string, ref: string): SeedRefused =>
  new SeedRefused(what, { refused: 'RESOURCE_UNKNOWN', detail: `There is no ${ref}.` })

/** The book with the bank's own side of payments. */
const openBank = async ({ ports, ask, at }: Sowing): Promise<void> => {
  const { revision } = await ports.engine.look(Ledger, `${Ledger.category}-${book}`)
  if (revision < 0) await ask(undefined, openBook, { book, name: 'Main book', assets: [asset] }, at)
  else await ask(undefined, addAsset, { book, asset }, at)
  await ask(undefined, openPaymentAccounts, { book, asset }, at)
}

type Account = { readonly id: number; readonly account: string; readonly account_number: string }
type Accounts = Readonly<Record<string, Account>>

/** One after another, so that their ids follow the order in which they are given. */
const openAccounts = async ({ ask, at }: Sowing, seed: MoneySeed, owners: Refs) => {
  const opened: Record<string, Account> = {}
  for (const { ref, owner, account_type: product } of seed.accounts) {
    const customer = owners[owner]?.user
    if (customer === undefined) throw missing('accounts', owner)
    const wanted = { book, asset, customer: String(customer), product, velocity_limits: [] }
    const { id, account, account_number } = await ask(undefined, openDeposit, wanted, at)
    opened[ref] = { id, account, account_number }
  }
  return opened
}

/** What the given transactions have moved lies in the given balance already. */
const openingOf = (ref: string, balance: string, { transactions }: MoneySeed): bigint =>
  transactions
    .filter(({ status }) => status === 'completed')
    .reduce((opening, { from_account, to_account, amount }) => {
      const out = from_account === ref ? BigInt(amount) : 0n
      return opening + out - (to_account === ref ? BigInt(amount) : 0n)
    }, BigInt(balance))

const bringBalances = async ({ ask, at }: Sowing, seed: MoneySeed, accounts: Accounts) => {
  for (const { ref, balance } of seed.accounts) {
    const opening = openingOf(ref, balance, seed)
    const account = codeOf(accounts, ref)
    if (opening <= 0n || account === null) continue
    await ask(undefined, bringForward, { book, account, amount: opening.toString() }, at)
  }
}

const codeOf = (accounts: Accounts, ref: string | null | undefined): string | null => {
  if (ref === null || ref === undefined) return null
  const account = accounts[ref]?.account
  if (account === undefined) throw missing('transactions', ref)
  return account
}

/** Of whoever's account it is: only then may somebody else decide about it. */
const requestOf = async ({ ports, at }: Sowing, asked: Asked, owner: string) => {
  const context = { actor: { id: owner, roles: ['customer'] as Role[] }, at, correlation: 'given' }
  const receipt = await execute(ports, requestPayment, requestPayment.input.parse(asked), context)
  if (isRefusal(receipt)) throw new SeedRefused('transactions', receipt)
  return receipt.answer
}
type Asked = z.input<typeof requestPayment.input>

/** Let pass, but the account was frozen meanwhile. */
const fail = async ({ ports, ask, at }: Sowing, payment: string, account: string) => {
  await ask(undefined, freezeAccount, { book, account, reason: 'Given' }, at)
  await ask(undefined, approvePayment, { payment }, at)
  await execute(ports, carryOutPayment, { payment }, { actor: SYSTEM, at, correlation: 'given' })
  await ask(undefined, unfreezeAccount, { book, account, reason: 'Given' }, at)
}

const provideTransaction = async (
  sowing: Sowing,
  given: GivenTransaction,
  accounts: Accounts,
  ownerOf: (ref: string) => string,
): Promise<Refs[string]> => {
  const { ask, at } = sowing
  const { from_account, to_account, amount, transaction_type: kind, status } = given
  const ref = from_account ?? to_account ?? ''
  const sides = { from: codeOf(accounts, from_account), to: codeOf(accounts, to_account) }
  const asked = { book, kind, amount, ...sides, propose: status !== 'completed' }
  const requested = await requestOf(sowing, asked, ownerOf(ref))
  const { payment, number } = requested
  if (status === 'cancelled') await ask(undefined, rejectPayment, { payment }, at)
  if (status === 'failed') await fail(sowing, payment, codeOf(accounts, ref) ?? '')
  if (status === 'completed') {
    if (requested.status === 'pending') await ask(undefined, approvePayment, { payment }, at)
    await ask(undefined, carryOutPayment, { payment }, at)
  }
  return { id: number, payment }
}

/**
 * `owners`: users by their refs; `whileEmpty`: what is to be done before there is money in accounts.
 * Brings it all about through commands. Throws SeedRefused.
 */
export const seedMoney = async (
  sowing: Sowing,
  seed: MoneySeed,
  owners: Refs,
  whileEmpty: (accounts: Refs) => Promise<Refs>,
): Promise<Refs> => {
  await openBank(sowing)
  const accounts = await openAccounts(sowing, seed, owners)
  const done = await whileEmpty(accounts)
  await bringBalances(sowing, seed, accounts)
  const ownerOf = (ref: string): string => {
    const owner = seed.accounts.find((account) => account.ref === ref)?.owner ?? ref
    const user = owners[owner]?.user
    if (user === undefined) throw missing('transactions', owner)
    return String(user)
  }
  const refs: Record<string, Refs[string]> = { ...accounts, ...done }
  for (const given of seed.transactions) {
    refs[given.ref] = await provideTransaction(sowing, given, accounts, ownerOf)
  }
  for (const { ref, is_active } of seed.accounts) {
    const account = codeOf(accounts, ref)
    if (is_active || account === null) continue
    await sowing.ask(undefined, freezeAccount, { book, account, reason: 'Given' }, sowing.at)
  }
  return refs
}
