import { z } from '@hono/zod-openapi'
import {
  approveCheckDeposit,
  bookCheckDeposit,
  clearCheckDeposit,
  rejectCheckDeposit,
  returnCheckDeposit,
  submitCheckDeposit,
} from '../../commands/check_deposits.ts'
import { SusuProduct } from '../../domain/deposits.ts'
import {
  type CheckDepositView,
  findCheckDeposit,
  pageCheckDeposits,
} from '../../projections/check_deposits.ts'
import { ask, route, tell } from '../contract.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import { ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { fileAnswer, pictures, upload } from '../uploads.ts'
import { ADMIN, afterwards, kept, STAFF } from './accounts.ts'
import { GivenAmount, GivenId } from './amounts.ts'
import { CheckDeposit, checkDepositShownTo, Status } from './check_deposit_views.ts'
import { REQUIRED } from './errors.ts'
import { memberAccount } from './transactions.ts'

const tag = 'Check deposits'
const PAGE_SIZE = 20
const MOST = 100

const look = (call: Call, number: number): Promise<CheckDepositView> =>
  ask(call, findCheckDeposit, { ...kept, number })

const show = async (call: Call, number: number) => ({
  body: checkDepositShownTo(call)(await look(call, number)),
})

/** What is not there at all has a complaint of its own. */
const Image = z
  .unknown()
  .refine((file) => file !== undefined, REQUIRED)
  .pipe(upload(pictures))
  .openapi({ type: 'string', format: 'binary' })

const Submission = z.object({
  member_id: GivenId,
  amount: GivenAmount,
  account_type: SusuProduct,
  bank_name: z.string().trim().min(1, 'This field may not be blank.').max(128),
  check_number: z.string().trim().max(32).optional(),
  front_image: Image,
  back_image: Image,
})

const submit = async (call: Call<z.infer<typeof Submission>>) => {
  const { member_id, account_type, amount, bank_name, check_number } = call.input
  const { account, owner } = await memberAccount(call, member_id, account_type)
  const { attachments } = call.services
  const front = await attachments.keep(owner, call.input.front_image)
  const back = await attachments.keep(owner, call.input.back_image)
  const asked = { book: kept.book, account, amount, bank_name, front, back }
  const { answer } = await tell(call, submitCheckDeposit, {
    ...asked,
    ...(check_number && { check_number }),
  })
  return show(afterwards(call), answer.number)
}

const Listing = z.object({
  status: Status.optional(),
  member_id: GivenId.optional(),
  ...numberedPaging(PAGE_SIZE, MOST),
})

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const { member_id, ...asked } = call.input
  const filters = { ...kept, ...asked, ...(member_id !== undefined && { owner_number: member_id }) }
  const page = await ask(call, pageCheckDeposits, filters)
  return { body: numberedPage(call, call.input, page, checkDepositShownTo(call)) }
}

const ById = z.object({ id: GivenId })
type ById = z.infer<typeof ById>
const WithReason = ById.extend({ reason: z.string().trim().max(256).default('') })
type WithReason = z.infer<typeof WithReason>

/** Has the ledger book what was decided. The key belongs to the request, not to what follows. */
const settle = async (call: Call, { check, number }: CheckDepositView) => {
  await tell({ ...call, key: undefined }, bookCheckDeposit, { check })
  return show(afterwards(call), number)
}

const approve = async (call: Call<ById>) => {
  const deposit = await look(call, call.input.id)
  await tell(call, approveCheckDeposit, { check: deposit.check })
  return settle(call, deposit)
}

const reject = async (call: Call<WithReason>) => {
  const { check, number } = await look(call, call.input.id)
  await tell(call, rejectCheckDeposit, { check, reason: call.input.reason })
  return show(afterwards(call), number)
}

const clear = async (call: Call<ById>) => {
  const deposit = await look(call, call.input.id)
  await tell(call, clearCheckDeposit, { check: deposit.check })
  return settle(call, deposit)
}

const giveBack = async (call: Call<WithReason>) => {
  const deposit = await look(call, call.input.id)
  await tell(call, returnCheckDeposit, { check: deposit.check, reason: call.input.reason })
  return settle(call, deposit)
}

const imageOf = (side: 'front' | 'back') => async (call: Call<ById>) => {
  const deposit = await look(call, call.input.id)
  const { attachment } = deposit[side]
  const file = await call.services.attachments.open(deposit.owner, attachment)
  if (!file) throw new ProblemError(problem('RESOURCE_NOT_FOUND', 'The image is not here.'))
  return fileAnswer(file)
}

