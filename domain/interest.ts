import { z } from 'zod'
import { dayAfter, daysBetween, lastOfMonth } from './calendar.ts'
import { type Decision, decider, type EventOf, refuse } from './kernel.ts'
import { AccountCode, BookId, Day, Identifier, Instant } from './ledger/events.ts'
import { AmountOrZero, Balance, currencyOf, halfEven } from './money.ts'

/** A year's interest, in hundredths of a per cent. */
export const BasisPoints = z.int().min(0).max(10_000)

/**
 * What interest is counted in, so that nothing is lost before it is paid: minor units of the
 * balance, times basis points, times days. So many of them are one minor unit: the day count is
 * ACT/365 fixed, so that each day of a leap year bears as much as any other.
 */
export const INTEREST_UNITS = 365n * 10_000n

const InterestUnits = z.string().regex(/^(?:0|-?[1-9]\d{0,44})$/, 'a whole number, in digits')

/** What interest of the bank's customers is booked against. */
export const interestExpenseOf = (asset: string): string => `expenses:interest:${currencyOf(asset)}`

/** What moved on a day that its value counts from. */
const MovedDay = z.strictObject({
  day: Day,
  net: Balance,
  /** It was booked behind an accrual that it would have changed. */
  late: z.boolean(),
})

/** An account's balances by value date, as the book has them at a revision. */
export const DayBalances = z.strictObject({
  /** The first day that has not borne interest yet. */
  accrues_from: Day,
  /** The newest revision of the book that moved the account; -1: none did. */
  revision: z.int().min(-1),
  /** The day that `moved` begins with, and the balance before it. */
  since: Day,
  opening: Balance,
  moved: z.array(MovedDay).max(10_000),
})
export type DayBalances = z.infer<typeof DayBalances>

/** How far back a movement's value date may lie behind its booking. */
export const REACH_DAYS = 366

const ByAccount = { book: BookId, account: AccountCode }

export const interestEvents = {
  InterestTermsSet: z.object({
    ...ByAccount,
    rate_bp: BasisPoints,
    /** The rate holds from this day on, until the next one's. */
    from: Day,
    /** The first day that has not borne interest yet. */
    accrues_from: Day,
    set_by: Identifier,
    set_at: Instant,
  }),
  /** What some days have borne, and with them corrections of days before that were learnt of. */
  InterestAccrued: z.object({
    ...ByAccount,
    from: Day,
    through: Day,
    earned: InterestUnits,
    /** All that is owed with it, before any of it is paid. */
    owed: InterestUnits,
    /** The book's movements up to here are in it. */
    revision: z.int().min(-1),
    accrued_at: Instant,
  }),
  /** Paid to the account, which it bears interest on from the value date. */
  InterestCapitalised: z.object({
    ...ByAccount,
    through: Day,
    amount: AmountOrZero,
    entry: Identifier,
    value_date: Day,
    /** The rest: less than half a minor unit either way, which is carried on. */
    owed: InterestUnits,
    capitalised_at: Instant,
  }),
} as const

type InterestEvent = EventOf<typeof interestEvents>
type Data<Type extends keyof typeof interestEvents> = z.infer<(typeof interestEvents)[Type]>

type Rate = { readonly from: string; readonly rate_bp: number }

export type InterestState = {
  /** By their days. */
  readonly rates: readonly Rate[]
  /** The first day that has not borne interest yet; null: there are no terms. */
  readonly accruesFrom: string | null
  readonly capitalisedThrough: string | null
  readonly owed: bigint
  /** The book's movements up to here have borne interest; null: none has been accrued yet. */
  readonly revision: number | null
}

/** The last day of the period that is open: interest is capitalised behind each month. */
export const periodEndOf = ({ accruesFrom }: InterestState): string | null =>
  accruesFrom && lastOfMonth(accruesFrom)

const rateOn = (rates: readonly Rate[], day: string): bigint =>
  BigInt(rates.findLast(({ from }) => from <= day)?.rate_bp ?? 0)

const positive = (balance: bigint): bigint => (balance > 0n ? balance : 0n)

/**
 * What the days through `through` have borne. Days that bore interest before are counted again
 * where something has moved in them since: the difference is due now.
 */
export const earnedBy = (
  rates: readonly Rate[],
  { accrues_from, since, opening, moved }: DayBalances,
  through: string,
): bigint => {
  const byDay = Map.groupBy(moved, ({ day }) => day)
  let known = BigInt(opening)
  let now = known
  let earned = 0n
  for (let day = since; day <= through; day = dayAfter(day, 1)) {
    for (const { net, late } of byDay.get(day) ?? []) {
      now += BigInt(net)
      if (!late) known += BigInt(net)
    }
    const before = day < accrues_from ? positive(known) : 0n
    earned += (positive(now) - before) * rateOn(rates, day)
  }
  return earned
}

