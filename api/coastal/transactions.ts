import { z } from '@hono/zod-openapi'
import {
  approvePayment,
  carryOutPayment,
  rejectPayment,
  requestCounterPayment,
  requestPayment,
} from '../../commands/payments/index.ts'
import { SusuProduct } from '../../domain/deposits.ts'
import { PaymentKind } from '../../domain/payments.ts'
import {
  findDeposit,
  findHolder,
  type KeptDepositView,
  pageDeposits,
} from '../../projections/deposit_pages.ts'
import { findPayment, type PaymentView, pagePayments } from '../../projections/payment_queries.ts'
import { ask, route, tell } from '../contract.ts'
import { answerOnce } from '../kept_answers.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import { invalidField, ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { ADMIN, afterwards, found, kept, noSuch, STAFF } from './accounts.ts'
import { GivenAmount, GivenId } from './amounts.ts'
import { Status, statuses, Transaction, transactionOf } from './transaction_views.ts'

const tag = 'Transactions'
const headers = ['X-Idempotency-Key'] as const
const PAGE_SIZE = 20
const MOST = 100

const show = (call: Call, number: number): Promise<PaymentView> =>
  ask(call, findPayment, { ...kept, number })

/** Has the ledger book what was let pass. The key belongs to the request, not to what follows. */
const settle = async (call: Call, payment: string, status: 'accepted' | 'pending') => {
  if (status === 'accepted') await tell({ ...call, key: undefined }, carryOutPayment, { payment })
}

const Account = GivenId.nullish()

const Request = z.object({
  transaction_type: PaymentKind,
  from_account: Account,
  to_account: Account,
  amount: GivenAmount,
  description: z.string().trim().max(256).default(''),
})
type Request = z.infer<typeof Request>

/** Money may go to anybody's account, so that one may be named too. */
const accountOf = async (
  call: Call,
  field: 'from_account' | 'to_account',
  id: number | null | undefined,
): Promise<KeptDepositView | null> => {
  if (id === null || id === undefined) return null
  const account = await found(ask({ ...call, reach: 'all' }, findDeposit, { ...kept, id }))
  if (!account) throw new ProblemError(invalidField(field, noSuch(id)))
  return account
}

/** Staff serve customers at the counter: here, everybody moves his own money. */
const requireOwn = ({ identity }: Call, account: KeptDepositView | null): void => {
  if (account === null || account.owner === identity.id) return
  throw new ProblemError(problem('ACCOUNT_NOT_OWNED', 'You do not own this account.'))
}

const request = async (call: Call<Request>) => {
  const { transaction_type: kind, amount, description, from_account, to_account } = call.input
  const from = await accountOf(call, 'from_account', from_account)
  const to = await accountOf(call, 'to_account', to_account)
  requireOwn(call, from ?? to)
  const sides = { from: from?.account ?? null, to: to?.account ?? null }
  const asked = { book: kept.book, kind, amount, description, ...sides }
  const { answer } = await tell(call, requestPayment, asked)
  await settle(call, answer.payment, answer.status)
  return { body: transactionOf(await show(afterwards(call), answer.number)) }
}

const Counter = z.object({
  member_id: GivenId,
  type: z.enum(['deposit', 'withdrawal']),
  amount: GivenAmount,
  account_type: SusuProduct,
  description: z.string().trim().max(256).default(''),
})

/** Who cannot be served by the caller is there, but no client of his. */
const requireServable = async (call: Call, number: number): Promise<void> => {
  await ask({ ...call, reach: 'all' }, findHolder, { number })
  if (await found(ask(call, findHolder, { number }))) return
  throw new ProblemError(problem('CLIENT_NOT_ASSIGNED', 'The member is not one of your clients.'))
}

/** The member's oldest account of a type: one that is active, if there is one. */
export const memberAccount = async (
  call: Call,
  owner_number: number,
  product: SusuProduct,
): Promise<KeptDepositView> => {
  await requireServable(call, owner_number)
  const asked = { ...kept, owner_number, product, page: 1, page_size: MOST }
  const { results } = await ask(call, pageDeposits, asked)
  const account = results.find(({ status }) => status === 'active') ?? results[0]
  if (account) return account
  throw new ProblemError(problem('ACCOUNT_NOT_FOUND', 'The member has no account of this type.'))
}

const serve = async (call: Call<z.infer<typeof Counter>>) => {
  const { member_id, type: kind, amount, account_type, description } = call.input
  const { account } = await memberAccount(call, member_id, account_type)
  const asked = { book: kept.book, kind, account, amount, description }
  const { answer } = await tell(call, requestCounterPayment, asked)
  await settle(call, answer.payment, answer.status)
  return { body: transactionOf(await show(afterwards(call), answer.number)) }
}

const ById = z.object({ id: GivenId })

const approve = async (call: Call<z.infer<typeof ById>>) => {
  const { payment, number } = await show(call, call.input.id)
  const { answer } = await tell(call, approvePayment, { payment })
  await settle(call, payment, answer.status)
  return { body: transactionOf(await show(afterwards(call), number)) }
}

