import type { Random } from '../random.ts'
import { between, index, normal, pick, times } from '../random.ts'
import type { Person } from './customers.ts'

/** A payment somebody means to make; it is dropped when the money is not there. */
export type Intent = {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly kind: string
  readonly from: string
  readonly to: string
  /** Minor units, or a share of what the account holds by then, in whole minor units. */
  readonly amount: number | { readonly share: number }
  readonly description: string
  readonly fraud: boolean
}

export type Day = { readonly start: number; readonly date: number; readonly last_of_month: boolean }

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

export const ACCOUNTS = {
  cash: 'cash:vault',
  cards: 'clearing:cards',
  payroll: 'clearing:payroll',
  banks: 'clearing:banks',
  fees: 'income:fees',
  interest: 'expense:interest',
  capital: 'equity:capital',
} as const

const SHOPS = [
  'Corner Grocery',
  'City Market',
  'Green Pharmacy',
  'Metro Tickets',
  'Book Harbour',
  'Cafe Luna',
  'Fuel & Go',
  'Home Depot 24',
]
const PURPOSES = ['Lunch', 'Thank you', 'Tickets', 'Gift', 'Shared trip', 'Concert', 'Groceries']

export const dayOf = (start: number): Day => ({
  start,
  date: new Date(start).getUTCDate(),
  last_of_month: new Date(start + 24 * HOUR_MS).getUTCDate() === 1,
})

/** An instant of the day between two hours. */
export const within = (next: Random, day: Day, least: number, below: number): number =>
  Math.floor(day.start + between(next, least, below) * HOUR_MS)

const wakingHour = (next: Random, day: Day): number =>
  Math.floor(day.start + Math.min(23.98, Math.max(5, 14.5 + 3.6 * normal(next))) * HOUR_MS)

const nightHour = (next: Random, day: Day): number =>
  next() < 0.3 ? within(next, day, 22, 24) : within(next, day, 0, 5)

const spent = (next: Random, typical: number, spread: number): number =>
  Math.max(100, Math.round(typical * Math.exp(spread * normal(next))))

const honest = (intent: Omit<Intent, 'fraud'>): Intent => ({ ...intent, fraud: false })

/** What comes round every month: pay, rent, bills, savings, the account fee and interest. */
const monthly = (who: Person, day: Day, next: Random, intents: Intent[]): void => {
  const { checking, savings } = who.accounts
  const on = (kind: string, hour: number, from: string, to: string, amount: number, text: string) =>
    intents.push(
      honest({ at: within(next, day, hour, hour + 2), kind, from, to, amount, description: text }),
    )
  if (day.date === who.payday) {
    on('payroll', 6, ACCOUNTS.payroll, checking, who.salary, 'Salary')
    const saved = Math.round(who.salary * who.saved_share)
    if (saved > 0) on('transfer', 9, checking, savings, saved, 'To savings')
  }
  if (day.date === who.rent_day) on('rent', 7, checking, ACCOUNTS.banks, who.rent, 'Rent')
  if (day.date === who.bill_day) {
    on('bill', 7, checking, ACCOUNTS.banks, spent(next, who.bill, 0.15), 'Electricity and water')
  }
  if (!day.last_of_month) return
  on('fee', 20, checking, ACCOUNTS.fees, 300, 'Account fee')
  const interest = Math.round((who.salary * who.saved_share * 6 * 0.02) / 12)
  if (interest > 0) on('interest', 21, ACCOUNTS.interest, savings, interest, 'Interest')
}

/** Several payments in one sitting, some of them to people never paid before. */
const billsSession = (who: Person, people: readonly Person[], day: Day, next: Random): Intent[] => {
  let at = next() < 0.15 ? nightHour(next, day) : wakingHour(next, day)
  return Array.from({ length: 3 + index(next, 4) }, () => {
    at = Math.min(at + Math.floor(between(next, 1, 9) * MINUTE_MS), day.start + 24 * HOUR_MS - 1)
    return honest({
      at,
      kind: 'transfer',
      from: who.accounts.checking,
      to: next() < 0.5 ? ACCOUNTS.banks : pick(next, people).accounts.checking,
      amount: spent(next, 9_000, 0.8),
      description: 'Invoice',
    })
  })
}

const daily = (who: Person, people: readonly Person[], day: Day, next: Random): Intent[] => {
  const { checking } = who.accounts
  const intents: Intent[] = []
  monthly(who, day, next, intents)
  for (let left = times(next, who.cards_per_day); left > 0; left -= 1) {
    intents.push(
      honest({
        at: next() < who.night_share ? nightHour(next, day) : wakingHour(next, day),
        kind: 'card',
        from: checking,
        to: ACCOUNTS.cards,
        amount: spent(next, who.basket, 0.7),
        description: pick(next, SHOPS),
      }),
    )
  }
  for (let left = times(next, who.transfers_per_day); left > 0; left -= 1) {
    const friend =
      next() < 0.85 && who.friends.length > 0 ? people[pick(next, who.friends)] : undefined
    intents.push(
      honest({
        at: next() < who.night_share + 0.03 ? nightHour(next, day) : wakingHour(next, day),
        kind: 'transfer',
        from: checking,
        to: (friend ?? pick(next, people)).accounts.checking,
        amount: spent(next, 5_500, 0.9),
        description: pick(next, PURPOSES),
      }),
    )
  }
  if (next() < 0.03) {
    const amount = 2_000 * (1 + index(next, 15))
    const at = next() < who.night_share ? nightHour(next, day) : wakingHour(next, day)
    intents.push(
      honest({
        at,
        kind: 'withdrawal',
        from: checking,
        to: ACCOUNTS.cash,
        amount,
        description: 'Cash',
      }),
    )
  }
  if (next() < 0.006) intents.push(...billsSession(who, people, day, next))
  if (next() < 0.003) {
    intents.push(
      honest({
        at: next() < 0.15 ? nightHour(next, day) : wakingHour(next, day),
        kind: 'transfer',
        from: checking,
        to: next() < 0.7 ? ACCOUNTS.banks : pick(next, people).accounts.checking,
        amount: { share: between(next, 0.25, 0.8) },
        description: 'Large purchase',
      }),
    )
  }
  return intents
}

/** Friends pay back whoever settled the bill: many payers to one account within an hour or two. */
const dinner = (people: readonly Person[], day: Day, next: Random): Intent[] => {
  const host = pick(next, people)
  const share = spent(next, 3_000, 0.4)
  return host.friends.flatMap((friend): Intent[] => {
    const guest = people[friend]
    if (!guest) return []
    return [
      honest({
        at: within(next, day, 20.5, 23.9),
        kind: 'transfer',
        from: guest.accounts.checking,
        to: host.accounts.checking,
        amount: share,
        description: 'Dinner',
      }),
    ]
  })
}

/** Everything honest people mean to do on a day, in no order. */
export const honestDay = (people: readonly Person[], day: Day, next: Random): Intent[] => {
  const intents = people.flatMap((who) => daily(who, people, day, next))
  for (let left = times(next, people.length * 0.0015); left > 0; left -= 1) {
    intents.push(...dinner(people, day, next))
  }
  return intents
}
