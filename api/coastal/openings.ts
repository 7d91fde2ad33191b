import { z } from '@hono/zod-openapi'
import { addOpeningPhoto, submitOpening, submitVerifiedOpening } from '../../commands/openings.ts'
import { proveApplicant, sendApplicantCode } from '../../commands/openings_codes.ts'
import type { Upload } from '../../domain/attachments.ts'
import { OpeningPlan } from '../../domain/openings.ts'
import { pageOpenings } from '../../projections/openings_queries.ts'
import { ask, route, tell } from '../contract.ts'
import { answerOnce } from '../kept_answers.ts'
import { numberedPage, numberedPageOf, numberedPaging } from '../numbered_pages.ts'
import { ProblemError, problem } from '../problems.ts'
import type { Call, Route } from '../route.ts'
import { fileAnswer, pictures, upload } from '../uploads.ts'
import { kept, STAFF } from './accounts.ts'
import { openingDecisionRoutes } from './openings_decisions.ts'
import {
  ById,
  GivenPhone,
  look,
  OPENING,
  Opening,
  openingInput,
  openingShownTo,
  path,
  phoneOf,
  Status,
  shown,
  statuses,
  submissionOf,
  tag,
} from './openings_views.ts'

const headers = ['X-Idempotency-Key'] as const
const PAGE_SIZE = 20
const MOST = 100

const Photo = upload(pictures).optional()
const Input = openingInput({ photo: Photo })
const VerifiedInput = openingInput({
  photo: Photo,
  /** Two names for one thing. */
  otp_code: z.string().max(64).optional(),
  otp: z.string().max(64).optional(),
})

/** Keeps the photo under the key of the applicant, whom the opening has made known. */
const keepPhoto = async (call: Call, opening: string, photo: Upload | undefined): Promise<void> => {
  if (!photo) return
  const attachment = await call.services.attachments.keep(opening, photo)
  await tell({ ...call, key: call.key && `${call.key} photo` }, addOpeningPhoto, {
    ...{ opening, photo: attachment },
  })
}

const submit = async (call: Call<z.infer<typeof Input>>) => {
  const { photo, ...given } = call.input
  const asked = { book: kept.book, asset: kept.asset, ...submissionOf(given) }
  const { answer } = await tell(call, submitOpening, asked)
  await keepPhoto(call, answer.opening, photo)
  return { body: await shown(call, answer.number) }
}

const verifyAndSubmit = async (call: Call<z.infer<typeof VerifiedInput>>) => {
  const { photo, otp_code, otp, ...given } = call.input
  const submission = submissionOf(given)
  const { phone } = submission.application
  const proven = await tell(call, proveApplicant, { phone, code: otp_code ?? otp ?? '' })
  const { opening } = proven.answer
  const asked = { book: kept.book, asset: kept.asset, opening, ...submission }
  const { answer } = await tell(call, submitVerifiedOpening, asked)
  await keepPhoto(call, opening, photo)
  return { body: await shown(call, answer.number) }
}

const Listing = z.object({
  account_type: OpeningPlan.optional(),
  status: Status.optional(),
  ...numberedPaging(PAGE_SIZE, MOST),
})

const list = async (call: Call<z.infer<typeof Listing>>) => {
  const { account_type: plan, status, page, page_size } = call.input
  const asked = {
    ...{ ...kept, page, page_size },
    ...(plan !== undefined && { plan }),
    ...(status !== undefined && { statuses: [...statuses[status]] }),
  }
  const found = await ask(call, pageOpenings, asked)
  return { body: numberedPage(call, call.input, found, openingShownTo(call)) }
}

const noPhoto = (): ProblemError => new ProblemError(problem('RESOURCE_NOT_FOUND', 'No photo.'))

const showPhoto = async (call: Call<z.infer<typeof ById>>) => {
  const { opening, photo } = await look(call, call.input.id)
  const file = photo === null ? undefined : await call.services.attachments.open(opening, photo)
  if (!file) throw noPhoto()
  return fileAnswer(file)
}