const Rejection = ById.extend({ reason: z.string().trim().max(256).default('') })

const reject = async (call: Call<z.infer<typeof Rejection>>) => {
  const { payment, number } = await show(call, call.input.id)
  await tell(call, rejectPayment, { payment, reason: call.input.reason })
  return { body: transactionOf(await show(afterwards(call), number)) }
}

const Listing = z.object({
  transaction_type: PaymentKind.optional(),
  status: Status.optional(),
  search: z.string().trim().max(256).optional(),
  ordering: z.enum(['timestamp', '-timestamp', 'amount', '-amount']).default('-timestamp'),
  ...numberedPaging(PAGE_SIZE, MOST),
})
type Listing = z.infer<typeof Listing>

const list = async (call: Call<Listing>) => {
  const { transaction_type: kind, status, search, ordering, page, page_size } = call.input
  const asked = {
    ...{ ...kept, order: ordering, page, page_size },
    ...(kind !== undefined && { kind }),
    ...(status !== undefined && { statuses: [...statuses[status]] }),
    ...(search !== undefined && { search }),
  }
  const results = await ask(call, pagePayments, asked)
  return { body: numberedPage(call, call.input, results, transactionOf) }
}

const moving = [
  ...(['INSUFFICIENT_FUNDS', 'ACCOUNT_FROZEN', 'ACCOUNT_CLOSED', 'TRANSFER_DECLINED'] as const),
  ...(['IDEMPOTENCY_KEY_REUSED', 'REQUEST_UNDER_WAY'] as const),
] as const
const deciding = ['RESOURCE_NOT_FOUND', 'PAYMENT_NOT_PENDING', 'MAKER_IS_CHECKER'] as const

const listing = {
  tag,
  input: Listing,
  response: numberedPageOf(Transaction, 'CoastalTransaction'),
  problems: ['RESOURCE_NOT_FOUND'],
  run: list,
} as const

export const transactionRoutes: readonly Route[] = [
  route('post', '/api/transactions/', 'transfers:post', {
    tag,
    summary: "Move money of one's own account",
    description:
      'From 5,000.00 on it waits for approval (`pending_approval`), and no money moves before.',
    status: 201,
    headers,
    input: Request,
    response: Transaction,
    problems: [...moving, 'ACCOUNT_NOT_OWNED', 'PAYMENT_PARTIES_UNFIT', 'SAME_ACCOUNT'],
    example: {
      ...STAFF,
      body: { transaction_type: 'deposit', to_account: '{coastal_account}', amount: '250.00' },
      capture: { coastal_deposit: 'id' },
    },
    furtherExamples: [
      {
        ...STAFF,
        body: { transaction_type: 'withdrawal', from_account: '{coastal_account}', amount: 20.5 },
        capture: { coastal_transaction: 'id' },
      },
    ],
    run: (call) => answerOnce(call, request),
  }),
  route('get', '/api/transactions/', 'entries:read', {
    ...listing,
    summary: 'List transactions: staff see all, customers those they are part of',
    example: { ...STAFF, query: { status: 'completed', ordering: '-amount' } },
  }),
  route('get', '/api/transactions/search/', 'entries:read', {
    ...listing,
    summary: 'Search transactions by reference and description',
    example: { ...STAFF, query: { search: 'TXN-' } },
  }),
  route('post', '/api/transactions/process/', 'payments:counter', {
    tag,
    summary: 'Take cash in over the counter for a member, or pay it out',
    status: 201,
    headers,
    input: Counter,
    response: Transaction,
    problems: [...moving, 'RESOURCE_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'CLIENT_NOT_ASSIGNED'],
    example: {
      ...ADMIN,
      body: {
        ...{ member_id: '{ada_number}', type: 'deposit', amount: '100.00' },
        account_type: 'member_savings',
      },
    },
    run: (call) => answerOnce(call, serve),
  }),
  route('get', '/api/transactions/{id}/', 'entries:read', {
    tag,
    summary: 'Show a transaction',
    input: ById,
    response: Transaction,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, params: { id: '{coastal_transaction}' } },
    run: async (call) => ({ body: transactionOf(await show(call, call.input.id)) }),
  }),
  route('post', '/api/transactions/{id}/approve/', 'payments:approve', {
    tag,
    summary: 'Let a transaction pass: never by whoever asked for it, or whose account it is',
    description: 'It is checked again: what cannot be booked now has failed.',
    headers,
    input: ById,
    response: Transaction,
    problems: [...moving, ...deciding],
    example: { ...STAFF, params: { id: '{coastal_pending}' }, body: {} },
    run: (call) => answerOnce(call, approve),
  }),
  route('post', '/api/transactions/{id}/reject/', 'payments:approve', {
    tag,
    summary: 'Cancel a transaction that waits: never by whoever asked for it',
    headers,
    input: Rejection,
    response: Transaction,
    problems: deciding,
    example: {
      ...{ ...STAFF, params: { id: '{coastal_other_pending}' } },
      body: { reason: 'The customer did not ask for it' },
    },
    run: (call) => answerOnce(call, reject),
  }),
]
