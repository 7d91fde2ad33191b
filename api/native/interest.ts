import { z } from '@hono/zod-openapi'
import { setInterestTerms, settleInterest } from '../../commands/interest.ts'
import { BasisPoints, payableOf } from '../../domain/interest.ts'
import { AccountCode, BookId } from '../../domain/ledger/events.ts'
import {
  getDayBalances,
  getInterest,
  listInterestPeriods,
} from '../../projections/interest_queries.ts'
import { ask, route, tell } from '../contract.ts'
import { type Call, type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Interest'
const path = '/v1/books/{book}/accounts/{account}/interest'
const params = { book: 'main', account: 'customers:1000-0001-0002' }

const ByAccount = z.object({ book: BookId, account: AccountCode })
const Rate = z.object({ from: z.string(), rate_bp: BasisPoints })

const Interest = z
  .object({
    book: z.string(),
    account: views.Code,
    rates: z.array(Rate),
    accrues_from: z.string().openapi({ description: 'the first day that was not accrued yet' }),
    due_on: z.string().openapi({ description: 'when it is capitalised' }),
    accrued: views.Minor.openapi({ description: 'minor units, of all days that are over' }),
    accrued_through: z.string(),
  })
  .openapi('Interest')

const Period = z
  .object({
    from: z.string(),
    through: z.string(),
    amount: views.Minor,
    entry: z.string().nullable(),
    value_date: z.string().nullable(),
  })
  .openapi('InterestPeriod')

type Found = Awaited<ReturnType<typeof getInterest.run>>

const interestView = ({ owed, through, ...found }: NonNullable<Found>) => ({
  ...found,
  accrued: payableOf(owed).toString(),
  accrued_through: through,
})

/** What it is settled from must show all that was booked until now, by whomever. */
const settle = async (call: Call<z.infer<typeof ByAccount>>) => {
  const consistency = (await call.services.ports.store.head())?.commit ?? 0n
  const balances = await ask({ ...call, consistency }, getDayBalances, call.input)
  // Nobody else than the log says whether it was done before: what it is settled from changes.
  const receipt = await tell({ ...call, key: undefined }, settleInterest, {
    ...call.input,
    balances,
  })
  const { book, account, through, amount, entry } = receipt.answer
  return {
    body: { book, account, through, amount, entry },
    headers: call.services.receiptHeaders(receipt),
  }
}

const missing = ['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND'] as const

export const interestRoutes: readonly Route[] = [
  write('put', path, setInterestTerms, {
    tag,
    summary: "Set the rate at which a customer's account bears interest from a day on",
    description:
      'In hundredths of a per cent a year, 0 for none; ACT/365 fixed on the balance of each day by ' +
      'value date. Capitalised on the first of each month, rounded half to even, the rest carried ' +
      'on. A rate may begin on the first of this month, today or within a year.',
    response: z.object({ book: z.string(), account: views.Code, ...Rate.shape }),
    problems: [...missing, 'ACCOUNT_CLOSED', 'INTEREST_START_INVALID'],
    example: { params, body: { rate_bp: 850 } },
  }),
  read(path, getInterest, {
    tag,
    summary: 'Show the rates of an account, and what it has borne since it was paid last',
    response: Interest,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params },
    view: interestView,
  }),
  read(`${path}/periods`, listInterestPeriods, {
    tag,
    summary: 'List what an account has borne and was paid, newest first',
    response: views.pageOf(Period, 'InterestPeriod'),
    problems: ['RESOURCE_NOT_FOUND', 'BAD_CURSOR'],
    example: { params },
  }),
  route('post', `${path}/settlement`, 'accounts:manage', {
    tag,
    summary: 'Pay at once what an account has borne through yesterday, as before it is closed',
    input: ByAccount,
    response: z.object({
      ...{ book: z.string(), account: views.Code, through: z.string() },
      ...{ amount: views.Minor, entry: z.string().nullable() },
    }),
    problems: [...missing, 'RESOURCE_NOT_FOUND', 'INTEREST_NOT_DUE', 'ACCOUNT_FROZEN'],
    example: { params, body: {}, refused: 'INTEREST_NOT_DUE' },
    run: settle,
  }),
]
