import { captureHold, placeHold, releaseHold } from '../../commands/ledger/index.ts'
import { getHold, listHolds } from '../../projections/ledger/index.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Holds'
const book = 'example'
const account = 'customers:1:checking'
const ending = ['BOOK_NOT_FOUND', 'HOLD_NOT_OPEN'] as const

export const holdRoutes: readonly Route[] = [
  write('post', '/v1/books/{book}/holds', placeHold, {
    tag,
    summary: 'Set money aside: it stays on the account but is not available',
    response: views.Hold,
    problems: ['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'INSUFFICIENT_FUNDS', 'HOLD_EXPIRY_PAST'],
    example: {
      params: { book },
      body: {
        account,
        amount: '6000',
        description: 'Hotel',
        expires_at: '2099-12-31T00:00:00.000Z',
      },
      capture: { hold: 'id' },
    },
    furtherExamples: [
      { params: { book }, body: { account, amount: '500' }, capture: { other_hold: 'id' } },
    ],
  }),
  read('/v1/books/{book}/holds', listHolds, {
    tag,
    summary: 'List holds',
    response: views.pageOf(views.HoldState, 'Hold'),
    problems: ['BAD_CURSOR'],
    example: { params: { book }, query: { status: 'open', account } },
  }),
  read('/v1/books/{book}/holds/{hold}', getHold, {
    tag,
    summary: 'Show a hold',
    response: views.HoldState,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { book, hold: '{hold}' } },
  }),
  write('post', '/v1/books/{book}/holds/{hold}/captures', captureHold, {
    tag,
    summary: 'Spend from a hold: all of it, a part, or a last part',
    description: '`final` gives back what is left afterwards.',
    response: views.PostedEntry,
    problems: [...ending, 'HOLD_EXCEEDED', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_FROZEN'],
    example: {
      params: { book, hold: '{hold}' },
      body: { to: 'customers:2:checking', amount: '4500', final: true },
    },
  }),
  write('post', '/v1/books/{book}/holds/{hold}/release', releaseHold, {
    tag,
    summary: 'Give back what a hold has left',
    status: 200,
    response: views.HoldReleased,
    problems: ending,
    example: { params: { book, hold: '{other_hold}' } },
  }),
]
