import { z } from '@hono/zod-openapi'
import {
  approveClosure,
  carryOutClosure,
  rejectClosure,
  requestClosure,
} from '../../commands/closures.ts'
import { ClosureReason } from '../../domain/closures.ts'
import {
  type ClosureView,
  findClosable,
  findClosure,
  pageClosures,
} from '../../projections/closures_queries.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import type { Call, Route } from '../route.ts'
import { ADMIN, afterwards, kept, STAFF } from './accounts.ts'
import { Cedis, cedis, GivenId, orRequired } from './amounts.ts'
import { REQUIRED } from './errors.ts'

const tag = 'Account closures'
const PAGE_SIZE = 20
const MOST = 100

const Status = z.enum(['pending', 'approved', 'rejected'])

const statuses: Readonly<Record<z.infer<typeof Status>, readonly ClosureView['status'][]>> = {
  pending: ['pending', 'accepted'],
  approved: ['approved'],
  rejected: ['rejected'],
}

const Closure = z
  .object({
    id: z.int(),
    account: z.int().nullable(),
    user: z.int().nullable(),
    closure_reason: ClosureReason,
    other_reason: z.string(),
    phone: z.string(),
    otp_verified: z.boolean(),
    status: Status,
    final_balance: Cedis.nullable(),
    submitted_by: z.int().nullable(),
    reviewed_by: z.int().nullable(),
    reviewed_at: z.string().nullable(),
    rejection_reason: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi('CoastalAccountClosure')

/** Only managers see closures, so that nothing is masked. */
const closureOf = (closure: ClosureView): z.infer<typeof Closure> => ({
  id: closure.number,
  account: closure.account_id,
  user: closure.owner_number,
  closure_reason: closure.reason,
  other_reason: closure.other_reason ?? '',
  phone: closure.phone ?? '',
  otp_verified: closure.otp_verified,
  // What the ledger has not closed yet is not closed.
  status: closure.status === 'accepted' ? 'pending' : closure.status,
  final_balance: closure.final_balance === null ? null : cedis(closure.final_balance),
  submitted_by: closure.requested_by,
  reviewed_by: closure.decided_by,
  reviewed_at: closure.decided_at && instant(closure.decided_at),
  rejection_reason: closure.rejection ?? '',
  created_at: instant(closure.requested_at),
  updated_at: instant(closure.changed_at),
})

const look = (call: Call, number: number): Promise<ClosureView> =>
  ask(call, findClosure, { ...kept, number })

const Text = z.string().trim().max(256)

const Request = z
  .object({
    account_id: GivenId,
    closure_reason: z.enum(ClosureReason.options, {
      error: orRequired('Not a valid choice.'),
    }),
    other_reason: Text.default(''),
    phone: Text.max(32).optional(),
    phone_number: Text.max(32).optional(),
    otp_verified: z.boolean().default(false),
  })
  .refine(({ closure_reason, other_reason }) => closure_reason !== 'other' || other_reason !== '', {
    path: ['other_reason'],
    message: REQUIRED,
  })

const request = async (call: Call<z.infer<typeof Request>>) => {
  const { account_id: id, closure_reason: reason, phone, phone_number, ...asked } = call.input
  const { account } = await ask(afterwards(call), findClosable, { ...kept, id })
  const wanted = { book: kept.book, account, reason, phone: phone ?? phone_number ?? '', ...asked }
  const { answer } = await tell(call, requestClosure, wanted)
  return { body: closureOf(await look(afterwards(call), answer.number)) }
}

const Listing = z.object({ status: Status.optional(), ...numberedPaging(PAGE_SIZE, MOST) })

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const { status, page, page_size } = call.input
  const asked = {
    ...{ ...kept, page, page_size },
    ...(status !== undefined && { statuses: [...statuses[status]] }),
  }
  const found = await ask(call, pageClosures, asked)
  return { body: numberedPage(call, call.input, found, closureOf) }
}

const ById = z.object({ id: GivenId })

const decided = async (call: Call, number: number, message: string) => ({
  body: {
    ...{ status: 'success' as const, message },
    data: closureOf(await look(afterwards(call), number)),
  },
})

const approve = async (call: Call<z.infer<typeof ById>>) => {
  const { closure, number, account_id: id } = await look(call, call.input.id)
  if (id !== null) await ask(afterwards(call), findClosable, { ...kept, id })
  await tell(call, approveClosure, { closure })
  await tell(call, carryOutClosure, { closure })
  return decided(call, number, 'The account is closed.')
}

const Rejection = ById.extend({ reason: z.string().trim().max(512).default('') })

const reject = async (call: Call<z.infer<typeof Rejection>>) => {
  const { closure, number } = await look(call, call.input.id)
  await tell(call, rejectClosure, { closure, reason: call.input.reason })
  return decided(call, number, 'The closure was rejected.')
}

const Decided = z.object({ status: z.literal('success'), message: z.string(), data: Closure })
const closing = ['ACCOUNT_NOT_EMPTY', 'ACCOUNT_CLOSED', 'PAYMENTS_WAITING'] as const
const deciding = ['RESOURCE_NOT_FOUND', 'CLOSURE_NOT_PENDING', 'MAKER_IS_CHECKER'] as const

const path = '/api/banking/account-closures'
const body = { account_id: '{coastal_empty_account}', closure_reason: 'customer_request' }

export const closureRoutes: readonly Route[] = [
  route('post', `${path}/`, 'closures:manage', {
    tag,
    summary: 'Ask for an account to be closed, which has to be empty',
    description: 'No money, no holds, no transactions that wait. Somebody else decides.',
    status: 201,
    input: Request,
    response: Closure,
    problems: ['RESOURCE_NOT_FOUND', ...closing],
    example: { ...STAFF, body, capture: { coastal_closure: 'id' } },
    furtherExamples: [{ ...STAFF, body, capture: { coastal_other_closure: 'id' } }],
    run: request,
  }),
  route('get', `${path}/`, 'closures:manage', {
    tag,
    summary: 'List closures, newest first',
    input: Listing,
    response: numberedPageOf(Closure, 'CoastalAccountClosure'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, query: { status: 'pending' } },
    run: list,
  }),
  route('get', `${path}/{id}/`, 'closures:manage', {
    tag,
    summary: 'Show a closure',
    input: ById,
    response: Closure,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, params: { id: '{coastal_closure}' } },
    run: async (call) => ({ body: closureOf(await look(call, call.input.id)) }),
  }),
  route('post', `${path}/{id}/reject/`, 'closures:manage', {
    tag,
    summary: 'Reject a closure: never by who asked for it, or whose account it is',
    input: Rejection,
    response: Decided,
    problems: deciding,
    example: {
      ...{ ...ADMIN, params: { id: '{coastal_other_closure}' } },
      body: { reason: 'The customer stays' },
    },
    run: reject,
  }),
  route('post', `${path}/{id}/approve/`, 'closures:manage', {
    tag,
    summary: 'Close the account for good: never by who asked for it, or whose account it is',
    description: 'It is checked again, and the ledger closes nothing that has money in it.',
    input: ById,
    response: Decided,
    problems: [...deciding, ...closing],
    example: { ...ADMIN, params: { id: '{coastal_closure}' }, body: {} },
    run: approve,
  }),
]
