import {
  changeTerms,
  freezeAccount,
  openAccount,
  placeHold,
  postEntry,
  postTransfer,
  reverseEntry,
} from '../../commands/ledger/index.ts'
import type { Ask } from '../seed/ask.ts'
import { type Bank, DEMO_BOOK, EURO, EURO_ACCOUNTS, ownerOf } from './bank.ts'

const book = DEMO_BOOK
const CASH = 'cash:vault'
const DAY_MS = 86_400_000

/** The account that collected most of what was stolen. */
const busiestMule = ({ postings }: Bank, except: readonly string[]): string => {
  const collected = new Map<string, number>()
  for (const { fraud, to } of postings) {
    if (!fraud || !to.startsWith('customers:') || except.includes(to)) continue
    collected.set(to, (collected.get(to) ?? 0) + 1)
  }
  const [first] = [...collected].sort(([, one], [, other]) => other - one)
  if (!first) throw new Error('the demo bank has no fraud ring')
  return first[0]
}

const exchangeToEuro = async (ask: Ask, bank: Bank): Promise<void> => {
  const [customer] = bank.customers
  if (!customer) throw new Error('the demo bank has no customers')
  const euro = `customers:${customer.id}:euro`
  const account = { type: 'liability', asset: EURO, owner: ownerOf(customer) } as const
  const opening = { book, ...account, account: euro, name: `${customer.name}, euro` }
  await ask('euro-account', openAccount, opening, bank.until)
  const usd = '20000'
  const eur = '18400'
  const exchange = {
    book,
    kind: 'exchange',
    description: 'USD 200.00 to EUR 184.00',
    lines: [
      { account: customer.accounts.checking, direction: 'debit' as const, amount: usd },
      { account: EURO_ACCOUNTS.usd, direction: 'credit' as const, amount: usd },
      { account: EURO_ACCOUNTS.eur, direction: 'debit' as const, amount: eur },
      { account: euro, direction: 'credit' as const, amount: eur },
    ],
  }
  await ask('exchange', postEntry, exchange, bank.until)
}

/**
 * What traffic alone does not show: money in a second asset, a reversal, open holds, a velocity
 * limit and a frozen account.
 */
export const showFeatures = async (ask: Ask, bank: Bank): Promise<void> => {
  const { until } = bank
  const later = (days: number): string => new Date(until.getTime() + days * DAY_MS).toISOString()
  const firsts = bank.customers.slice(0, 5).map(({ accounts }) => accounts.checking)
  for (const to of firsts) {
    const deposit = { book, kind: 'deposit', from: CASH, to, amount: '75000' }
    await ask(`deposit-${to}`, postTransfer, { ...deposit, description: 'Cash deposit' }, until)
  }
  await exchangeToEuro(ask, bank)

  const [limited, second, third, fourth, fifth] = firsts.slice(1).concat(firsts.slice(0, 1))
  if (!limited || !second || !third || !fourth || !fifth) throw new Error('too few customers')
  const twice = { book, kind: 'deposit', from: CASH, to: second, amount: '75000' }
  const mistake = await ask('mistake', postTransfer, { ...twice, description: 'Twice' }, until)
  const correction = { book, entry: mistake.id, description: 'The deposit was booked twice' }
  await ask('reversal', reverseEntry, correction, until)

  const cheque = { book, kind: 'deposit', from: CASH, to: third, amount: '120000' }
  const clearing = { ...cheque, description: 'Cheque, until it clears', hold_until: later(5) }
  await ask('cheque', postTransfer, clearing, until)
  const holds = [
    { account: second, amount: '18000', description: 'Hotel', expires_at: later(7) },
    { account: fourth, amount: '6500', description: 'Fuel station', expires_at: later(2) },
    { account: fifth, amount: '25000', description: 'Rental car deposit', expires_at: later(14) },
  ]
  for (const hold of holds) await ask(`hold-${hold.account}`, placeHold, { book, ...hold }, until)

  const perDay = { window: 'day' as const, amount: '50000', count: 10 }
  const terms = { book, account: limited, overdraft_limit: '0', velocity_limits: [perDay] }
  await ask('velocity-limit', changeTerms, terms, until)
  const mule = busiestMule(bank, firsts)
  const freeze = { book, account: mule, reason: 'Collects from accounts that were taken over' }
  await ask('freeze', freezeAccount, freeze, until)
}
