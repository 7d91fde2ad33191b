import { z } from 'zod'
import {
  AccountNumber,
  accountCodeOf,
  accountNumberOf,
  bankNumberOf,
  CARD_LIMITS,
  OPENING_BALANCE,
  openingEquityOf,
  Product,
} from '../domain/deposits.ts'
import { refuse } from '../domain/kernel.ts'
import { AccountCode, BookId, Identifier, VelocityLimit } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import type { Posting } from '../domain/ledger/request.ts'
import { type Book, growsBy } from '../domain/ledger/state.ts'
import { Amount, Asset } from '../domain/money.ts'
import { unservable } from './assignments.ts'
import { lookAtCustomer } from './customers.ts'
import { takeNumber } from './kernel.ts'
import { bookCommand, dataOf, entryOf } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'
import type { Ports } from './ports.ts'
import { lookAtUser } from './usernames.ts'

/** The account of a book as it stands this moment; undefined when there is none. */
export const lookAtAccount = async (ports: Looking, book: string, code: string) =>
  (await lookAt(ports, Ledger, book)).accounts.get(code)

/** Who may hold accounts: customers, and users, whom the products know that people sign in to. */
const isHolder = async (ports: Ports, id: string): Promise<boolean> =>
  (await lookAtCustomer(ports, id)) !== undefined || (await lookAtUser(ports, id)) !== undefined

/** A customer's account, under the number that is printed on his papers. */
export const openDeposit = bookCommand({
  name: 'deposits.open',
  permission: 'accounts:open',
  input: z.strictObject({
    book: BookId,
    customer: Identifier,
    /** Absent: the bank's own next one. */
    account_number: AccountNumber.optional(),
    product: Product,
    asset: Asset.default('USD/2'),
    /** Absent: what may leave an account by card in a day. */
    velocity_limits: z
      .array(VelocityLimit)
      .max(8)
      .default([...CARD_LIMITS]),
  }),
  enrich: async (input, enrichment) => {
    const { customer, product, asset, velocity_limits } = input
    if (!(await isHolder(enrichment.ports, customer))) {
      return refuse('CUSTOMER_NOT_FOUND', `There is no customer ${customer}.`, { customer })
    }
    const refused = await unservable(enrichment, customer)
    if (refused) return refused
    const id = await takeNumber(enrichment, 'accounts')
    const account_number = input.account_number ?? bankNumberOf(id)
    return {
      account: accountCodeOf(account_number),
      type: 'liability' as const,
      asset,
      name: `${product} ${account_number}`,
      owner: customer,
      terms: { overdraft_limit: '0', velocity_limits },
      metadata: { id: String(id), product },
      opened_at: enrichment.at,
    }
  },
  decide: Ledger.decide.openAccount,
  answer: (events, { book, customer, product }) => {
    const opened = dataOf<{
      account: string
      asset: string
      metadata: { id: string }
      opened_at: string
    }>(events, 'AccountOpened')
    const { account, asset, opened_at } = opened
    return {
      book,
      account,
      id: Number(opened.metadata.id),
      account_number: accountNumberOf(account),
      product,
      customer,
      asset,
      opened_at,
    }
  },
})

type Brought = Omit<Posting, 'lines'> & { readonly account: string; readonly amount: string }

const bring = (book: Book, { account, amount, ...posting }: Brought) => {
  const found = book.accounts.get(account)
  const direction = growsBy(found?.type ?? 'liability')
  const equity = openingEquityOf(found?.asset ?? 'USD/2')
  const opposite = direction === 'debit' ? 'credit' : 'debit'
  const lines = [
    { account, direction, amount },
    { account: equity, direction: opposite, amount },
  ] as const
  return Ledger.decide.post(book, { posting: { ...posting, lines }, poster: { owner: null } })
}

/** What an account held elsewhere before it was kept here, against equity. */
export const bringForward = bookCommand({
  name: 'deposits.bring_forward',
  permission: 'entries:post',
  input: z.strictObject({ book: BookId, account: AccountCode, amount: Amount }),
  enrich: ({ account, amount }, { at, newId }): Brought => ({
    id: newId(),
    at,
    kind: OPENING_BALANCE,
    description: 'Balance brought forward',
    account,
    amount,
  }),
  decide: bring,
  answer: entryOf,
})

const covered = z.strictObject({
  book: BookId,
  account: AccountCode,
  covered_by: AccountCode.nullable(),
})

/** Overdraft protection: what the account lacks for a payment is taken from another of the owner. */
export const coverDeposit = bookCommand({
  name: 'deposits.cover',
  permission: 'cards:use',
  input: covered,
  enrich: async ({ book, account, covered_by }, { ports, reach, context }) => {
    if (reach !== 'all') {
      for (const code of covered_by === null ? [account] : [account, covered_by]) {
        const found = await lookAtAccount(ports, book, code)
        if (found?.owner !== context.actor.id) {
          return refuse('ACCOUNT_NOT_FOUND', `There is no account ${code}.`, { account: code })
        }
      }
    }
    return { account, covered_by, revision: context.ifMatch }
  },
  decide: Ledger.decide.coverAccount,
  answer: (_events, { book, account, covered_by }) => ({ book, account, covered_by }),
})
