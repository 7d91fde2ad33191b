import { z } from '@hono/zod-openapi'
import {
  approveCashAdvance,
  bookCashAdvance,
  disburseCashAdvance,
  rejectCashAdvance,
  repayCashAdvance,
  requestCashAdvance,
} from '../../commands/cash_advances.ts'
import { CashAdvanceStatus } from '../../domain/cash_advances.ts'
import {
  type CashAdvanceView,
  findCashAdvance,
  pageCashAdvances,
} from '../../projections/cash_advances.ts'
import { ask, route, tell } from '../contract.ts'
import { instant } from '../formats.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import type { Call, Route } from '../route.ts'
import { ADMIN, afterwards, kept, STAFF } from './accounts.ts'
import { Cedis, cedis, GivenAmount, GivenId } from './amounts.ts'
import { REQUIRED } from './errors.ts'
import { masks } from './masking.ts'
import { seesPersonal } from './views.ts'

const tag = 'Cash advances'
const PAGE_SIZE = 20
const MOST = 100

const CashAdvance = z
  .object({
    id: z.int(),
    requested_by: z.int().nullable(),
    amount: Cedis,
    reason: z.string(),
    repayment_date: z.string(),
    notes: z.string(),
    status: CashAdvanceStatus,
    is_overdue: z.boolean(),
    reviewed_by: z.int().nullable(),
    reviewed_at: z.string().nullable(),
    rejection_reason: z.string(),
    disbursed_by: z.int().nullable(),
    disbursed_at: z.string().nullable(),
    repaid_to: z.int().nullable(),
    repaid_at: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .openapi('CoastalCashAdvance')

/** What was said is masked below managers, but for whoever said it. */
const shownTo = ({ identity }: Call) => {
  return (advance: CashAdvanceView): z.infer<typeof CashAdvance> => {
    const shown = seesPersonal(identity) || advance.requested_by === identity.id
    const text = (said: string | null) => (shown ? (said ?? '') : masks.text(said ?? ''))
    return {
      id: advance.number,
      requested_by: advance.requested_by_number,
      amount: cedis(advance.amount),
      reason: text(advance.reason),
      repayment_date: advance.repayment_date,
      notes: text(advance.notes),
      status: advance.status,
      is_overdue: advance.overdue,
      reviewed_by: advance.decided_by_number,
      reviewed_at: advance.decided_at && instant(advance.decided_at),
      rejection_reason: text(advance.rejection),
      disbursed_by: advance.disbursed_by_number,
      disbursed_at: advance.disbursed_at && instant(advance.disbursed_at),
      repaid_to: advance.repaid_to_number,
      repaid_at: advance.repaid_at && instant(advance.repaid_at),
      created_at: instant(advance.requested_at),
      updated_at: instant(advance.changed_at),
    }
  }
}

const look = (call: Call, number: number): Promise<CashAdvanceView> =>
  ask(call, findCashAdvance, { ...kept, number })

const show = async (call: Call, number: number) => ({
  body: shownTo(call)(await look(call, number)),
})

const DayText = z.iso.date({
  error: ({ input }) => (input === undefined ? REQUIRED : 'Date has wrong format. Use YYYY-MM-DD.'),
})

const Request = z.object({
  amount: GivenAmount,
  reason: z.string().trim().min(1, 'This field may not be blank.').max(500),
  repayment_date: DayText,
  notes: z.string().trim().max(1000).default(''),
})

const request = async (call: Call<z.infer<typeof Request>>) => {
  const { answer } = await tell(call, requestCashAdvance, { ...kept, ...call.input })
  return show(afterwards(call), answer.number)
}

const Listing = z.object({
  status: CashAdvanceStatus.optional(),
  ...numberedPaging(PAGE_SIZE, MOST),
})

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const page = await ask(call, pageCashAdvances, { ...kept, ...call.input })
  return { body: numberedPage(call, call.input, page, shownTo(call)) }
}

const ById = z.object({ id: GivenId })
type ById = z.infer<typeof ById>

const approve = async (call: Call<ById>) => {
  const { advance, number } = await look(call, call.input.id)
  await tell(call, approveCashAdvance, { advance })
  return show(afterwards(call), number)
}

const Rejection = ById.extend({ reason: z.string().trim().max(256).default('') })

const reject = async (call: Call<z.infer<typeof Rejection>>) => {
  const { advance, number } = await look(call, call.input.id)
  await tell(call, rejectCashAdvance, { advance, reason: call.input.reason })
  return show(afterwards(call), number)
}

/** A step that moves cash, and then the ledger's entry of it. */
const movingBy =
  (command: typeof disburseCashAdvance | typeof repayCashAdvance) => async (call: Call<ById>) => {
    const { advance, number } = await look(call, call.input.id)
    await tell(call, command as typeof disburseCashAdvance, { advance })
    // The key belongs to the request, not to what follows.
    await tell({ ...call, key: undefined }, bookCashAdvance, { advance })
    return show(afterwards(call), number)
  }

const deciding = {
  tag,
  input: ById,
  response: CashAdvance,
  problems: ['RESOURCE_NOT_FOUND', 'CASH_ADVANCE_STATUS_UNFIT', 'MAKER_IS_CHECKER'],
} as const

const example = { ...ADMIN, params: { id: '{coastal_advance}' }, body: {} }
const body = { amount: '200.00', reason: 'Change for the counter', repayment_date: '2099-01-31' }

export const cashAdvanceRoutes: readonly Route[] = [
  route('post', '/api/banking/cash-advances/', 'advances:request', {
    tag,
    summary: "Ask for cash of the counter, for one's own use, to be paid back by a day",
    status: 201,
    input: Request,
    response: CashAdvance,
    problems: ['REPAYMENT_DATE_PAST'],
    example: { ...STAFF, body, capture: { coastal_advance: 'id' } },
    furtherExamples: [
      { ...STAFF, body: { ...body, notes: 'Twice' }, capture: { coastal_other_advance: 'id' } },
    ],
    run: request,
  }),
  route('get', '/api/banking/cash-advances/', 'advances:request', {
    tag,
    summary: "List cash advances: one's own, from managers on all",
    input: Listing,
    response: numberedPageOf(CashAdvance, 'CoastalCashAdvance'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, query: { status: 'pending' } },
    run: list,
  }),
  route('get', '/api/banking/cash-advances/{id}/', 'advances:decide', {
    tag,
    summary: 'Show a cash advance to whoever may take it further',
    input: ById,
    response: CashAdvance,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, params: { id: '{coastal_advance}' } },
    run: (call) => show(call, call.input.id),
  }),
  route('post', '/api/banking/cash-advances/{id}/approve/', 'advances:decide', {
    ...deciding,
    summary: 'Approve a cash advance: never by whoever asked for it',
    example,
    run: approve,
  }),
  route('post', '/api/banking/cash-advances/{id}/reject/', 'advances:decide', {
    ...deciding,
    summary: 'Reject a cash advance: never by whoever asked for it',
    input: Rejection,
    example: {
      ...{ ...ADMIN, params: { id: '{coastal_other_advance}' } },
      body: { reason: 'One is enough' },
    },
    run: reject,
  }),
  route('post', '/api/banking/cash-advances/{id}/disburse/', 'advances:decide', {
    ...deciding,
    summary: 'Hand out the cash: never by whoever asked for it',
    example,
    run: movingBy(disburseCashAdvance),
  }),
  route('post', '/api/banking/cash-advances/{id}/repay/', 'advances:decide', {
    ...deciding,
    summary: 'Take back the cash: never by whoever asked for it',
    example,
    run: movingBy(repayCashAdvance),
  }),
]
