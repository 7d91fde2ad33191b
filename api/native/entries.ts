import { postEntry, reverseEntry } from '../../commands/ledger/index.ts'
import { getEntry, listEntries } from '../../projections/ledger/index.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Entries'
const book = 'example'

/** What may be in the way of any posting. */
export const posting = [
  'BOOK_NOT_FOUND',
  'ACCOUNT_NOT_FOUND',
  'ACCOUNT_FROZEN',
  'ACCOUNT_CLOSED',
  'INSUFFICIENT_FUNDS',
  'VELOCITY_LIMIT',
  'BALANCE_TOO_LARGE',
  'CONDITION_FAILED',
  'PERIOD_CLOSED',
  'VALUE_DATE_TOO_FAR',
  'HOLD_EXPIRY_PAST',
  'ENTRY_UNBALANCED',
  'IDEMPOTENCY_KEY_REUSED',
  'OVERLOADED',
] as const

export const entryRoutes: readonly Route[] = [
  write('post', '/v1/books/{book}/entries', postEntry, {
    tag,
    summary: 'Post an entry of several lines, in one asset or several',
    description: 'Debits and credits must be equal for each asset.',
    response: views.PostedEntry,
    problems: posting,
    example: {
      params: { book },
      body: {
        kind: 'payment',
        description: 'Card payment with a fee',
        conditions: [{ account: 'customers:1:checking', field: 'available', at_least: '2530' }],
        lines: [
          { account: 'customers:1:checking', direction: 'debit', amount: '2530' },
          { account: 'customers:2:checking', direction: 'credit', amount: '2500' },
          { account: 'income:fees', direction: 'credit', amount: '30' },
        ],
      },
    },
  }),
  read('/v1/books/{book}/entries', listEntries, {
    tag,
    summary: 'List the journal',
    response: views.pageOf(views.Entry, 'Entry'),
    problems: ['BAD_CURSOR'],
    example: { params: { book }, query: { kind: 'deposit', limit: '5' } },
  }),
  read('/v1/books/{book}/entries/{entry}', getEntry, {
    tag,
    summary: 'Show an entry',
    response: views.Entry,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { book, entry: '{entry}' } },
  }),
  write('post', '/v1/books/{book}/entries/{entry}/reversal', reverseEntry, {
    tag,
    summary: 'Take an entry back with a new one, at most once',
    response: views.PostedEntry,
    problems: ['ENTRY_NOT_FOUND', 'ENTRY_REVERSED', 'REVERSAL_OF_REVERSAL', ...posting],
    example: {
      params: { book, entry: '{mistake}' },
      body: { description: 'Booked on the wrong customer' },
    },
  }),
]
