import { z } from 'zod'
import { dayAfter, dayOf } from '../domain/calendar.ts'
import { idFrom } from '../domain/ids.ts'
import {
  BasisPoints,
  DayBalances,
  Interest,
  type InterestState,
  interestExpenseOf,
  owedWith,
  payableOf,
  periodEndOf,
} from '../domain/interest.ts'
import { type Decoded, isRefusal, type Refusal, refuse } from '../domain/kernel.ts'
import { firstBookableDay } from '../domain/ledger/checks.ts'
import { AccountCode, BookId, Day } from '../domain/ledger/events.ts'
import { Ledger } from '../domain/ledger/index.ts'
import { pairOf } from '../domain/ledger/lines.ts'
import type { Account, Book } from '../domain/ledger/state.ts'
import { openMissing } from './chart.ts'
import { command, type Enrichment, submitStep } from './kernel.ts'
import { bookOnce } from './ledger/bookings.ts'
import { dataOf, entryOf, existingBook } from './ledger/kernel.ts'
import { type Looking, lookAt } from './look.ts'

const ByAccount = { book: BookId, account: AccountCode }
type ByAccount = { readonly book: string; readonly account: string }

/** A book's name has no colon. */
const streamOf = ({ book, account }: ByAccount): string => `${book}:${account}`

const lookAtInterest = (ports: Looking, of: ByAccount): Promise<InterestState> =>
  lookAt(ports, Interest, streamOf(of))

/** A customer's account, which alone bears interest, in its book. */
const bearing = async (
  { ports }: Pick<Enrichment, 'ports'>,
  { book, account: code }: ByAccount,
): Promise<{ readonly state: Book; readonly account: Account } | Refusal> => {
  const state = await existingBook(ports, book)
  if (isRefusal(state)) return state
  const account = state.accounts.get(code)
  if (!account || account.owner === null || account.type !== 'liability') {
    return refuse('ACCOUNT_NOT_FOUND', `There is no customer's account ${code}.`, { account: code })
  }
  return { state, account }
}

/** Opens what the interest is booked against, once. */
const openExpense = (
  { ports, context, at }: Enrichment,
  book: string,
  asset: string,
): Promise<unknown> => {
  const account = interestExpenseOf(asset)
  const type = 'expense' as const
  const wanted = [{ account, type, name: 'Interest on savings', overdraft_limit: 'unlimited' }]
  return submitStep(
    ports,
    {
      ...{ name: 'interest.set_terms', decider: Ledger, stream: book, on: 'existing' },
      otherwise: 'BOOK_NOT_FOUND',
      decide: (state: Book) => openMissing(state, { wanted, asset, at }),
    },
    context,
  )
}

/** The rate at which a customer's account bears interest from a day on; 0: none. */
export const setInterestTerms = command({
  name: 'interest.set_terms',
  permission: 'accounts:manage',
  input: z.strictObject({
    ...ByAccount,
    rate_bp: BasisPoints,
    /** Absent: today. */
    from: Day.optional(),
  }),
  decider: Interest,
  stream: streamOf,
  on: 'any',
  otherwise: 'ACCOUNT_NOT_FOUND',
  ifMatch: 'stream',
  enrich: async ({ from, ...input }, enrichment) => {
    const found = await bearing(enrichment, input)
    if (isRefusal(found)) return found
    const { state, account } = found
    if (account.status === 'closed') {
      return refuse('ACCOUNT_CLOSED', `Account ${account.code} is closed.`)
    }
    const { context, at } = enrichment
    await openExpense(enrichment, input.book, account.asset)
    const today = dayOf(at, state.timeZone)
    return { ...input, from: from ?? today, today, set_by: context.actor.id, set_at: at }
  },
  decide: Interest.decide.setTerms,
  answer: (events) => {
    type Set = { book: string; account: string; rate_bp: number; from: string }
    const { book, account, rate_bp, from } = dataOf<Set>(events, 'InterestTermsSet')
    return { book, account, rate_bp, from }
  },
})

type Accruing = ByAccount & { readonly balances: DayBalances }

/** Books what is owed; null: too little. The key says through which day, so it is booked once. */
const bookInterest = async (
  { book, account: code, through }: ByAccount & { readonly through: string },
  amount: bigint,
  { state, account }: { readonly state: Book; readonly account: Account },
  enrichment: Enrichment,
) => {
  if (amount === 0n) return null
  const { context, at } = enrichment
  const key = `interest:${code}:${through}`
  const id = idFrom(`${book} ${key}`)
  const outcome = await bookOnce(
    enrichment,
    {
      ...{ book, key, causation: 'interest.capitalise' },
      posting: {
        ...{ id, at, kind: 'interest', description: 'Interest', metadata: { through } },
        value_date: firstBookableDay(state, dayAfter(through, 1), at),
        lines: pairOf(interestExpenseOf(account.asset), code, amount.toString()),
      },
    },
    context.dryRun,
  )
  if (isRefusal(outcome)) return outcome
  // What was booked before under the key stands, whatever it would come to now.
  const { lines, value_date } = entryOf(outcome.events)
  return { amount: lines[0]?.amount ?? '0', entry: id, value_date }
}

const notDue = (detail: string): Refusal => refuse('INTEREST_NOT_DUE', detail)

const accruing = (
  name: string,
  permission: 'clock:work' | 'accounts:manage',
  /** The last day to bear interest now. */
  throughOf: (state: InterestState, yesterday: string) => string | null,
) =>
  command({
    ...{ name, permission, decider: Interest, stream: streamOf },
    input: z.strictObject({ ...ByAccount, balances: DayBalances }),
    on: 'existing',
    otherwise: 'INTEREST_TERMS_MISSING',
    ifMatch: 'stream',
    enrich: async ({ balances, ...of }: Accruing, enrichment) => {
      const found = await bearing(enrichment, of)
      if (isRefusal(found)) return found
      const state = await lookAtInterest(enrichment.ports, of)
      const yesterday = dayAfter(dayOf(enrichment.at, found.state.timeZone), -1)
      const through = throughOf(state, yesterday)
      if (through === null || through > yesterday) return notDue(`${through} is not over yet.`)
      const owed = owedWith(state, balances, through)?.owed
      if (owed === undefined) return notDue(`It has been accrued through ${through}.`)
      const booked = await bookInterest({ ...of, through }, payableOf(owed), found, enrichment)
      if (isRefusal(booked)) return booked
      return { ...of, balances, through, booked, at: enrichment.at }
    },
    decide: Interest.decide.accrue,
    answer: (events: readonly Decoded[], { book, account }, { through, booked }) => ({
      ...{ book, account, through, amount: booked?.amount ?? '0', entry: booked?.entry ?? null },
      done: events.length > 0,
    }),
  })

/** Behind the last day of a month: what the month has borne is paid, counting from the next. */
export const capitaliseInterest = accruing('interest.capitalise', 'clock:work', periodEndOf)

/** Before an account is closed: pays what it has borne through yesterday. */
export const settleInterest = accruing(
  'interest.settle',
  'accounts:manage',
  (_state, yesterday) => yesterday,
)
