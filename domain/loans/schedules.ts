import { z } from 'zod'
import { dayInMonth } from '../calendar.ts'
import { Day } from '../ledger/events.ts'
import { AmountOrZero, halfEven } from '../money.ts'

/**
 * simple: interest on the whole amount for the whole term, in equal parts.
 * declining_balance: interest on what is left, in equal instalments (an annuity).
 */
export const LoanProduct = z.enum(['simple', 'declining_balance'])
export type LoanProduct = z.infer<typeof LoanProduct>

export const MOST_MONTHS = 360
/** 100 % a year. */
const MOST_BASIS_POINTS = 10_000

export const RateBasisPoints = z.int().min(0).max(MOST_BASIS_POINTS)
export const TermMonths = z.int().min(1).max(MOST_MONTHS)

export const Instalment = z.object({
  due: Day,
  /** Minor units; together they are what has to be paid. */
  principal: AmountOrZero,
  interest: AmountOrZero,
})
export type Instalment = z.infer<typeof Instalment>

export type Terms = {
  readonly product: LoanProduct
  /** Minor units. */
  readonly amount: string
  /** A year. */
  readonly rate_basis_points: number
  readonly term_months: number
}

type Fraction = { readonly numerator: bigint; readonly denominator: bigint }

/** Math.min knows no bigint. */
const least = (first: bigint, second: bigint): bigint => {
  if (first < second) return first
  return second
}

/** A month's interest on one is `rate / YEAR`. */
const YEAR = 120_000n

type Plan = {
  /** Principal and interest of the whole term, exact. */
  readonly total: Fraction
  /** Principal that is to be repaid after so many months. */
  readonly repaidAfter: (months: number) => bigint
}

const simplePlan = ({ amount, rate_basis_points, term_months }: Terms): Plan => {
  const principal = BigInt(amount)
  const months = BigInt(term_months)
  const part = halfEven(principal, months)
  return {
    total: {
      numerator: principal * (YEAR + BigInt(rate_basis_points) * months),
      denominator: YEAR,
    },
    repaidAfter: (after) => least(part * BigInt(after), principal),
  }
}

/** Every figure is the exact one, rounded once: nothing adds up from month to month. */
const decliningPlan = (terms: Terms): Plan => {
  const { amount, rate_basis_points, term_months } = terms
  // Without interest there is no annuity, and nothing that declines.
  if (rate_basis_points === 0) return simplePlan(terms)
  const principal = BigInt(amount)
  const rate = BigInt(rate_basis_points)
  const months = BigInt(term_months)
  const one = YEAR ** months
  const grown = (YEAR + rate) ** months
  return {
    total: {
      numerator: principal * rate * grown * months,
      denominator: YEAR * (grown - one),
    },
    repaidAfter: (after) => {
      const so = BigInt(after)
      const growth = (YEAR + rate) ** so * YEAR ** (months - so)
      return halfEven(principal * (growth - one), grown - one)
    },
  }
}

const planners: Readonly<Record<LoanProduct, (terms: Terms) => Plan>> = {
  simple: simplePlan,
  declining_balance: decliningPlan,
}

const totalOf = ({ total }: Plan): bigint => halfEven(total.numerator, total.denominator)

const monthlyOf = ({ total }: Plan, { term_months }: Terms): bigint =>
  halfEven(total.numerator, total.denominator * BigInt(term_months))

/** What a loan of these terms comes to, in minor units; the last instalment takes the rounding. */
export const costOf = (terms: Terms) => {
  const plan = planners[terms.product](terms)
  const total = totalOf(plan)
  return {
    instalment: monthlyOf(plan, terms).toString(),
    interest: (total - BigInt(terms.amount)).toString(),
    total: total.toString(),
  }
}

/**
 * The instalments of a loan that is paid out on a day, due on the same day of each month from the
 * next one on (in a shorter month, on its last). Principal and interest add up to the pesewa.
 */
export const scheduleOf = (terms: Terms, paidOut: string): readonly Instalment[] => {
  const plan = planners[terms.product](terms)
  const monthly = monthlyOf(plan, terms)
  const amount = BigInt(terms.amount)
  const left = { principal: amount, interest: totalOf(plan) - amount }
  const dayOfMonth = Number(paidOut.slice(8))
  return Array.from({ length: terms.term_months }, (_, index) => {
    const month = index + 1
    const all = left.principal + left.interest
    const size = month === terms.term_months ? all : least(monthly, all)
    const wanted = plan.repaidAfter(month) - (amount - left.principal)
    const interest = least(wanted < 0n ? size : size - least(wanted, size), left.interest)
    const principal = size - interest
    left.principal -= principal
    left.interest -= interest
    const due = dayInMonth(paidOut, month, dayOfMonth)
    return { due, principal: principal.toString(), interest: interest.toString() }
  })
}

/** What of an amount paid falls to each instalment: the oldest first, interest before principal. */
export const spread = (instalments: readonly Instalment[], paid: bigint) => {
  let left = paid
  const take = (wanted: bigint): bigint => {
    const taken = least(wanted, left)
    left -= taken
    return taken
  }
  return instalments.map((instalment) => {
    const interest = take(BigInt(instalment.interest))
    return { ...instalment, paid: { interest, principal: take(BigInt(instalment.principal)) } }
  })
}

/** How old what is overdue is. */
export const AgeingBucket = z.enum(['current', '1-30', '31-60', '61-90', '90+'])

export const ageingOf = (daysPastDue: number): z.infer<typeof AgeingBucket> => {
  if (daysPastDue <= 0) return 'current'
  if (daysPastDue <= 30) return '1-30'
  if (daysPastDue <= 60) return '31-60'
  return daysPastDue <= 90 ? '61-90' : '90+'
}

/** So many days after it was due, an instalment that is not paid makes the loan one in default. */
export const DEFAULT_AFTER_DAYS = 90
