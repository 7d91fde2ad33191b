import type { AccountType } from '../domain/ledger/events.ts'
import { fork } from './random.ts'
import type { Customer } from './simulator/customers.ts'
import { people } from './simulator/customers.ts'
import type { Intent } from './simulator/days.ts'
import { ACCOUNTS, dayOf, honestDay } from './simulator/days.ts'
import type { Fraud } from './simulator/ring.ts'
import { carryOut, chooseMules, planAttacks } from './simulator/ring.ts'

export type { Customer } from './simulator/customers.ts'

/** A posting of two lines: `from` is debited, `to` is credited. */
export type SimulatedPosting = {
  readonly at: Date
  readonly kind: string
  readonly from: string
  readonly to: string
  /** Minor units of `SIMULATED_ASSET`. */
  readonly amount: bigint
  readonly description: string
  readonly fraud: boolean
}

export type InternalAccount = {
  readonly code: string
  readonly type: AccountType
  readonly name: string
}

export type Simulation = {
  readonly customers: readonly Customer[]
  /** The bank's own accounts. Clearing accounts run both ways and need an unlimited overdraft. */
  readonly internal: readonly InternalAccount[]
  /** In order of time. Can be iterated again and gives the same postings again. */
  readonly postings: Iterable<SimulatedPosting>
}

export type SimulationSettings = {
  readonly seed: number
  readonly customers: number
  readonly from: Date
  readonly days: number
  readonly fraud: Fraud
}

export const SIMULATED_ASSET = 'USD/2'

const DAY_MS = 86_400_000
const CAPITAL = 1_000_000_000
const SMALLEST_PAYMENT = 100

const internal: readonly InternalAccount[] = [
  { code: ACCOUNTS.cash, type: 'asset', name: 'Vault cash' },
  { code: ACCOUNTS.cards, type: 'liability', name: 'Card scheme clearing' },
  { code: ACCOUNTS.payroll, type: 'liability', name: 'Payroll clearing' },
  { code: ACCOUNTS.banks, type: 'liability', name: 'Other banks clearing' },
  { code: ACCOUNTS.fees, type: 'income', name: 'Account fees' },
  { code: ACCOUNTS.interest, type: 'expense', name: 'Interest on savings' },
  { code: ACCOUNTS.capital, type: 'equity', name: 'Paid-in capital' },
]

/** Turns intents into postings, and keeps every customer's account at zero or above. */
const settle = (balances: Map<string, number>, intent: Intent): SimulatedPosting | undefined => {
  const { from, to, amount: wanted, at, ...rest } = intent
  if (from === to) return undefined
  const limited = from.startsWith('customers:')
  const available = balances.get(from) ?? 0
  const amount = typeof wanted === 'number' ? wanted : Math.floor(available * wanted.share)
  if (amount < SMALLEST_PAYMENT || (limited && amount > available)) return undefined
  balances.set(from, available - amount)
  balances.set(to, (balances.get(to) ?? 0) + amount)
  return { ...rest, from, to, at: new Date(at), amount: BigInt(amount) }
}

/**
 * A retail bank's traffic with a fraud ring in it: salaries, rents, bills, cards, cash, transfers
 * among friends, and account take-overs whose payments are labelled. 300 customers over 90 days
 * make about 25,000 postings. The same settings give the same traffic.
 */
export const simulate = (settings: SimulationSettings): Simulation => {
  const { seed, days, fraud } = settings
  const first = Date.parse(settings.from.toISOString().slice(0, 10))
  const population = people(seed, settings.customers)
  const mules = chooseMules(population, fraud, seed)

  const opening = (): Intent[] => [
    {
      at: first,
      kind: 'capital',
      from: ACCOUNTS.cash,
      to: ACCOUNTS.capital,
      amount: CAPITAL,
      description: 'Paid-in capital',
      fraud: false,
    },
    ...population.map((person, position) => ({
      at: first + 1 + position,
      kind: 'deposit',
      from: ACCOUNTS.cash,
      to: person.accounts.checking,
      amount: Math.round(person.salary * 1.3),
      description: 'First deposit',
      fraud: false,
    })),
  ]

  function* postings(): Generator<SimulatedPosting> {
    const balances = new Map<string, number>()
    const honest = fork(seed, -1)
    const ring = fork(seed, -3)
    const attacks = planAttacks(fraud, days, ring)
    for (let number = 0; number < days; number += 1) {
      const day = dayOf(first + number * DAY_MS)
      const intents = number === 0 ? opening() : []
      intents.push(...honestDay(population, day, honest))
      for (const attack of attacks.filter((planned) => planned.day === number)) {
        intents.push(...carryOut(attack, population, mules, day, ring))
      }
      intents.sort((one, other) => one.at - other.at)
      for (const intent of intents) {
        const posting = settle(balances, intent)
        if (posting) yield posting
      }
    }
  }

  return {
    customers: population.map(({ id, name, accounts }) => ({ id, name, accounts })),
    internal,
    postings: { [Symbol.iterator]: postings },
  }
}