/** A picture of one point, for the examples. */
const POINT =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const files = {
  front_image: { name: 'front.png', base64: POINT },
  back_image: { name: 'back.png', base64: POINT },
}
const form = { member_id: '{ada_number}', amount: '320.00', account_type: 'member_savings' }
const submitting = {
  tag,
  status: 201,
  multipart: true,
  input: Submission,
  response: CheckDeposit,
  problems: ['RESOURCE_NOT_FOUND', 'ACCOUNT_NOT_FOUND'],
  run: submit,
} as const

const deciding = {
  tag,
  response: CheckDeposit,
  problems: ['RESOURCE_NOT_FOUND', 'CHECK_DEPOSIT_STATUS_UNFIT', 'MAKER_IS_CHECKER'],
} as const

const showing = {
  tag,
  input: ById,
  response: z.unknown(),
  contentType: 'image/*',
  problems: ['RESOURCE_NOT_FOUND'],
  example: { ...STAFF, params: { id: '{coastal_check}' } },
} as const

const example = { ...ADMIN, params: { id: '{coastal_check}' }, body: {} }

export const checkDepositRoutes: readonly Route[] = [
  route('post', '/api/check-deposits/', 'checks:process', {
    ...submitting,
    summary: 'Take a check of another bank in for a member, with pictures of both sides',
    description: 'A form with PNG, JPEG or WebP files of at most 5 MB each. No money moves yet.',
    example: {
      ...{ ...STAFF, files, body: { ...form, bank_name: 'Volta Bank' } },
      capture: { coastal_check: 'id' },
    },
    furtherExamples: [
      {
        ...{ ...STAFF, files, body: { ...form, bank_name: 'Volta Bank', check_number: '000451' } },
        capture: { coastal_other_check: 'id' },
      },
    ],
  }),
  route('post', '/api/check-deposits/process-check-deposit/', 'checks:process', {
    ...submitting,
    summary: 'The same at the address that older clients know',
    example: {
      ...{ ...STAFF, files, body: { ...form, bank_name: 'Ankobra Savings' } },
      capture: { coastal_third_check: 'id' },
    },
  }),
  route('get', '/api/check-deposits/', 'checks:process', {
    tag,
    summary: 'List check deposits',
    input: Listing,
    response: numberedPageOf(CheckDeposit, 'CoastalCheckDeposit'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, query: { status: 'pending' } },
    run: list,
  }),
  route('get', '/api/check-deposits/{id}/', 'checks:process', {
    tag,
    summary: 'Show a check deposit',
    input: ById,
    response: CheckDeposit,
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, params: { id: '{coastal_check}' } },
    run: (call) => show(call, call.input.id),
  }),
  route('get', '/api/check-deposits/{id}/front-image/', 'checks:process', {
    ...showing,
    summary: 'The picture of its front',
    run: imageOf('front'),
  }),
  route('get', '/api/check-deposits/{id}/back-image/', 'checks:process', {
    ...showing,
    summary: 'The picture of its back',
    run: imageOf('back'),
  }),
  route('post', '/api/check-deposits/{id}/approve/', 'checks:process', {
    ...deciding,
    summary: 'Credit the account: never by whoever took the check in, or whose account it is',
    input: ById,
    problems: [...deciding.problems, 'ACCOUNT_FROZEN', 'ACCOUNT_CLOSED'],
    example,
    furtherExamples: [{ ...example, params: { id: '{coastal_other_check}' } }],
    run: approve,
  }),
  route('post', '/api/check-deposits/{id}/reject/', 'checks:process', {
    ...deciding,
    summary: 'Reject a check: never by whoever took it in, or whose account it is for',
    input: WithReason,
    example: {
      ...{ ...ADMIN, params: { id: '{coastal_third_check}' } },
      body: { reason: 'The signature is missing' },
    },
    run: reject,
  }),
  route('post', '/api/check-deposits/{id}/cleared/', 'checks:process', {
    ...deciding,
    summary: 'The other bank has paid',
    input: ById,
    example,
    run: clear,
  }),
  route('post', '/api/check-deposits/{id}/returned/', 'checks:process', {
    ...deciding,
    summary: 'The other bank does not pay: the account gives back what it has',
    description: 'What the account lacks, its owner owes (`owed_amount`).',
    input: WithReason,
    example: {
      ...{ ...ADMIN, params: { id: '{coastal_other_check}' } },
      body: { reason: 'Not covered' },
    },
    run: giveBack,
  }),
]
