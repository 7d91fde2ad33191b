import { z } from '@hono/zod-openapi'
import {
  approveTransfer,
  changeGating,
  declineTransfer,
  type Held,
  postTransfer,
} from '../../commands/ledger/index.ts'
import { Gating, Screening } from '../../domain/screening.ts'
import { getScreenedTransfer, listScreenedTransfers } from '../../projections/ledger/index.ts'
import { type Route, read, write } from '../route.ts'
import { posting } from './entries.ts'
import * as views from './views.ts'

const tag = 'Transfers'
const book = 'example'

const HeldTransfer = z
  .object({ id: z.string(), status: z.literal('held'), expires_at: views.Timestamp.nullable() })
  .openapi('HeldTransfer')

const ScreenedTransfer = z
  .object({
    book: z.string(),
    transfer: z.string(),
    from: views.Code,
    to: views.Code,
    amount: views.Minor,
    asset: z.string(),
    kind: z.string(),
    description: z.string(),
    reference: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    asked_by: z.string(),
    asked_at: views.Timestamp,
    screening: Screening,
    status: z.enum(['held', 'approved', 'declined', 'expired']),
    expires_at: views.Timestamp.nullable(),
    decided_by: z.string().nullable(),
    decided_at: views.Timestamp.nullable(),
    reason: z.string().nullable(),
  })
  .openapi('ScreenedTransfer')

const isHeld = (answer: object): answer is Held => 'status' in answer && answer.status === 'held'

const deciding = ['BOOK_NOT_FOUND', 'HOLD_NOT_OPEN', 'MAKER_IS_CHECKER'] as const

export const transferRoutes: readonly Route[] = [
  write('post', '/v1/books/{book}/transfers', postTransfer, {
    tag,
    summary: 'Transfer money: debit one account, credit another',
    description:
      '`from` is debited and `to` is credited. A cash deposit is a transfer from the cash account ' +
      'to the customer; with `hold_until`, the customer cannot use it before then. With ' +
      '`"risk": "gate"`, or where the account says so, it is scored first: 202 says that it is ' +
      'held until somebody approves or declines it.',
    response: views.PostedEntry,
    accepted: { response: HeldTransfer, when: isHeld },
    problems: [...posting, 'SAME_ACCOUNT', 'TRANSFER_DECLINED'],
    example: {
      params: { book },
      body: {
        from: 'cash:vault',
        to: 'customers:1:checking',
        amount: '100000',
        kind: 'deposit',
        description: 'Cash deposit',
      },
      capture: { entry: 'id' },
    },
    furtherExamples: [
      {
        params: { book },
        body: { from: 'cash:vault', to: 'customers:1:checking', amount: '700', kind: 'deposit' },
        capture: { mistake: 'id' },
      },
    ],
  }),
]

/** Behind the policies, whose examples have an account watched. */
export const heldRoutes: readonly Route[] = [
  write('put', '/v1/books/{book}/accounts/{account}/risk', changeGating, {
    tag,
    summary: 'Let what is transferred from an account pass the risk gate, or no longer',
    response: z.object({ book: z.string(), account: views.Code, risk: Gating }),
    problems: ['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_CLOSED', 'REVISION_MISMATCH'],
    example: { params: { book, account: 'customers:2:checking' }, body: { risk: 'gate' } },
  }),
  read('/v1/books/{book}/screened-transfers', listScreenedTransfers, {
    tag,
    summary: 'List transfers that the risk gate held or declined, newest first',
    response: views.pageOf(ScreenedTransfer, 'ScreenedTransfer'),
    problems: ['BAD_CURSOR'],
    example: { params: { book }, query: { status: 'held' } },
  }),
  read('/v1/books/{book}/screened-transfers/{transfer}', getScreenedTransfer, {
    tag,
    summary: 'Show a transfer that the risk gate held or declined, and why',
    response: ScreenedTransfer,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { book, transfer: '{held}' } },
  }),
  write('post', '/v1/books/{book}/screened-transfers/{transfer}/approve', approveTransfer, {
    tag,
    summary: 'Book a held transfer; never by whoever asked for it',
    response: views.PostedEntry,
    problems: [...deciding, 'ACCOUNT_FROZEN', 'ACCOUNT_CLOSED', 'PERIOD_CLOSED'],
    example: { params: { book, transfer: '{held}' }, body: {}, by: 'another' },
  }),
  write('post', '/v1/books/{book}/screened-transfers/{transfer}/decline', declineTransfer, {
    tag,
    summary: 'Give back what a held transfer keeps; never by whoever asked for it',
    status: 200,
    response: z.object({ transfer: z.string(), status: z.literal('declined') }),
    problems: deciding,
    example: {
      params: { book, transfer: '{held_too}' },
      body: { reason: 'The customer did not ask for it' },
      by: 'another',
    },
  }),
]
