import { z } from '@hono/zod-openapi'
import {
  approveOpening,
  dispatchCredentials,
  forgetOpening,
  fulfilOpening,
  rejectOpening,
} from '../../commands/openings_decisions.ts'
import { route, tell } from '../contract.ts'
import { answerOnce } from '../kept_answers.ts'
import type { Call, Route } from '../route.ts'
import { ADMIN } from './accounts.ts'
import { ById, look, OPENING, Opening, path, shown, tag } from './openings_views.ts'

const headers = ['X-Idempotency-Key'] as const

const decided = async (call: Call, number: number, message: string) => ({
  body: { status: 'success' as const, message, data: await shown(call, number) },
})

const approve = async (call: Call<z.infer<typeof ById>>) => {
  const { opening, number } = await look(call, call.input.id)
  await tell(call, approveOpening, { opening })
  // The key belongs to the request, not to what follows.
  await tell({ ...call, key: undefined }, fulfilOpening, { opening })
  return decided(call, number, 'The account is open.')
}

const dispatch = async (call: Call<z.infer<typeof ById>>) => {
  const { opening, number } = await look(call, call.input.id)
  await tell(call, dispatchCredentials, { opening })
  return decided(call, number, 'The credentials were sent by SMS.')
}

const Rejection = ById.extend({ reason: z.string().trim().max(512).default('') })

const reject = async (call: Call<z.infer<typeof Rejection>>) => {
  const { opening, number } = await look(call, call.input.id)
  await tell(call, rejectOpening, { opening, reason: call.input.reason })
  return decided(call, number, 'The opening was rejected.')
}

const Decided = z.object({ status: z.literal('success'), message: z.string(), data: Opening })
const deciding = ['RESOURCE_NOT_FOUND', 'OPENING_NOT_PENDING', 'MAKER_IS_CHECKER'] as const

const other = { id: '{coastal_other_opening}' }

export const openingDecisionRoutes: readonly Route[] = [
  route('post', `${path}/{id}/approve/`, 'openings:decide', {
    tag,
    summary: 'Make the applicant a customer with an account; never by who has submitted it',
    headers,
    input: ById,
    response: Decided,
    problems: [...deciding, 'EMAIL_TAKEN'],
    example: { ...ADMIN, params: OPENING, body: {} },
    run: (call) => answerOnce(call, approve),
  }),
  route('post', `${path}/{id}/dispatch-credentials/`, 'openings:decide', {
    tag,
    summary: 'Send the customer a first password; never by who has submitted the opening',
    headers,
    input: ById,
    response: Decided,
    problems: ['RESOURCE_NOT_FOUND', 'OPENING_NOT_APPROVED', 'MAKER_IS_CHECKER'],
    example: { ...ADMIN, params: OPENING, body: {} },
    run: (call) => answerOnce(call, dispatch),
  }),
  route('post', `${path}/{id}/reject/`, 'openings:decide', {
    tag,
    summary: 'Reject an opening; never by who has submitted it',
    headers,
    input: Rejection,
    response: Decided,
    problems: deciding,
    example: { ...ADMIN, params: other, body: { reason: 'The card has expired' } },
    run: (call) => answerOnce(call, reject),
  }),
  route('delete', `${path}/{id}/`, 'openings:decide', {
    tag,
    summary: 'Forget an applicant who was rejected: what he has said of himself is destroyed',
    input: ById,
    response: Opening,
    problems: ['RESOURCE_NOT_FOUND', 'OPENING_NOT_REJECTED'],
    example: { ...ADMIN, params: other },
    run: async (call) => {
      const { opening, number } = await look(call, call.input.id)
      await tell(call, forgetOpening, { opening })
      return { body: await shown(call, number) }
    },
  }),
]
