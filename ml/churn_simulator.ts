import type { ChurnRow, ChurnSettings } from './churn.ts'
import { CHURN_BOOST, churnVector } from './churn.ts'
import type { Random } from './random.ts'
import { fork, normal } from './random.ts'
import { sigmoid } from './trees.ts'

export type ChurnSimulation = {
  readonly seed: number
  readonly customers: number
  /** Share of the fields, other than whether somebody left, that nobody has written down. */
  readonly missing: number
}

type Person = {
  readonly age: number
  readonly tenure: number
  readonly balance: number
  readonly products: number
  readonly credit_card: boolean
  readonly active: boolean
  readonly salary: number
}

const ADULT = 18
const OLDEST = 92
/** Of everybody, with so many products or fewer. */
const UP_TO_PRODUCTS = [0.52, 0.92, 0.98, 1] as const
/** What one, two, three and four products add to the log-odds of leaving. */
const PRODUCTS_PULL = [0, -1.4, 1.7, 2.6] as const
/** Sets the base rate; the rest of the log-odds is zero for a young, active customer of one. */
const NOBODY_IN_PARTICULAR = -2.2

const productsOf = (next: Random): number => {
  const drawn = next()
  return UP_TO_PRODUCTS.findIndex((share) => drawn < share) + 1
}

const personOf = (next: Random): Person => {
  const age = Math.min(OLDEST, Math.floor(ADULT + Math.exp(2.95 + 0.45 * normal(next))))
  const products = productsOf(next)
  const empty = next() < (products === 1 ? 0.22 : 0.48)
  return {
    age,
    products,
    tenure: Math.min(age - ADULT, Math.floor(-6 * Math.log(1 - next()))),
    balance: empty ? 0 : Math.round(Math.exp(11.3 + 0.5 * normal(next)) * 100) / 100,
    credit_card: next() < 0.68,
    active: next() < 0.53,
    salary: Math.round(Math.exp(11 + 0.55 * normal(next)) * 100) / 100,
  }
}

/** Between 45 and 65 people rearrange their money; the young have little, the old stay. */
const agePull = (age: number): number => 2.7 * Math.exp(-(((age - 55) / 13) ** 2))

const leavingOdds = ({ age, tenure, balance, products, active }: Person): number =>
  NOBODY_IN_PARTICULAR +
  agePull(age) +
  (active ? 0 : 0.95) +
  (PRODUCTS_PULL[products - 1] as number) +
  (balance === 0 ? -0.45 : 0) +
  // Being active holds the older customer more than the younger one.
  (active && age > 45 ? -0.5 : 0) -
  0.02 * Math.min(tenure, 10)

/**
 * Customers of a retail bank, and who of them left within the year. What it assumes, from what
 * banks commonly report of attrition, not from anybody's rows: leaving is likeliest in the fifties
 * and rare before thirty; who does not use the account leaves more often, and the more so the older;
 * two products bind, three or four mean that somebody was sold too much; who keeps no balance has
 * no reason to move it; long tenure holds a little; card and salary mean nothing. About one in five
 * leaves. Whatever else decides is chance. The same settings give the same rows.
 */
export const simulateChurn = ({ seed, customers, missing }: ChurnSimulation): ChurnRow[] =>
  Array.from({ length: customers }, (_, number) => {
    const next = fork(seed, number)
    const person = personOf(next)
    const churned = next() < sigmoid(leavingOdds(person))
    const vector = churnVector(person).map((value) => (next() < missing ? Number.NaN : value))
    return { vector, churned }
  })

const CHURN_TRAFFIC: ChurnSimulation = { seed: 20260101, customers: 12_000, missing: 0.02 }

/** What the shipped churn model was trained on. */
export const SHIPPED_CHURN: ChurnSettings & { readonly traffic: ChurnSimulation } = {
  version: 'churn-1',
  boost: CHURN_BOOST,
  folds: 5,
  traffic: CHURN_TRAFFIC,
  trained_on: { simulator: CHURN_TRAFFIC },
}