/** Whole minor units of what is owed, half to even; never less than nothing. */
export const payableOf = (owed: bigint): bigint =>
  owed <= 0n ? 0n : halfEven(owed, INTEREST_UNITS)

type SetTerms = Omit<Data<'InterestTermsSet'>, 'accrues_from'> & { readonly today: string }

const later = (one: string, other: string): string => (one > other ? one : other)
const MOST_DAYS_AHEAD = 366

const setTerms = (
  { accruesFrom, revision }: InterestState,
  { today, ...terms }: SetTerms,
): Decision<InterestEvent> => {
  const { from } = terms
  const settled = revision === null ? null : accruesFrom
  const first = later(`${today.slice(0, 8)}01`, settled ?? '')
  if (from < first || daysBetween(today, from) > MOST_DAYS_AHEAD) {
    const detail = `A rate holds from ${first} on at the earliest, and begins within a year.`
    return refuse('INTEREST_START_INVALID', detail, { earliest: first })
  }
  const isFirst = accruesFrom === null || from < accruesFrom
  return [
    { type: 'InterestTermsSet', data: { ...terms, accrues_from: isFirst ? from : accruesFrom } },
  ]
}

/** What is paid with an accrual, and the entry that paid it; null: too little to pay. */
type Booked = Pick<Data<'InterestCapitalised'>, 'amount' | 'entry' | 'value_date'> | null

type Accrue = {
  readonly book: string
  readonly account: string
  readonly balances: DayBalances
  readonly through: string
  readonly booked: Booked
  readonly at: string
}

/** What is owed with what the days have borne; undefined: they have been accrued by somebody. */
export const owedWith = (
  { rates, accruesFrom, owed }: InterestState,
  balances: DayBalances,
  through: string,
): { readonly earned: bigint; readonly owed: bigint } | undefined => {
  if (balances.accrues_from !== accruesFrom || through < accruesFrom) return undefined
  const earned = earnedBy(rates, balances, through)
  return { earned, owed: owed + earned }
}

const accrual = (state: InterestState, asked: Accrue): Data<'InterestAccrued'> | undefined => {
  const { book, account, balances, through, at } = asked
  const now = owedWith(state, balances, through)
  return (
    now && {
      ...{ book, account, from: balances.accrues_from, through, revision: balances.revision },
      ...{ earned: now.earned.toString(), owed: now.owed.toString(), accrued_at: at },
    }
  )
}

/**
 * Accrues, and records what was paid. What the book has paid is recorded also when somebody else
 * accrued at the same time; more or less than what is owed now stays owed.
 */
const accrue = (state: InterestState, asked: Accrue): Decision<InterestEvent> => {
  const { book, account, through, booked, at } = asked
  const accrued = accrual(state, asked)
  const events: InterestEvent[] = accrued ? [{ type: 'InterestAccrued', data: accrued }] : []
  if (booked === null || (state.capitalisedThrough ?? '') >= through) return events
  const owed = BigInt(accrued?.owed ?? state.owed) - BigInt(booked.amount) * INTEREST_UNITS
  const paid = { book, account, through, ...booked, owed: owed.toString(), capitalised_at: at }
  return [...events, { type: 'InterestCapitalised', data: paid }]
}

/** The interest that an account bears: its rates, what it has earned, what of it was paid. */
export const Interest = decider({
  category: 'interest',
  schemas: interestEvents,
  initial: (): InterestState => ({
    ...{ rates: [], accruesFrom: null, capitalisedThrough: null, owed: 0n, revision: null },
  }),
  evolve: {
    InterestTermsSet: (state, { from, rate_bp, accrues_from }): InterestState => ({
      ...state,
      accruesFrom: accrues_from,
      rates: [...state.rates.filter((rate) => rate.from !== from), { from, rate_bp }].sort(
        (one, other) => (one.from < other.from ? -1 : 1),
      ),
    }),
    InterestAccrued: (state, { through, owed, revision }): InterestState => ({
      ...{ ...state, revision, owed: BigInt(owed), accruesFrom: dayAfter(through, 1) },
    }),
    InterestCapitalised: (state, { through, owed }): InterestState => ({
      ...{ ...state, owed: BigInt(owed), capitalisedThrough: through },
    }),
  },
  decide: { setTerms, accrue },
})
