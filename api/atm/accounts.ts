import { z } from '@hono/zod-openapi'
import { coverDeposit } from '../../commands/deposits.ts'
import {
  type DepositView,
  getDeposit,
  listDeposits,
  listMovements,
} from '../../projections/deposits.ts'
import { ask, route, tell } from '../contract.ts'
import { ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { asHolder } from './auth.ts'
import { holderOf } from './dialect.ts'
import { AccountSummary, MiniStatementEntry, miniEntryOf, summaryOf } from './views.ts'

const tag = 'Accounts'
const MINI_STATEMENT = 5

const AccountId = z
  .string()
  .regex(/^\d{1,15}$/, 'an account id is a whole number')
  .transform(Number)
const ById = z.object({ account_id: AccountId })
const one = { ...asHolder, params: { account_id: '{checking_id}' } }

/** He may have accounts of another product of the bank, which the machine knows nothing of. */
const isKnown = ({ product }: DepositView): boolean =>
  product === 'checking' || product === 'savings'

/** The holder's own account of this id; to him, others' are not there. */
const ownDeposit = async (call: Call, id: number): Promise<DepositView> => {
  const { book, customer } = holderOf(call)
  const missing = problem('ACCOUNT_NOT_FOUND', `There is no account ${id}.`)
  try {
    const deposit = await ask(call, getDeposit, { book, customer, id })
    if (isKnown(deposit)) return deposit
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'RESOURCE_NOT_FOUND') throw error
  }
  throw new ProblemError(missing)
}

/** All of them: nobody has more than a page. */
const MOST = 200
const ownDeposits = async (call: Call): Promise<readonly DepositView[]> => {
  const { book, customer } = holderOf(call)
  return (await ask(call, listDeposits, { book, customer, limit: MOST })).items.filter(isKnown)
}

const Cover = z.object({ account_id: z.int(), savings_account_id: z.int().nullable() })

const showCover = async (call: Call<z.infer<typeof ById>>) => {
  const deposit = await ownDeposit(call, call.input.account_id)
  const cover = (await ownDeposits(call)).find(({ account }) => account === deposit.covered_by)
  return { body: { account_id: deposit.id, savings_account_id: cover?.id ?? null } }
}

const SetCover = z.object({ ...ById.shape, savings_account_id: z.int().min(1).nullable() })

const setCover = async (call: Call<z.infer<typeof SetCover>>) => {
  const { account_id, savings_account_id } = call.input
  const { book } = holderOf(call)
  const deposit = await ownDeposit(call, account_id)
  const savings = savings_account_id === null ? null : await ownDeposit(call, savings_account_id)
  if (savings && savings.product !== 'savings') {
    throw new ProblemError(problem('COVER_UNSUITABLE', 'It is no savings account.'))
  }
  const { account } = deposit
  await tell(call, coverDeposit, { book, account, covered_by: savings?.account ?? null })
  return { body: { account_id, savings_account_id } }
}

export const accountRoutes: readonly Route[] = [
  route('get', '/api/v1/accounts', 'accounts:read', {
    tag,
    summary: "List the holder's accounts that are not closed",
    input: z.object({}),
    response: z.object({ accounts: z.array(AccountSummary) }),
    example: asHolder,
    run: async (call) => {
      const open = (await ownDeposits(call)).filter(({ status }) => status !== 'closed')
      return { body: { accounts: open.map(summaryOf) } }
    },
  }),
  route('get', '/api/v1/accounts/{account_id}/balance', 'accounts:read', {
    tag,
    summary: 'Show a balance and the last five transactions',
    description: 'Frozen and closed accounts may be read too.',
    input: ById,
    response: z.object({
      account: AccountSummary,
      recent_transactions: z.array(MiniStatementEntry),
    }),
    problems: ['ACCOUNT_NOT_FOUND'],
    example: one,
    run: async (call) => {
      const deposit = await ownDeposit(call, call.input.account_id)
      const { book } = holderOf(call)
      const { account } = deposit
      const latest = await ask(call, listMovements, { book, account, limit: MINI_STATEMENT })
      return {
        body: { account: summaryOf(deposit), recent_transactions: latest.map(miniEntryOf) },
      }
    },
  }),
  route('get', '/api/v1/accounts/{account_id}/overdraft-protection', 'accounts:read', {
    tag,
    summary: 'Show which savings account makes up for what this one lacks',
    input: ById,
    response: Cover,
    problems: ['ACCOUNT_NOT_FOUND'],
    example: one,
    run: showCover,
  }),
  route('put', '/api/v1/accounts/{account_id}/overdraft-protection', 'cards:use', {
    tag,
    summary: 'Choose a savings account that makes up for what this one lacks, or none',
    description:
      'A withdrawal or transfer that lacks money takes exactly the missing part from there, in the ' +
      'same entry; when both together do not suffice, nothing moves.',
    input: SetCover,
    response: Cover,
    problems: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_CLOSED', 'COVER_UNSUITABLE'],
    example: { ...one, body: { savings_account_id: '{savings_id}' } },
    run: setCover,
  }),
]
