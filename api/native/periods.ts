import { closePeriod } from '../../commands/ledger/index.ts'
import { listPeriods, trialBalance } from '../../projections/ledger/index.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Periods'
const book = 'example'

export const periodRoutes: readonly Route[] = [
  read('/v1/books/{book}/trial-balance', trialBalance, {
    tag,
    summary: 'Show the trial balance, now or as it stood',
    description: 'By control account: the first part of the account code.',
    response: views.TrialBalance,
    example: { params: { book } },
  }),
  write('post', '/v1/books/{book}/periods', closePeriod, {
    tag,
    summary: 'Close the books through a day',
    description: 'No entry may bear a value date in a closed period.',
    response: views.PeriodClosed,
    problems: ['BOOK_NOT_FOUND', 'PERIOD_CLOSED', 'PERIOD_NOT_OVER'],
    example: { params: { book }, body: { through: '2025-12-31' } },
  }),
  read('/v1/books/{book}/periods', listPeriods, {
    tag,
    summary: 'List closed periods with their trial balances',
    response: views.pageOf(views.Period, 'Period'),
    problems: ['BAD_CURSOR'],
    example: { params: { book } },
  }),
]
