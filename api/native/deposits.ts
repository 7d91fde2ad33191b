import { z } from '@hono/zod-openapi'
import { bringForward, coverDeposit, openDeposit } from '../../commands/deposits.ts'
import { Product } from '../../domain/deposits.ts'
import { listDeposits } from '../../projections/deposits.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Deposits'
const book = 'main'

const Opened = z.object({
  book: z.string(),
  account: z.string(),
  id: z.int(),
  account_number: z.string(),
  product: Product,
  customer: z.string(),
  asset: z.string(),
  opened_at: z.iso.datetime({ precision: 3 }),
})

const Deposit = z
  .object({
    id: z.int(),
    account: z.string(),
    account_number: z.string(),
    product: Product,
    asset: z.string(),
    owner: z.string(),
    status: z.enum(['active', 'frozen', 'closed']),
    balance: z.string(),
    available: z.string(),
    covered_by: z.string().nullable(),
  })
  .openapi('Deposit')

const alice = { customer: '{holder}', account_number: '1000-0001-0001', product: 'checking' }
const savings = { ...alice, account_number: '1000-0001-0002', product: 'savings' }
const checking = 'customers:1000-0001-0001'
const susu = {
  ...{ customer: '{holder}', account_number: '2231-0001' },
  ...{ product: 'daily_susu', asset: 'GHS/2' },
}

export const depositRoutes: readonly Route[] = [
  write('post', '/v1/books/{book}/deposits', openDeposit, {
    tag,
    summary: "Open a customer's account",
    description:
      'Its ledger account is `customers:<number>`. Without `velocity_limits`, 500.00 of withdrawals ' +
      'and 2,500.00 of transfers may leave it in a day by card.',
    response: Opened,
    problems: ['BOOK_NOT_FOUND', 'CUSTOMER_NOT_FOUND', 'ACCOUNT_EXISTS', 'ASSET_UNKNOWN'],
    example: { params: { book }, body: alice, capture: { checking_id: 'id' } },
    furtherExamples: [
      { params: { book }, body: savings, capture: { savings_id: 'id' } },
      { params: { book }, body: susu },
    ],
  }),
  read('/v1/books/{book}/deposits', listDeposits, {
    tag,
    summary: "List a customer's accounts",
    response: views.pageOf(Deposit, 'Deposit'),
    problems: ['BAD_CURSOR'],
    example: { params: { book }, query: { customer: '{holder}' } },
  }),
  write('post', '/v1/books/{book}/deposits/{account}/opening-balance', bringForward, {
    tag,
    summary: 'Bring a balance forward from where the account was kept before',
    response: views.PostedEntry,
    problems: ['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_FROZEN', 'ACCOUNT_CLOSED'],
    example: { params: { book, account: checking }, body: { amount: '525000' } },
    furtherExamples: [{ params: { book, account: 'cash:vault' }, body: { amount: '2000000' } }],
  }),
  write('put', '/v1/books/{book}/deposits/{account}/cover', coverDeposit, {
    tag,
    summary: 'Choose the account that makes up for what this one lacks, or none',
    response: z.object({
      book: z.string(),
      account: z.string(),
      covered_by: z.string().nullable(),
    }),
    problems: ['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'ACCOUNT_CLOSED', 'COVER_UNSUITABLE'],
    example: {
      params: { book, account: checking },
      body: { covered_by: 'customers:1000-0001-0002' },
    },
  }),
]
