import { z } from '@hono/zod-openapi'
import {
  changeTerms,
  closeAccount,
  freezeAccount,
  openAccount,
  unfreezeAccount,
} from '../../commands/ledger/index.ts'
import { type Query, query } from '../../projections/kernel.ts'
import type { AccountView } from '../../projections/ledger/index.ts'
import { getAccount, getBalance, listAccounts, listLines } from '../../projections/ledger/index.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Accounts'
const book = 'example'
const account = 'customers:1:checking'
const missing = ['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND'] as const
const changing = [...missing, 'ACCOUNT_CLOSED', 'REVISION_MISMATCH'] as const

const open = (details: object) => ({ params: { book }, body: { asset: 'USD/2', ...details } })

const getTerms: Query<typeof getAccount.input, AccountView | undefined> = query({
  ...getAccount,
  name: 'accounts.terms',
})

const Terms = z.object({ ...views.AccountTerms.shape, revision: z.int() }).openapi('Terms')

export const accountRoutes: readonly Route[] = [
  write('post', '/v1/books/{book}/accounts', openAccount, {
    tag,
    summary: 'Open an account',
    description:
      'The code places it in the chart of accounts. Without `overdraft_limit`, assets and ' +
      'liabilities may not go below zero; equity, income and expenses may.',
    response: views.AccountOpened,
    problems: ['BOOK_NOT_FOUND', 'ACCOUNT_EXISTS', 'ASSET_UNKNOWN'],
    example: {
      params: { book },
      body: { account, type: 'liability', asset: 'USD/2', name: 'Checking', owner: 'customer-1' },
    },
    location: (opened) => `/v1/books/${opened.book}/accounts/${opened.account}`,
    furtherExamples: [
      open({ account: 'customers:2:checking', type: 'liability', name: 'Checking', owner: 'c-2' }),
      open({ account: 'customers:3:checking', type: 'liability', name: 'Checking' }),
      open({ account: 'cash:vault', type: 'asset', name: 'Cash in the vault' }),
      open({ account: 'income:fees', type: 'income', name: 'Fees' }),
    ],
  }),
  read('/v1/books/{book}/accounts', listAccounts, {
    tag,
    summary: 'List accounts with their balances',
    response: views.pageOf(views.Account, 'Account'),
    problems: ['BAD_CURSOR'],
    example: { params: { book }, query: { prefix: 'customers:', order: 'account' } },
  }),
  read('/v1/books/{book}/accounts/{account}', getAccount, {
    tag,
    summary: 'Show an account',
    response: views.Account,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { book, account } },
  }),
  read('/v1/books/{book}/accounts/{account}/balance', getBalance, {
    tag,
    summary: 'Show a balance, now or as it stood',
    description: '`at` is an instant (entries booked up to then) or a log position.',
    response: views.Balance,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { book, account }, query: { at: '2026-01-31T23:59:59.999Z' } },
  }),
  read('/v1/books/{book}/accounts/{account}/lines', listLines, {
    tag,
    summary: 'List the lines of an account with its running balance',
    response: views.pageOf(views.StatementLine, 'StatementLine'),
    problems: ['BAD_CURSOR'],
    example: { params: { book, account }, query: { order: '-revision' } },
  }),
  read('/v1/books/{book}/accounts/{account}/terms', getTerms, {
    tag,
    summary: 'Show the terms of an account, with an ETag to change them',
    response: Terms,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { params: { book, account } },
    etag: ({ revision }) => revision,
    view: ({ overdraft_limit, velocity_limits, revision }) => ({
      overdraft_limit,
      velocity_limits,
      revision,
    }),
  }),
  write('put', '/v1/books/{book}/accounts/{account}/terms', changeTerms, {
    tag,
    summary: 'Change the overdraft and velocity limits',
    response: views.TermsChanged,
    problems: changing,
    example: {
      params: { book, account },
      body: {
        overdraft_limit: '10000',
        velocity_limits: [{ window: 'day', kind: 'withdrawal', amount: '50000' }],
      },
    },
  }),
  write('post', '/v1/books/{book}/accounts/{account}/freeze', freezeAccount, {
    tag,
    summary: 'Freeze an account: nothing may be booked on it',
    status: 200,
    response: views.AccountStatus,
    problems: [...changing, 'ACCOUNT_FROZEN'],
    example: { params: { book, account }, body: { reason: 'Reported stolen card' } },
  }),
  write('post', '/v1/books/{book}/accounts/{account}/unfreeze', unfreezeAccount, {
    tag,
    summary: 'Unfreeze an account',
    status: 200,
    response: views.AccountStatus,
    problems: [...changing, 'ACCOUNT_NOT_FROZEN'],
    example: { params: { book, account }, body: { reason: 'Card was found' } },
  }),
]

/** After everything else: an account must be empty to be closed, and stays so. */
export const closingRoutes: readonly Route[] = [
  write('post', '/v1/books/{book}/accounts/{account}/close', closeAccount, {
    tag,
    summary: 'Close an empty account for good',
    status: 200,
    response: views.AccountStatus,
    problems: [...changing, 'ACCOUNT_NOT_EMPTY'],
    example: {
      params: { book, account: 'customers:3:checking' },
      body: { reason: 'Customer moved away' },
    },
  }),
]
