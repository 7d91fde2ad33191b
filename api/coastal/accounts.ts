import { z } from '@hono/zod-openapi'
import { openDeposit } from '../../commands/deposits.ts'
import { SusuProduct } from '../../domain/deposits.ts'
import {
  findDeposit,
  findHolder,
  type KeptDepositView,
  pageDeposits,
} from '../../projections/deposit_pages.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { answerOnce } from '../kept_answers.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import { invalidField, ProblemError } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { ASSET, Cedis, cedis, GivenId } from './amounts.ts'

const tag = 'Accounts'
/** Somebody who is logged in to the bank as staff. */
export const STAFF = { headers: { Authorization: 'Bearer {coastal_access}' } }
export const ADMIN = { headers: { Authorization: 'Bearer {coastal_admin}' } }
const PAGE_SIZE = 20
const MOST = 100
export const kept = { book: 'main', asset: ASSET } as const

const names: Readonly<Record<SusuProduct, string>> = {
  daily_susu: 'Daily Susu',
  member_savings: 'Member Savings',
  youth_savings: 'Youth Savings',
  shares: 'Shares',
}

const Account = z
  .object({
    id: z.int(),
    user: z.int().nullable(),
    account_number: z.string().openapi({ example: '2231889862172' }),
    account_type: SusuProduct,
    account_type_display: z.string(),
    balance: Cedis,
    calculated_balance: Cedis,
    is_active: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi('CoastalAccount')

const accountOf = (deposit: KeptDepositView) => ({
  id: deposit.id,
  user: deposit.owner_number,
  account_number: deposit.account_number,
  account_type: deposit.product,
  account_type_display: names[deposit.product as SusuProduct] ?? deposit.product,
  balance: cedis(deposit.balance),
  calculated_balance: cedis(deposit.journal_balance),
  is_active: deposit.status === 'active',
  created_at: instant(deposit.opened_at),
  updated_at: instant(deposit.moved_at),
})

const Truth = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0']))
  .transform((text) => text === 'true' || text === '1')

const Filters = z.object({
  account_type: SusuProduct.optional(),
  is_active: Truth.optional(),
  search: z.string().trim().max(64).optional(),
})

const filtersOf = ({ account_type, is_active, search }: z.infer<typeof Filters>) => ({
  ...kept,
  ...(account_type !== undefined && { product: account_type }),
  ...(is_active !== undefined && { active: is_active }),
  ...(search !== undefined && { search }),
})

const Listing = Filters.extend(numberedPaging(PAGE_SIZE, MOST))

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const { page, page_size } = call.input
  const found = await ask(call, pageDeposits, { ...filtersOf(call.input), page, page_size })
  return { body: numberedPage(call, call.input, found, accountOf) }
}

const listForStaff = async (call: Call<z.infer<typeof Filters>>) => {
  const asked = { ...filtersOf(call.input), page: 1, page_size: MOST }
  const { count, results } = await ask(call, pageDeposits, asked)
  return { body: { count, results: results.map(accountOf) } }
}

/** What is asked for, or undefined where there is nothing. */
export const found = async <Answer>(asked: Promise<Answer>): Promise<Answer | undefined> => {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ProblemError && error.problem.code === 'RESOURCE_NOT_FOUND')
      return undefined
    throw error
  }
}

/** As the framework says it of an id in a body. */
export const noSuch = (id: number): string => `Invalid pk "${id}" - object does not exist.`

/** Shows what this request has just written. */
export const afterwards = (call: Call): Call => ({
  ...call,
  consistency: call.services.newestWrite(),
})

const Opening = z.object({ user: GivenId, account_type: SusuProduct })

const open = async (call: Call<z.infer<typeof Opening>>) => {
  const { user: number, account_type } = call.input
  const owner = await found(ask({ ...call, reach: 'all' }, findHolder, { number }))
  if (!owner) throw new ProblemError(invalidField('user', noSuch(number)))
  const wanted = { ...kept, customer: owner.user, product: account_type, velocity_limits: [] }
  const { answer } = await tell(call, openDeposit, wanted)
  const opened = await ask(afterwards(call), findDeposit, { ...kept, id: answer.id })
  return { body: accountOf(opened) }
}

const ById = z.object({ id: GivenId })

export const accountRoutes: readonly Route[] = [
  route('post', '/api/accounts/', 'accounts:open', {
    tag,
    summary: 'Open an account for a user; a mobile banker for his clients',
    status: 201,
    headers: ['X-Idempotency-Key'],
    input: Opening,
    response: Account,
    problems: ['CLIENT_NOT_ASSIGNED'],
    example: {
      ...STAFF,
      body: { user: '{ada_number}', account_type: 'member_savings' },
      capture: { coastal_account: 'id' },
    },
    run: (call) => answerOnce(call, open),
  }),
  route('get', '/api/accounts/', 'accounts:read', {
    tag,
    summary:
      'List accounts: staff see all, mobile bankers those of their clients, customers their own',
    input: Listing,
    response: numberedPageOf(Account, 'CoastalAccount'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, query: { account_type: 'member_savings' } },
    run: list,
  }),
  route('get', '/api/accounts/{id}/', 'accounts:read', {
    tag,
    summary: 'Show an account',
    input: ById,
    response: Account,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, params: { id: '{coastal_account}' } },
    run: async (call) => ({
      body: accountOf(await ask(call, findDeposit, { ...kept, id: call.input.id })),
    }),
  }),
  route('get', '/api/banking/staff-accounts/', 'accounts:manage', {
    tag,
    summary: 'Look accounts up, at most 100 of them',
    input: Filters,
    response: z.object({ count: z.int(), results: z.array(Account) }),
    example: { ...STAFF, query: { search: '2231', is_active: 'true' } },
    run: listForStaff,
  }),
]