const submitting = ['EMAIL_TAKEN', 'BIRTH_DATE_UNFIT', 'IDEMPOTENCY_KEY_REUSED'] as const

const jane = {
  ...{ account_type: 'daily_susu', id_type: 'ghana_card', id_number: 'GHA-123456789-0' },
  ...{ first_name: 'Jane', last_name: 'Smith', date_of_birth: '1992-05-15' },
  ...{ phone_number: '0247654321', email: 'janesmith@example.com' },
}
const PHOTO =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const submissionRoutes: readonly Route[] = [
  route('post', `${path}/`, 'openings:work', {
    tag,
    summary: 'Ask for an account for somebody who is no customer yet',
    description: 'In JSON, or in a form with a photo. Somebody else decides.',
    status: 201,
    headers,
    multipart: true,
    input: Input,
    response: Opening,
    problems: submitting,
    example: {
      ...STAFF,
      body: jane,
      files: { photo: { name: 'jane.png', base64: PHOTO } },
      capture: { coastal_opening: 'id' },
    },
    furtherExamples: [
      {
        ...STAFF,
        body: { ...jane, account_type: 'monthly_contribution', email: 'js@example.com' },
        capture: { coastal_other_opening: 'id' },
      },
    ],
    run: (call) => answerOnce(call, submit),
  }),
  route('post', `${path}/send-otp/`, 'openings:work', {
    tag,
    summary: "Send a code to an applicant's phone",
    description: 'Six digits, good for five minutes, at most one a minute.',
    input: GivenPhone,
    response: z.object({ success: z.literal(true), message: z.string(), expires_in: z.int() }),
    problems: ['CODE_TOO_SOON'],
    example: { ...STAFF, body: { phone_number: '0247654321' } },
    run: async (call) => {
      const phone = phoneOf(call.input)
      const { answer } = await tell(call, sendApplicantCode, { phone })
      const message = `OTP sent to ${phone}`
      return { body: { success: true, message, expires_in: answer.expires_in_s } }
    },
  }),
  route('post', `${path}/verify-and-submit/`, 'openings:work', {
    tag,
    summary: 'Ask for an account with the code that was sent to the applicant',
    status: 201,
    headers,
    multipart: true,
    input: VerifiedInput,
    response: Opening,
    problems: [...submitting, 'CODE_NOT_SENT', 'CODE_WRONG', 'CODE_EXPIRED', 'CODE_LOCKED'],
    example: { ...STAFF, body: { ...jane, otp_code: 'none' }, refused: 'CODE_WRONG' },
    run: (call) => answerOnce(call, verifyAndSubmit),
  }),
]

const readingRoutes: readonly Route[] = [
  route('get', `${path}/`, 'openings:work', {
    tag,
    summary: 'List openings, newest first; mobile bankers see those they have submitted',
    input: Listing,
    response: numberedPageOf(Opening, 'CoastalAccountOpening'),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, query: { status: 'pending' } },
    run: list,
  }),
  route('get', `${path}/{id}/`, 'openings:work', {
    tag,
    summary: 'Show an opening',
    input: ById,
    response: Opening,
    problems: ['RESOURCE_NOT_FOUND'],
    example: {
      ...{ ...STAFF, params: OPENING },
      capture: { coastal_empty_account: 'created_account' },
    },
    run: async (call) => ({ body: openingShownTo(call)(await look(call, call.input.id)) }),
  }),
  route('get', `${path}/{id}/photo/`, 'openings:decide', {
    tag,
    summary: 'Show the photo of an applicant',
    contentType: 'image/*',
    input: ById,
    response: z.string(),
    problems: ['RESOURCE_NOT_FOUND'],
    example: { ...STAFF, params: OPENING },
    run: showPhoto,
  }),
]

export const openingRoutes: readonly Route[] = [
  ...submissionRoutes,
  ...openingDecisionRoutes,
  ...readingRoutes,
]
