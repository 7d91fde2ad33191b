import { z } from '@hono/zod-openapi'
import { orderPayout, payOut } from '../../commands/commissions.ts'
import { listCommissions, listPayouts } from '../../projections/commissions.ts'
import { tell } from '../contract.ts'
import { type Route, read, write } from '../route.ts'
import * as views from './views.ts'

const tag = 'Commissions'

const Commission = z
  .object({
    ...{ payment: z.string(), agent: z.string(), book: z.string(), asset: z.string() },
    ...{ collected: views.Minor, permille: z.int(), amount: views.Minor },
    earned_at: views.Timestamp,
  })
  .openapi('Commission')

const Payout = z
  .object({
    ...{ payout: z.string(), agent: z.string(), book: z.string(), asset: z.string() },
    ...{ account: views.Code, amount: views.Minor },
    status: z.enum(['ordered', 'paid', 'failed']),
    failure: z.string().nullable(),
    ordered_by: z.string(),
    ordered_at: views.Timestamp,
    settled_at: views.Timestamp.nullable(),
  })
  .openapi('CommissionPayout')

const ordering = write('post', '/v1/commissions/{agent}/payouts', orderPayout, {
  tag,
  summary: 'Pay an agent what is owed to him for collecting',
  response: z.object({
    ...{ payout: z.string(), agent: z.string(), amount: views.Minor },
    status: z.enum(['ordered', 'paid']),
  }),
  problems: ['BOOK_NOT_FOUND', 'ACCOUNT_NOT_FOUND', 'NO_COMMISSION_OWED', 'MAKER_IS_CHECKER'],
  example: {
    params: { agent: '{mobile_banker}' },
    body: { book: 'main', asset: 'GHS/2', account: 'customers:2231-0001' },
    refused: 'ACCOUNT_NOT_FOUND',
  },
})

export const commissionRoutes: readonly Route[] = [
  {
    ...ordering,
    run: async (call) => {
      const answer = await ordering.run(call)
      const { payout } = answer.body as { payout: string }
      if (call.dryRun) return answer
      // The key and the revision belong to what was asked for, not to what follows.
      const following = { ...call, key: undefined, ifMatch: undefined }
      const receipt = await tell(following, payOut, { payout })
      return {
        ...answer,
        body: { ...(answer.body as object), ...receipt.answer },
        headers: { ...answer.headers, ...call.services.receiptHeaders(receipt) },
      }
    },
  },
  read('/v1/commissions', listCommissions, {
    tag,
    summary: 'List what collecting has earned, newest first: mobile bankers see their own',
    response: views.pageOf(Commission, 'Commission'),
    problems: ['BAD_CURSOR'],
    example: { query: { agent: '{mobile_banker}' } },
  }),
  read('/v1/commission-payouts', listPayouts, {
    tag,
    summary: 'List payouts of commissions, newest first',
    response: views.pageOf(Payout, 'CommissionPayout'),
    problems: ['BAD_CURSOR'],
    example: {},
  }),
]
