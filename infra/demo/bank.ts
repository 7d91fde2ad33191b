/** What the demo bank consists of: customers, accounts, months of traffic, people who log in. */
import type { z } from 'zod'
import type { OpenAccount } from '../../commands/ledger/inputs.ts'
import {
  SIMULATED_ASSET,
  type SimulatedPosting,
  type Simulation,
  simulate,
} from '../../ml/simulator.ts'
import { type LogIn, makePassword } from './record.ts'

export const DEMO_BOOK = 'demo'
export const EURO = 'EUR/2'
export const EURO_ACCOUNTS = { cash: 'cash:eur', usd: 'fx:usd', eur: 'fx:eur' } as const

const CUSTOMERS = 200
const DAYS = 91
const DAY_MS = 86_400_000

export type Bank = Simulation & {
  readonly from: Date
  readonly until: Date
}

/** About 19,000 postings over three months that end at `until`. */
export const demoBank = (until: Date): Bank => {
  const from = new Date(Date.parse(until.toISOString().slice(0, 10)) - DAYS * DAY_MS)
  const simulation = simulate({
    // Not the seed the shipped model was trained on.
    seed: 20260701,
    customers: CUSTOMERS,
    from,
    days: DAYS + 1,
    fraud: { attacks: 24, mules: 8 },
  })
  function* postings(): Generator<SimulatedPosting> {
    for (const posting of simulation.postings) {
      if (posting.at > until) return
      yield posting
    }
  }
  return { ...simulation, postings: { [Symbol.iterator]: postings }, from, until }
}

/** The owner of a customer's accounts, and the id of his user if he has one. */
export const ownerOf = ({ id }: Pick<Simulation['customers'][number], 'id'>): string =>
  `customer-${id}`

type Opening = Omit<z.input<typeof OpenAccount>, 'book'>

export const accountsOf = ({ customers, internal }: Bank): Opening[] => [
  ...internal.map(({ code, type, name }): Opening => {
    const asset = SIMULATED_ASSET
    return { account: code, type, name, asset, overdraft_limit: 'unlimited' }
  }),
  { account: EURO_ACCOUNTS.cash, type: 'asset', asset: EURO, name: 'Vault cash, euro' },
  ...(['usd', 'eur'] as const).map(
    (currency): Opening => ({
      account: EURO_ACCOUNTS[currency],
      type: 'asset',
      asset: currency === 'eur' ? EURO : SIMULATED_ASSET,
      name: `Currency position, ${currency === 'eur' ? 'euro' : 'dollar'}`,
      overdraft_limit: 'unlimited',
    }),
  ),
  ...customers.flatMap((customer): Opening[] => {
    const shared = { type: 'liability', asset: SIMULATED_ASSET, owner: ownerOf(customer) } as const
    const { checking, savings } = customer.accounts
    return [
      { ...shared, account: checking, name: `${customer.name}, checking` },
      { ...shared, account: savings, name: `${customer.name}, savings` },
    ]
  }),
]

const STAFF = ['admin', 'manager', 'cashier', 'auditor', 'analyst', 'regulator'] as const
const CUSTOMERS_WHO_LOG_IN = 2

/** Names and passwords for one of each role and two customers; not for who is `without`. */
export const makeLogIns = ({ customers }: Bank, without: readonly string[]): LogIn[] => {
  const password = makePassword()
  const staff = STAFF.map((role): LogIn => {
    const name = `Demo ${role}`
    return { user: `demo-${role}`, username: role, password, name, role }
  })
  const people = customers.slice(0, CUSTOMERS_WHO_LOG_IN).map((customer): LogIn => {
    const username = customer.name.toLowerCase().replace(' ', '.')
    return { user: ownerOf(customer), username, password, name: customer.name, role: 'customer' }
  })
  return [...staff, ...people].filter(({ username }) => !without.includes(username))
}
